"""The targets of a heatmap: its peaks, and the weights by which cells learn boxes."""

import numpy as np
import pytest
from keras import ops

from lpr.nn.heatmap import box_targets, center_targets, distances_to_boxes, focal_loss, weighted_mean

GRID = 32
BOXES = np.zeros((2, 3, 4), np.float32)
BOXES[0, 0], BOXES[0, 1] = [0.2, 0.3, 0.5, 0.4], [0.6, 0.6, 0.8, 0.65]
BOXES[1, 0] = [0.1, 0.1, 0.9, 0.9]


def targets(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heatmap, weights and boxes, cell by cell."""
    heatmap, box_weights = center_targets(ops.convert_to_tensor(boxes), (GRID, GRID))
    weights, cell_boxes = box_targets(box_weights, ops.convert_to_tensor(boxes))
    return np.asarray(heatmap), np.asarray(weights), np.asarray(cell_boxes)


def test_every_plate_is_a_peak_of_the_heatmap_and_weighs_the_same() -> None:
    heatmap, weights, _ = targets(BOXES)
    assert (heatmap > 0.9999).sum(axis=(1, 2)).tolist() == [2, 1]
    np.testing.assert_allclose(weights.sum(axis=(1, 2)), [2, 1], atol=1e-5)
    assert heatmap[0, 11, 11] > 0.9999  # the middle of the first plate, at (0.35, 0.35)


def test_cells_learn_the_box_whose_centre_they_are_near() -> None:
    _, weights, boxes = targets(BOXES)
    np.testing.assert_array_equal(boxes[0, 11, 11], BOXES[0, 0])
    np.testing.assert_array_equal(boxes[0, 20, 22], BOXES[0, 1])
    assert weights[0, 11, 11] == weights[0, :16].max()


def test_an_image_without_plates_has_no_targets() -> None:
    heatmap, weights, _ = targets(np.zeros((1, 3, 4), np.float32))
    assert heatmap.max() == weights.max() == 0


def test_distances_are_those_from_the_middle_of_a_cell() -> None:
    distances = np.full((1, 4, 8, 4), 0.5, np.float32)
    boxes = np.asarray(distances_to_boxes(ops.convert_to_tensor(distances)))
    np.testing.assert_allclose(boxes[0, 1, 2], [2 / 8, 1 / 4, 3 / 8, 2 / 4])


def test_the_focal_loss_by_hand() -> None:
    """A centre of probability ½ and a cell of target ½ and probability ½: CenterNet's α is 2, its β is 4."""
    heatmap, logits = np.array([[[1.0, 0.5]]], np.float32), np.zeros((1, 1, 2), np.float32)
    assert float(focal_loss(heatmap, logits)[0]) == pytest.approx(np.log(2) / 4 * (1 + 1 / 16), rel=1e-5)


def test_the_weighted_mean_of_nothing_is_zero() -> None:
    values = np.ones((1, 2, 2), np.float32)
    assert float(weighted_mean(values, np.zeros_like(values))[0]) == 0
    assert float(weighted_mean(values, np.full_like(values, 0.3))[0]) == pytest.approx(1)
