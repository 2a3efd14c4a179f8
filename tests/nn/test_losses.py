"""The losses and the overlap, on boxes whose values are known by hand."""

import math

import keras
import numpy as np
import pytest

from lpr.config import Loss
from lpr.nn.losses import build_loss, mean_iou

TRUE = np.array([[0.2, 0.2, 0.6, 0.4]], np.float32)


def loss(name: str, predicted: list[float], delta: float = 1.0) -> float:
    built = build_loss(Loss(name=name, delta=delta))  # type: ignore[arg-type]
    return float(np.mean(built(TRUE, np.array([predicted], np.float32))))


def test_an_exact_box_has_no_loss_and_full_overlap() -> None:
    assert [loss(name, TRUE[0].tolist()) for name in ("mse", "mae", "huber", "giou", "ciou")] == pytest.approx(
        [0] * 5, abs=1e-6
    )
    assert float(mean_iou(TRUE, TRUE)[0]) == pytest.approx(1)


def test_half_the_box_has_half_the_overlap() -> None:
    half = [0.2, 0.2, 0.4, 0.4]
    assert float(mean_iou(TRUE, np.array([half], np.float32))[0]) == pytest.approx(0.5, abs=1e-6)
    assert loss("giou", half) == pytest.approx(0.5, abs=1e-6)  # the enclosing box is the true one
    assert loss("mse", half) == pytest.approx(0.2**2 / 4, abs=1e-7)
    assert loss("mae", half) == pytest.approx(0.05, abs=1e-7)
    assert loss("huber", half, delta=0.1) == pytest.approx(0.1 * (0.2 - 0.05) / 4, abs=1e-7)


def test_boxes_apart_are_pulled_together_by_giou_alone() -> None:
    near, far = [0.6, 0.2, 1.0, 0.4], [0.6, 0.6, 1.0, 0.8]
    assert loss("giou", near) == pytest.approx(1, abs=1e-6)  # they touch: no overlap, nothing of the hull left over
    assert loss("giou", far) == pytest.approx(1 + (0.48 - 0.16) / 0.48, abs=1e-6)  # a hull of 0.8 by 0.6
    assert float(mean_iou(TRUE, np.array([far], np.float32))[0]) == 0


def test_ciou_counts_distance_and_shape() -> None:
    shifted, square = [0.4, 0.2, 0.8, 0.4], [0.3, 0.2, 0.5, 0.4]
    assert loss("ciou", shifted) == pytest.approx(1 - 1 / 3 + 0.2**2 / (0.6**2 + 0.2**2), abs=1e-6)  # of one shape
    shape = 4 / math.pi**2 * (math.atan(2) - math.atan(1)) ** 2  # of one centre
    assert loss("ciou", square) == pytest.approx(0.5 + shape**2 / (0.5 + shape), abs=1e-6)


@pytest.mark.parametrize("name", ["giou", "ciou"])
def test_a_training_moves_a_box_onto_the_true_one(name: str) -> None:
    """Also one whose corners begin the wrong way round."""
    box = keras.Variable(np.array([[0.9, 0.9, 0.7, 0.8]], np.float32))
    optimizer, built = keras.optimizers.Adam(0.02), build_loss(Loss(name=name, delta=1.0))  # type: ignore[arg-type]
    import tensorflow as tf

    for _ in range(300):
        with tf.GradientTape() as tape:
            value = keras.ops.mean(built(TRUE, box.value))
        optimizer.apply([tape.gradient(value, box.value)], [box])
    found = np.sort(np.asarray(box.value).reshape(2, 2), axis=0).reshape(1, 4)
    assert float(mean_iou(TRUE, found)[0]) > 0.8
