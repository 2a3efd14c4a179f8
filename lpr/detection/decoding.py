"""From a heatmap of centres and boxes to plates, without TensorFlow, for Keras's outputs and ONNX Runtime's alike."""

from __future__ import annotations

import math

import cv2
import numpy as np

from lpr.boxes import MAX_BOXES_PER_IMAGE, Detections, iou, pairwise_iou
from lpr.nn.heatmap import MIN_BOX_WEIGHT, box_sigma

MIN_CONFIDENCE = 0.05
"""Boxes of less confidence are dropped."""

_MIN_LOGIT = math.log(MIN_CONFIDENCE / (1 - MIN_CONFIDENCE))
_REACH = 4  # rows and columns of cells on each side of a peak whose boxes are averaged
_NEIGHBOURS = np.argwhere(np.ones((2 * _REACH + 1, 2 * _REACH + 1))) - _REACH  # (cells, 2: row, column)
_NMS_IOU = 0.4  # of two boxes that overlap more, one is suppressed


def decode_heatmap(outputs: np.ndarray, stride: int) -> list[Detections]:
    """The plates of each image of a batch: the peaks of the heatmap, each with the mean of the boxes around it.

    Args:
        outputs: float (n, rows, columns, 5): a logit of a centre, and the distances from the cell's middle to the left,
            top, right and bottom side, in cells.
        stride: pixels a cell.

    Returns:
        Boxes in pixels of the images, by falling confidence, at most `MAX_BOXES_PER_IMAGE`.
    """
    found = []
    for output in np.asarray(outputs, np.float32):
        logits = np.ascontiguousarray(output[..., 0])
        highest = cv2.dilate(logits, np.ones((3, 3), np.uint8))  # of the cell and the eight around it
        peaks = np.argwhere((logits == highest) & (logits >= _MIN_LOGIT))
        confidences = 1 / (1 + np.exp(-logits[tuple(peaks.T)].astype(float)))
        order = np.argsort(-confidences, kind="stable")[: 3 * MAX_BOXES_PER_IMAGE]
        boxes = _boxes_at(output[..., 1:], peaks[order])
        found.append(non_maximum_suppression(Detections(boxes * stride, confidences[order])))
    return found


def _boxes_at(distances: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """The box at each peak, (k, 2: row, column) → (k, 4), in cells: the mean of those of the cells near its centre.

    They weigh by the same Gaussian as in training, where each of them learned the box. A cell whose box overlaps the
    peak's by less than half predicts another plate, and is left out.
    """
    cells = peaks[:, None] + _NEIGHBOURS  # (k, cells, 2)
    exists = ((cells >= 0) & (cells < distances.shape[:2])).all(axis=-1)
    cells = cells.clip(0, np.array(distances.shape[:2]) - 1)
    sides, middles = distances[cells[..., 0], cells[..., 1]].astype(float), cells[..., ::-1] + 0.5
    boxes = np.concatenate([middles - sides[..., :2], middles + sides[..., 2:]], axis=-1)
    at_peak = boxes[:, len(_NEIGHBOURS) // 2]
    offset = middles - (at_peak[:, None, :2] + at_peak[:, None, 2:]) / 2
    offset = offset / box_sigma(at_peak[:, 2:] - at_peak[:, :2])[:, None]
    weight = np.exp(-(offset**2).sum(axis=-1) / 2)
    weight *= exists & (weight > MIN_BOX_WEIGHT) & (iou(boxes, at_peak[:, None]) > 0.5)
    total = weight.sum(axis=1, keepdims=True)
    mean: np.ndarray = (boxes * weight[..., None]).sum(axis=1) / np.maximum(total, 1e-9)
    return np.where(total > 0, mean, at_peak)


def non_maximum_suppression(found: Detections) -> Detections:
    """Of boxes that overlap, the most confident (greedy suppression); at most `MAX_BOXES_PER_IMAGE`."""
    order = np.argsort(-found.confidences, kind="stable")
    boxes = found.boxes[order]
    overlapping = pairwise_iou(boxes, boxes) > _NMS_IOU
    remaining = np.ones(len(order), bool)
    kept: list[int] = []
    for index in range(len(order)):
        if remaining[index] and len(kept) < MAX_BOXES_PER_IMAGE:
            kept.append(index)
            remaining &= ~overlapping[index]
    return Detections(boxes[kept], found.confidences[order][kept])
