"""From a network's output to plates, in NumPy alone: the same for Keras while evaluating and for ONNX in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLOOR = 0.05  # least confidence of a plate that is worth keeping
MOST = 20  # plates a picture
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
        rows, columns = np.nonzero((heat >= np.max(around, axis=0)) & (heat >= FLOOR))
        middles = np.stack([columns, rows], axis=1) + 0.5
        sides = output[rows, columns, 1:].astype(float)
        boxes = np.concatenate([middles - sides[:, :2], middles + sides[:, 2:]], axis=1) * stride
        found.append(suppress(Plates(boxes, heat[rows, columns])))
    return found


def suppress(plates: Plates) -> Plates:
    """Of plates that overlap, the most confident alone (greedy non-maximum suppression); at most `MOST`."""
    from lpr.boxes import iou

    order = np.argsort(-plates.confidences, kind="stable")
    kept: list[int] = []
    for index in order:
        if len(kept) == MOST:
            break
        if not kept or iou(plates.boxes[kept], plates.boxes[index][None]).max() <= _NMS_IOU:
            kept.append(int(index))
    return Plates(plates.boxes[kept], plates.confidences[kept])
