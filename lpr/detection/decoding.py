"""From a network's output to plates, without TensorFlow: the same for Keras while evaluating and for ONNX in use."""

from __future__ import annotations

import math

import cv2
import numpy as np

from lpr.boxes import MAX_BOXES_PER_IMAGE, Detections, iou, pairwise_iou
from lpr.nn.heatmap import MIN_BOX_WEIGHT, box_sigma

MIN_CONFIDENCE = 0.05  # least confidence of a plate that is worth keeping
_MIN_LOGIT = math.log(MIN_CONFIDENCE / (1 - MIN_CONFIDENCE))
_REACH = 4  # cells from the peak to those that have a say
_AROUND = np.argwhere(np.ones((2 * _REACH + 1, 2 * _REACH + 1))) - _REACH  # (cells, 2: row, column)
_NMS_IOU = 0.4  # two plates that overlap more are one


def decode_heatmap(outputs: np.ndarray, stride: int) -> list[Detections]:
    """Outputs of the centre detector, (n, rows, columns, 5), as `lpr.detection.families.centernet` has them; boxes in its pixels."""
    found = []
    for output in np.asarray(outputs, np.float32):
        logits = np.ascontiguousarray(output[..., 0])
        highest = cv2.dilate(logits, np.ones((3, 3), np.uint8))  # of the cell and the eight around it
        peaks = np.argwhere((logits == highest) & (logits >= _MIN_LOGIT))
        confidences = 1 / (1 + np.exp(-logits[tuple(peaks.T)].astype(float)))
        surest = np.argsort(-confidences, kind="stable")[: 3 * MAX_BOXES_PER_IMAGE]
        boxes = _boxes_at(output[..., 1:], peaks[surest])
        found.append(suppress(Detections(boxes * stride, confidences[surest])))
    return found


def _boxes_at(sides: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """The box at each peak (k, 2: row, column), in cells (k, 4): the mean of what cells near its centre say of it.

    They weigh as they did in training, where all were taught the box; one whose box is another plate's does not count.
    """
    cells = peaks[:, None] + _AROUND  # (k, cells, 2)
    there = ((cells >= 0) & (cells < sides.shape[:2])).all(axis=-1)
    cells = cells.clip(0, np.array(sides.shape[:2]) - 1)
    said, middles = sides[cells[..., 0], cells[..., 1]].astype(float), cells[..., ::-1] + 0.5
    boxes = np.concatenate([middles - said[..., :2], middles + said[..., 2:]], axis=-1)
    own = boxes[:, len(_AROUND) // 2]
    away = (middles - (own[:, None, :2] + own[:, None, 2:]) / 2) / box_sigma(own[:, 2:] - own[:, :2])[:, None]
    weight = np.exp(-(away**2).sum(axis=-1) / 2)
    weight *= there & (weight > MIN_BOX_WEIGHT) & (iou(boxes, own[:, None]) > 0.5)
    total = weight.sum(axis=1, keepdims=True)
    mean: np.ndarray = (boxes * weight[..., None]).sum(axis=1) / np.maximum(total, 1e-9)
    return np.where(total > 0, mean, own)


def suppress(plates: Detections) -> Detections:
    """Of plates that overlap, the most confident alone (greedy non-maximum suppression); at most `MAX_BOXES_PER_IMAGE`."""
    order = np.argsort(-plates.confidences, kind="stable")
    boxes = plates.boxes[order]
    overlapping = pairwise_iou(boxes, boxes) > _NMS_IOU
    left = np.ones(len(order), bool)
    kept: list[int] = []
    for index in range(len(order)):
        if left[index] and len(kept) < MAX_BOXES_PER_IMAGE:
            kept.append(index)
            left &= ~overlapping[index]
    return Detections(boxes[kept], plates.confidences[order][kept])
