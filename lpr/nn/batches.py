"""Batches that are made in Python, as a data set of TensorFlow."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

Shape = Sequence[int | None]


def python_batches(
    fetch: Callable[[int], tuple[np.ndarray, np.ndarray]],
    steps: range,
    image_shape: Shape,
    truth_shape: Shape,
    change: Callable[[Any, Any, Any], tuple[Any, Any]] | None = None,
) -> tf.data.Dataset:
    """The batches of `steps`, in order: images, float32 in 0–1, and the truth.

    Args:
        fetch: step → images, uint8 (b, h, w, 3), and the truth, float32 (b, …).
        image_shape: of one image; None where it differs between batches.
        truth_shape: of one image's truth.
        change: step, images and truth, tensors → those that the data set has; None: it has them as they are.
    """
    import tensorflow as tf

    # TensorFlow keeps every function that a graph calls, and Keras the graphs of all trainings of the process: the
    # function below must not keep the decoded images, too. They live as long as the data set.
    reference = weakref.ref(fetch)

    def call(step: np.int64) -> tuple[np.ndarray, np.ndarray]:
        alive = reference()
        assert alive is not None, "the data set is in use"
        return alive(int(step))

    def batch(step: Any) -> tuple[Any, Any]:
        images, truth = tf.numpy_function(call, [step], (tf.uint8, tf.float32), stateful=False)
        images = tf.cast(tf.ensure_shape(images, (None, *image_shape)), tf.float32) / 255
        truth = tf.ensure_shape(truth, (None, *truth_shape))
        return change(step, images, truth) if change else (images, truth)

    numbers = tf.data.Dataset.range(steps.start, steps.stop, steps.step)
    dataset = numbers.map(batch, num_parallel_calls=1, deterministic=True).prefetch(2)
    dataset.fetch = fetch
    return dataset
