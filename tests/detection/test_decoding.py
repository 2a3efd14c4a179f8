"""From outputs to plates: peaks of a heatmap, and non-maximum suppression."""

import numpy as np

from lpr.boxes import MAX_BOXES_PER_IMAGE, Detections
from lpr.detection.decoding import MIN_CONFIDENCE, decode_heatmap, non_maximum_suppression


def outputs(*peaks: tuple[int, int, float], background: float = -8.0) -> np.ndarray:
    """A grid of 16 × 16 cells, which predict a box of 4 × 2 cells around the nearest peak (row, column, logit)."""
    result = np.zeros((1, 16, 16, 5), np.float32)
    result[..., 0] = background
    rows, columns = np.indices((16, 16)) + 0.5
    for row, column, logit in peaks:
        result[0, row, column, 0] = logit
    middles = np.array([(column + 0.5, row + 0.5) for row, column, _ in peaks])
    away = (columns[..., None] - middles[:, 0]) ** 2 + (rows[..., None] - middles[:, 1]) ** 2
    x, y = np.moveaxis(middles[away.argmin(axis=-1)], -1, 0)
    result[0, ..., 1:] = np.stack([columns - x + 2, rows - y + 1, x + 2 - columns, y + 1 - rows], axis=-1)
    return result


def test_every_peak_is_a_plate_in_pixels() -> None:
    (found,) = decode_heatmap(outputs((4, 4, 1.0), (11, 9, 3.0)), stride=8)
    np.testing.assert_allclose(found.boxes, [[60, 84, 92, 100], [20, 28, 52, 44]])
    np.testing.assert_allclose(found.confidences, 1 / (1 + np.exp([-3.0, -1.0])))


def test_a_cell_beside_a_higher_one_is_no_peak() -> None:
    (found,) = decode_heatmap(outputs((4, 4, 1.0), (4, 5, 3.0)), stride=8)
    assert len(found.boxes) == 1


def test_little_confidence_is_no_plate() -> None:
    threshold = np.log(MIN_CONFIDENCE / (1 - MIN_CONFIDENCE))
    assert len(decode_heatmap(outputs((4, 4, threshold + 0.01)), stride=8)[0].boxes) == 1
    assert len(decode_heatmap(outputs((4, 4, threshold - 0.01)), stride=8)[0].boxes) == 0


def test_of_overlapping_boxes_the_most_confident_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 5], [1, 0, 11, 5], [20, 0, 30, 5]], float)
    kept = non_maximum_suppression(Detections(boxes, np.array([0.5, 0.9, 0.3])))
    assert kept.confidences.tolist() == [0.9, 0.3]
    assert kept.boxes.tolist() == [boxes[1].tolist(), boxes[2].tolist()]


def test_so_many_boxes_are_kept_and_no_more() -> None:
    count = MAX_BOXES_PER_IMAGE + 5
    boxes = np.array([[20 * number, 0, 20 * number + 10, 5] for number in range(count)], float)
    kept = non_maximum_suppression(Detections(boxes, np.linspace(0.1, 0.9, count)))
    assert len(kept.boxes) == MAX_BOXES_PER_IMAGE
    assert kept.confidences.min() > np.linspace(0.1, 0.9, count)[4]
