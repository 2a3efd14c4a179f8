"""From the network's output to characters, without TensorFlow."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.ocr.recognizer.channels import characters_and_regions

CONFIDENCE_FLOOR = 0.25
"""Characters with less confidence are left out."""

_LOGIT_FLOOR = math.log(CONFIDENCE_FLOOR / (1 - CONFIDENCE_FLOOR))
_SAME_IOU = 0.35  # two boxes that overlap more are of one character
_SAME_CENTRE = 0.35  # as are two whose centres are nearer, in both directions, as a fraction of the smaller box
_MAX_CHARACTERS = 24  # of a plate


@dataclass(frozen=True)
class Characters:
    """The characters in a crop, in order of falling confidence.

    Attributes:
        boxes: float (k, 4): left, top, right, bottom; pixels.
        confidences: float (k,) in 0–1: that there is a character.
        probabilities: float (k, n) in 0–1: which of the n characters of the network's alphabet it is; each row sums to
            1. Every alphabet begins with `lpr.plates.text.CHARACTERS`.
        regions: float (7,) in 0–1: from which of `lpr.plates.countries.REGIONS` the plate is, as the mean over its
            characters; all 0 where there is none; empty where the network does not tell.
    """

    boxes: np.ndarray
    confidences: np.ndarray
    probabilities: np.ndarray
    regions: np.ndarray = field(default_factory=lambda: np.empty(0))


def decode(outputs: np.ndarray, stride: int, characters: int) -> list[Characters]:
    """The characters of each crop: peaks of the heatmap without duplicates.

    Args:
        outputs: float (n, rows, columns, channels), the output of `lpr.ocr.recognizer.network`.
        stride: pixels of the network's input a cell; the boxes are in these pixels.
        characters: how many the network's alphabet has.
    """
    return [_decode(output, stride, characters) for output in np.asarray(outputs, np.float32)]


def _decode(output: np.ndarray, stride: int, characters: int) -> Characters:
    import cv2

    logits = np.ascontiguousarray(output[..., 0])
    neighbourhood_max = cv2.dilate(logits, np.ones((3, 3), np.uint8))
    peaks = np.argwhere((logits == neighbourhood_max) & (logits >= _LOGIT_FLOOR))
    confidences = 1 / (1 + np.exp(-logits[tuple(peaks.T)].astype(float)))
    order = np.argsort(-confidences, kind="stable")[: 2 * _MAX_CHARACTERS]
    peaks, confidences = peaks[order], confidences[order]
    predicted = output[tuple(peaks.T)].astype(float)
    middles = peaks[:, ::-1] + 0.5
    boxes = np.concatenate([middles - predicted[:, 1:3], middles + predicted[:, 3:5]], axis=1) * stride
    kept = _without_duplicates(boxes)
    labels, regions = map(_softmax, characters_and_regions(predicted[kept], characters))
    shares = confidences[kept] / max(confidences[kept].sum(), 1e-9)
    return Characters(boxes[kept], confidences[kept], labels, shares @ regions)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def _without_duplicates(boxes: np.ndarray) -> list[int]:
    """Indices of boxes (k, 4), of those of one character the first alone; at most `_MAX_CHARACTERS`."""
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6)
    distances = np.abs(centres[:, None] - centres[None])
    near = (distances < _SAME_CENTRE * np.minimum(sizes[:, None], sizes[None])).all(axis=-1)
    same = near | (pairwise_iou(boxes, boxes) > _SAME_IOU)
    kept: list[int] = []
    for index in range(len(boxes)):
        if not same[index, kept].any() and len(kept) < _MAX_CHARACTERS:
            kept.append(index)
    return kept
