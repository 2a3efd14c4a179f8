"""From the network's output to characters, and from characters to lines of text, without TensorFlow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lpr.boxes import pairwise_iou

FLOOR = 0.25  # least confidence of a character
_FLOOR_LOGIT = math.log(FLOOR / (1 - FLOOR))
_SAME_IOU = 0.35  # two characters that overlap more are one
_SAME_PLACE = 0.35  # or whose centres are so near, of the smaller one's width and height
_SLOPES = np.linspace(-0.8, 0.8, 65)  # of lines, that are tried
_MOST = 24  # characters a plate
_TALLER = 1.3  # than the letters of two lines beside it, at least, is a line that is as high as both
_ASIDE = 0.12  # of its height: its characters' middles lie less over or under its own, those of the two lines more
_GAP = 0.2  # of a character's height, what a gap between two groups has more than those within them
DATE_WIDTH, DATE_HEIGHT = 0.5, 0.75  # of the widest and the tallest line; digits under that, below both, are a date


@dataclass(frozen=True)
class Characters:
    """What was found in a crop, the surest first.

    Attributes:
        boxes: float (k, 4): left, top, right, bottom, pixels of the crop as it was shown.
        confidences: float (k,) in 0–1: that there is a character.
        chances: float (k, 36) in 0–1: which of `lpr.plates.text.CHARACTERS` it is, each row 1 in sum.
    """

    boxes: np.ndarray
    confidences: np.ndarray
    chances: np.ndarray


def decode(outputs: np.ndarray, stride: int) -> list[Characters]:
    """Outputs (n, rows, columns, 41), as `lpr.ocr.recognizer.network` has them, `stride` pixels of a crop a cell."""
    return [_decode(output.astype(float), stride) for output in np.asarray(outputs, np.float32)]


def _decode(output: np.ndarray, stride: int) -> Characters:
    logits = np.ascontiguousarray(output[..., 0], np.float32)
    highest = cv2.dilate(logits, np.ones((3, 3), np.uint8))
    peaks = np.argwhere((logits == highest) & (logits >= _FLOOR_LOGIT))
    confidences = 1 / (1 + np.exp(-logits[tuple(peaks.T)].astype(float)))
    order = np.argsort(-confidences, kind="stable")[: 2 * _MOST]
    peaks, confidences = peaks[order], confidences[order]
    said = output[tuple(peaks.T)]
    middles = peaks[:, ::-1] + 0.5
    boxes = np.concatenate([middles - said[:, 1:3], middles + said[:, 3:5]], axis=1) * stride
    kept = _distinct(boxes)
    chances = np.exp(said[:, 5:] - said[:, 5:].max(axis=1, keepdims=True, initial=-np.inf))
    chances /= chances.sum(axis=1, keepdims=True)
    return Characters(boxes[kept], confidences[kept], chances[kept])


def _distinct(boxes: np.ndarray) -> list[int]:
    """Of boxes that show the same character, the first alone; at most `_MOST`."""
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6)
    apart = np.abs(centres[:, None] - centres[None])
    near = (apart < _SAME_PLACE * np.minimum(sides[:, None], sides[None])).all(axis=-1)
    same = near | (pairwise_iou(boxes, boxes) > _SAME_IOU)
    kept: list[int] = []
    for index in range(len(boxes)):
        if not same[index, kept].any() and len(kept) < _MOST:
            kept.append(index)
    return kept


@dataclass(frozen=True)
class Layout:
    """How characters stand.

    Attributes:
        slope: of their lines: how much lower a line is for every pixel to the right.
        lines: from top to bottom; each as places of characters, from left to right.
    """

    slope: float
    lines: list[np.ndarray]


def lay_out(boxes: np.ndarray) -> Layout:
    """The lines that characters (k, 4) stand in.

    Lines are parallel. Of the slopes that they may have, it is the one along which characters of a line differ least in
    height above it; a line ends where the next character is lower by more than half a character. Two small lines beside
    a tall one are read before it, or after it, as they stand.
    """
    if not len(boxes):
        return Layout(0.0, [])
    centres, heights = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 3] - boxes[:, 1]
    return _stacked(centres, heights) or _in_rows(centres, float(np.median(heights)))


def _in_rows(centres: np.ndarray, height: float) -> Layout:
    """The lines one under the other that characters of this height with these centres (k, 2) stand in."""
    level = centres[:, 1] - _SLOPES[:, None] * centres[:, 0]  # (slopes, characters)
    order = np.argsort(level, axis=1, kind="stable")
    level = np.take_along_axis(level, order, axis=1)
    lower = np.diff(level, axis=1) > height / 2  # where the next line begins
    line = np.pad(np.cumsum(lower, axis=1), [(0, 0), (1, 0)])
    own = line + np.arange(len(_SLOPES))[:, None] * len(centres)  # a number for each line of each slope
    middles = np.bincount(own.ravel(), level.ravel()) / np.maximum(np.bincount(own.ravel()), 1)
    # A slope that tears a line apart leaves less spread in each part: every line costs as much as it could save.
    spread = np.abs(level - middles[own]).sum(axis=1)
    best = int(np.argmin(spread + (0.75 * (line[:, -1] + 1) + 0.02 * np.abs(_SLOPES)) * height))
    lines = np.split(order[best], np.flatnonzero(lower[best]) + 1)
    return Layout(float(_SLOPES[best]), [line[np.argsort(centres[line, 0], kind="stable")] for line in lines])


def _stacked(centres: np.ndarray, heights: np.ndarray) -> Layout | None:
    """The lines of a plate on which two small ones stand beside a tall one; None of another."""
    order = np.argsort(centres[:, 0], kind="stable")
    for cut in range(2, len(order) - 1):
        left, right = order[:cut], order[cut:]
        small, tall = (left, right) if heights[left[0]] < heights[right[0]] else (right, left)
        if heights[tall].min() <= heights[small].max():
            continue
        high = float(np.median(heights[tall]))
        if high <= _TALLER * np.median(heights[small]):
            continue
        apart = centres - centres[tall].mean(axis=0)
        x, y = apart[tall].T
        slope = float(x @ y / max(x @ x, 1e-6))  # of the tall line: least squares
        aside = (apart[:, 1] - slope * apart[:, 0]) / high
        above, below = small[aside[small] < 0], small[aside[small] > 0]
        one_line = np.abs(aside[tall]).max() < _ASIDE
        if one_line and len(above) and len(below) and np.abs(aside[small]).min() > _ASIDE:
            return Layout(slope, [above, below, tall] if small is left else [tall, above, below])
    return None


def group_sizes(boxes: np.ndarray) -> list[int]:
    """How many of a line's characters (k, 4), from left to right, stand together before each gap."""
    gaps = boxes[1:, 0] - boxes[:-1, 2]
    usual = max(float(np.median(gaps)), 0.0) if len(gaps) > 2 else 0.0
    wide = np.flatnonzero(gaps > usual + _GAP * float(np.median(boxes[:, 3] - boxes[:, 1]))) + 1
    return np.diff([0, *wide, len(boxes)]).tolist()


def undated(found: Characters, layout: Layout) -> Layout:
    """Without lines of digits under the tallest line that are lower and narrower: until when the plate is valid."""
    lines = layout.lines
    if len(lines) < 2:
        return layout
    widths = [float(found.boxes[line, 2].max() - found.boxes[line, 0].min()) for line in lines]
    heights = [float(np.median(found.boxes[line, 3] - found.boxes[line, 1])) for line in lines]
    main = int(np.argmax(heights))
    digits = found.chances.argmax(axis=1) < 10  # as `CHARACTERS` has them
    kept = [
        line
        for number, line in enumerate(lines)
        if number <= main
        or not digits[line].all()
        or heights[number] >= DATE_HEIGHT * heights[main]
        or widths[number] >= DATE_WIDTH * max(widths)
    ]
    return Layout(layout.slope, kept)
