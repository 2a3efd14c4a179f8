"""Losses and overlap of boxes: by hand, pinned, and beside Keras's."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from lpr.config import Loss
from lpr.nn.losses import build_loss, ciou_loss, mean_iou

TRUE = np.array([[0.2, 0.2, 0.6, 0.4]], np.float32)
NAMES = ("mse", "mae", "huber", "giou", "ciou")


def loss(name: str, predicted: list[float], delta: float = 1.0) -> float:
    built = build_loss(Loss(name=name, delta=delta))  # type: ignore[arg-type]
    return float(np.mean(built(TRUE, np.array([predicted], np.float32))))


def test_an_exact_box_has_no_loss_and_full_overlap() -> None:
    assert [loss(name, TRUE[0].tolist()) for name in NAMES] == pytest.approx([0] * 5, abs=1e-6)
    assert float(mean_iou(TRUE, TRUE)[0]) == pytest.approx(1)


def test_half_the_box_has_half_the_overlap() -> None:
    half = [0.2, 0.2, 0.4, 0.4]
    assert float(mean_iou(TRUE, np.array([half], np.float32))[0]) == pytest.approx(0.5, abs=1e-6)
    assert loss("giou", half) == pytest.approx(0.5, abs=1e-6)  # the enclosing box is the true one
    assert loss("mse", half) == pytest.approx(0.2**2 / 4, abs=1e-7)
    assert loss("mae", half) == pytest.approx(0.05, abs=1e-7)
    assert loss("huber", half, delta=0.1) == pytest.approx(0.1 * (0.2 - 0.05) / 4, abs=1e-7)


def test_giou_falls_as_boxes_apart_come_nearer() -> None:
    near, far = [0.6, 0.2, 1.0, 0.4], [0.6, 0.6, 1.0, 0.8]
    assert loss("giou", near) == pytest.approx(1, abs=1e-6)  # they touch: no overlap, and nothing else in the hull
    assert loss("giou", far) == pytest.approx(1 + (0.48 - 0.16) / 0.48, abs=1e-6)  # a hull of 0.8 by 0.6
    assert float(mean_iou(TRUE, np.array([far], np.float32))[0]) == 0


def test_ciou_counts_distance_and_aspect_ratio() -> None:
    shifted, square = [0.4, 0.2, 0.8, 0.4], [0.3, 0.2, 0.5, 0.4]
    assert loss("ciou", shifted) == pytest.approx(1 - 1 / 3 + 0.2**2 / (0.6**2 + 0.2**2), abs=1e-6)  # same ratio
    ratio = 4 / math.pi**2 * (math.atan(2) - math.atan(1)) ** 2  # same centre
    assert loss("ciou", square) == pytest.approx(0.5 + ratio**2 / (0.5 + ratio), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("mse", 0.22111875), ("mae", 0.30437499), ("huber", 0.01430937), ("giou", 0.66976970), ("ciou", 0.60242337)],
)
def test_the_losses_are_pinned(name: str, value: float) -> None:
    """Boxes that overlap, are apart, have swapped corners, are equal; the values are those of lpr 0.1 (1f5a461)."""
    true = np.array([[0.2, 0.2, 0.6, 0.4], [0.1, 0.5, 0.3, 0.6], [0, 0, 1, 1], [0.4, 0.4, 0.7, 0.5]], np.float32)
    predicted = [[0.25, 0.22, 0.55, 0.45], [0.6, 0.6, 0.9, 0.7], [0.8, 0.9, 0.1, 0.2], [0.4, 0.4, 0.7, 0.5]]
    built = build_loss(Loss(name=name, delta=0.05))  # type: ignore[arg-type]
    assert float(np.mean(built(true, np.array(predicted, np.float32)))) == pytest.approx(value, rel=1e-5)
    values = np.asarray(mean_iou(true, np.array(predicted, np.float32)))
    np.testing.assert_allclose(values, [0.5684211, 0, 0.49, 1], rtol=1e-5)


def pairs(width: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes about so wide, and others that overlap them."""
    random = np.random.default_rng(0)
    middles, sides = random.uniform(0.3, 0.7, (200, 2)), random.uniform(0.5, 1.5, (200, 2)) * [width, width / 3]
    true = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)
    return true.astype(np.float32), (true + random.normal(0, width / 30, true.shape)).astype(np.float32)


def test_large_boxes_have_the_overlap_of_keras() -> None:
    true, predicted = pairs(0.3)
    theirs = keras.utils.bounding_boxes.compute_iou(true[:, None], predicted[:, None], "xyxy")
    np.testing.assert_allclose(mean_iou(true, predicted), np.asarray(theirs)[:, 0, 0], atol=1e-4)
    theirs = keras.utils.bounding_boxes.compute_ciou(true, predicted, "xyxy")
    np.testing.assert_allclose(1 - ciou_loss(true, predicted), theirs, atol=1e-4)


def test_small_and_swapped_boxes_have_the_right_overlap_which_keras_has_not() -> None:
    """Why Keras's functions are not used; where this fails, they have become better."""
    true, _ = pairs(0.003)
    theirs = keras.utils.bounding_boxes.compute_iou(true[:, None], true[:, None], "xyxy")
    np.testing.assert_allclose(mean_iou(true, true), 1, rtol=1e-6)
    assert np.asarray(theirs)[:, 0, 0].min() < 0.98
    swapped = np.ascontiguousarray(TRUE[:, [2, 3, 0, 1]])
    assert float(mean_iou(TRUE, swapped)[0]) == pytest.approx(1)
    assert float(keras.utils.bounding_boxes.compute_ciou(TRUE, swapped, "xyxy")[0]) == pytest.approx(0)


@pytest.mark.parametrize("name", ["giou", "ciou"])
def test_a_training_moves_a_box_onto_the_true_one(name: str) -> None:
    """Also one whose corners are swapped at first."""
    import tensorflow as tf

    box = keras.Variable(np.array([[0.9, 0.9, 0.7, 0.8]], np.float32))
    optimizer, built = keras.optimizers.Adam(0.02), build_loss(Loss(name=name, delta=1.0))  # type: ignore[arg-type]
    optimizer.build([box])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            value = ops.mean(built(TRUE, box.value))
        optimizer.apply([tape.gradient(value, box.value)], [box])

    for _ in range(300):
        step()
    found = np.sort(np.asarray(box.value).reshape(2, 2), axis=0).reshape(1, 4)
    assert float(mean_iou(TRUE, found)[0]) > 0.8
