"""From a network's output to plates, in NumPy alone: the same for Keras while evaluating and for ONNX in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lpr.boxes import iou

FLOOR = 0.05  # least confidence of a plate that is worth keeping
MOST = 20  # plates a picture
LEAST_WEIGHT = 0.1  # of a cell that says a plate's box
_REACH = 4  # cells from the peak to those that have a say
_NMS_IOU = 0.4  # two plates that overlap more are one


@dataclass(frozen=True)
class Plates:
    """The plates found in one picture, the most confident first.

    Attributes:
        boxes: float (k, 4): top_x, top_y, bottom_x, bottom_y.
        confidences: float (k,) in 0–1.
    """

    boxes: np.ndarray
    confidences: np.ndarray


def decode_corners(outputs: np.ndarray) -> list[Plates]:
    """Outputs of the seed's networks, (n, 4) corners: one plate a picture, for better or worse.

    A box is the one between the two corners, whichever comes first.
    """
    corners = np.sort(np.asarray(outputs, float).reshape(-1, 2, 2), axis=1).reshape(-1, 1, 4)
    return [Plates(boxes, np.ones(1)) for boxes in corners]


def decode_centers(outputs: np.ndarray, stride: int) -> list[Plates]:
    """Outputs of the centre detector, (n, rows, columns, 5), as `lpr.detector.center` has them; boxes in its pixels."""
    found = []
    for output in np.asarray(outputs, np.float32):
        heat = 1 / (1 + np.exp(-output[..., 0].astype(float)))
        padded = np.pad(heat, 1)
        around = [padded[r : r + heat.shape[0], c : c + heat.shape[1]] for r in range(3) for c in range(3)]
        peaks = np.argwhere((heat >= np.max(around, axis=0)) & (heat >= FLOOR))
        boxes = np.array([_box_at(output[..., 1:], *peak) for peak in peaks.tolist()]).reshape(-1, 4)
        found.append(suppress(Plates(boxes * stride, heat[tuple(peaks.T)])))
    return found


def _box_at(sides: np.ndarray, row: int, column: int) -> np.ndarray:
    """The box at a peak, in cells: the mean of what the cells near the centre say, which were all taught it.

    They weigh as they did in training; a cell whose box is another plate's does not count.
    """
    top, left = max(row - _REACH, 0), max(column - _REACH, 0)
    near = sides[top : row + _REACH + 1, left : column + _REACH + 1].astype(float)
    rows, columns = np.indices(near.shape[:2]) + 0.5
    middles = np.stack([columns + left, rows + top], axis=-1)
    boxes = np.concatenate([middles - near[..., :2], middles + near[..., 2:]], axis=-1)
    peak = boxes[row - top, column - left]
    away = (middles - (peak[:2] + peak[2:]) / 2) / spread_of_box(peak[2:] - peak[:2])
    weight = np.exp(-(away**2).sum(axis=-1) / 2)
    weight *= (weight > LEAST_WEIGHT) & (iou(boxes, peak) > 0.5)
    if not weight.any():
        return peak
    mean: np.ndarray = (boxes * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
    return mean


def spread_of_box(sides: Any) -> Any:
    """Standard deviation, around a plate's centre, of the weight of the cells that say its box; all in cells."""
    return (sides**2 * 0.15**2 + 0.6**2) ** 0.5


def suppress(plates: Plates) -> Plates:
    """Of plates that overlap, the most confident alone (greedy non-maximum suppression); at most `MOST`."""
    order = np.argsort(-plates.confidences, kind="stable")
    kept: list[int] = []
    for index in order:
        if len(kept) == MOST:
            break
        if not kept or iou(plates.boxes[kept], plates.boxes[index][None]).max() <= _NMS_IOU:
            kept.append(int(index))
    return Plates(plates.boxes[kept], plates.confidences[kept])
