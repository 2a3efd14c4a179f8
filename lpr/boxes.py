"""Boxes: corners (top_x, top_y, bottom_x, bottom_y), in pixels in files and between rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BOX_COLUMNS = ["top_x", "top_y", "bottom_x", "bottom_y"]
"""The columns of a table that have the corners of a true box."""
PREDICTED_BOX_COLUMNS = [f"predicted_{column}" for column in BOX_COLUMNS]
"""Those of a predicted box."""
ORIGINAL_BOX_COLUMNS = [f"original_{column}" for column in BOX_COLUMNS]
"""Those of the annotation's box where an override box has replaced it as the true one; else not a number."""

MAX_BOXES_PER_IMAGE = 20
"""The most that a detector finds, and that average precision takes."""


@dataclass(frozen=True)
class Detections:
    """The boxes found in one image, by falling confidence.

    Attributes:
        boxes: float (k, 4): top_x, top_y, bottom_x, bottom_y.
        confidences: float (k,) in 0–1.
    """

    boxes: np.ndarray
    confidences: np.ndarray


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes, pair by pair, in the same unit: (…, 4) and (…, 4) → (…) in 0–1.

    It is 0 where the corners of a box are swapped.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    overlap = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    intersection = overlap.prod(axis=-1)
    areas = [np.clip(box[..., 2:] - box[..., :2], 0, None).prod(axis=-1) for box in (a, b)]
    union = areas[0] + areas[1] - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def pairwise_coverage(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Share of every box of `a`, (n, 4), that lies in every box of `b`, (m, 4): (n, m) in 0–1."""
    a, b = np.asarray(a, float)[:, None, :], np.asarray(b, float)[None, :, :]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.clip(sides, 0, None).prod(axis=-1) / (a[..., 2:] - a[..., :2]).prod(axis=-1)


def pairwise_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of every box of `a`, (n, 4), with every box of `b`, (m, 4): (n, m)."""
    return iou(np.asarray(a)[:, None, :], np.asarray(b)[None, :, :])
