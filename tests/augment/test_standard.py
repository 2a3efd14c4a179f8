"""Augmentation of batches: pinned. How boxes follow their images is tested with the input pipeline."""

import numpy as np
import tensorflow as tf

from lpr.augment.standard import augmented
from lpr.config import StandardAugment

SETTINGS = StandardAugment(
    name="standard",
    p_flip=0.5,
    scale_jitter=1.15,
    max_shift=0.1,
    max_rotation_deg=8.0,
    brightness=0.1,
    contrast=0.1,
    colour=0.05,
)
BOXES = np.array([[0.2, 0.3, 0.5, 0.4], [0.1, 0.1, 0.9, 0.9], [0.6, 0.6, 0.8, 0.7]], np.float32)


def test_a_batch_is_pinned() -> None:
    """The values are those of lpr 0.1 (commit 1f5a461)."""
    images = tf.constant(np.random.default_rng(0).random((3, 24, 24, 3), np.float32))
    images, boxes = augmented(images, tf.constant(BOXES), SETTINGS, tf.constant([5, 9], tf.int64))
    assert abs(float(tf.reduce_mean(images)) - 0.44675529) < 1e-5
    expected = [[0.4034, 0.3684, 0.7476, 0.4870], [0.0455, 0.0354, 0.8588, 0.8487], [0.2998, 0.6372, 0.4853, 0.7396]]
    np.testing.assert_allclose(boxes, expected, atol=1e-4)


def test_neutral_settings_change_nothing() -> None:
    neutral = dict.fromkeys(StandardAugment.model_fields, 0.0) | {"name": "none", "scale_jitter": 1.0}
    images = tf.constant(np.random.default_rng(0).random((3, 24, 24, 3), np.float32))
    settings = StandardAugment.model_validate(neutral)
    same, boxes = augmented(images, tf.constant(BOXES), settings, tf.constant([5, 9], tf.int64))
    np.testing.assert_array_equal(same, images)
    np.testing.assert_array_equal(boxes, BOXES)
