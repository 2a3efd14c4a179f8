"""From characters to the lines of text in which they stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpr.ocr.layout import has_size_of_date
from lpr.ocr.recognizer.decoding import Characters

_SLOPES = np.linspace(-0.8, 0.8, 65)  # candidates for the slope of lines
_LINE_COST, _SLOPE_COST = 0.75, 0.02  # of a line and of a slope of 1, in heights of a character
_TALL = 1.3  # least height of a line that is as high as two lines beside it, as a multiple of theirs
# Fraction of the tall line's height: its centres deviate less from its axis, those of the two lines beside it more.
_MAX_DEVIATION = 0.12
_GROUP_GAP = 0.2  # of a character's height: how much wider a gap between two groups is than those within groups


@dataclass(frozen=True)
class Layout:
    """The lines of characters.

    Attributes:
        slope: of the lines, which are parallel: pixels downwards for every pixel to the right.
        lines: indices of characters, a line an array, from left to right; lines from top to bottom.
    """

    slope: float
    lines: list[np.ndarray]


def find_layout(boxes: np.ndarray) -> Layout:
    """The lines in which characters stand.

    Of all slopes, it is the one along which the characters of a line differ least in height above it; a line ends where
    the next character is lower by more than half a character. Two small lines beside a tall one come before it, or
    after it, as they stand.

    Args:
        boxes: float (k, 4), pixels.
    """
    if not len(boxes):
        return Layout(0.0, [])
    centres, heights = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 3] - boxes[:, 1]
    return _two_beside_one(centres, heights) or _rows(centres, float(np.median(heights)))


def _rows(centres: np.ndarray, height: float) -> Layout:
    """Lines one below the other, of characters of this height with these centres (k, 2)."""
    levels = centres[:, 1] - _SLOPES[:, None] * centres[:, 0]  # (slopes, characters)
    order = np.argsort(levels, axis=1, kind="stable")
    levels = np.take_along_axis(levels, order, axis=1)
    breaks = np.diff(levels, axis=1) > height / 2  # before the first character of the next line
    line = np.zeros_like(order)
    np.cumsum(breaks, axis=1, out=line[:, 1:])
    label = line + np.arange(len(_SLOPES))[:, None] * len(centres)  # a number for each line of each slope
    means = np.bincount(label.ravel(), levels.ravel()) / np.maximum(np.bincount(label.ravel()), 1)
    # A slope that splits a line has less deviation in each part, so every line costs as much as a split could save.
    deviation = np.abs(levels - means[label]).sum(axis=1)
    best = int(np.argmin(deviation + (_LINE_COST * (line[:, -1] + 1) + _SLOPE_COST * np.abs(_SLOPES)) * height))
    lines = np.split(order[best], np.flatnonzero(breaks[best]) + 1)
    return Layout(float(_SLOPES[best]), [line[np.argsort(centres[line, 0], kind="stable")] for line in lines])


def _two_beside_one(centres: np.ndarray, heights: np.ndarray) -> Layout | None:
    """The lines of a plate on which two small ones stand beside a tall one; None of another plate."""
    if heights.max() <= _TALL * heights.min():
        return None
    order = np.argsort(centres[:, 0], kind="stable")
    for cut in range(2, len(order) - 1):
        left, right = order[:cut], order[cut:]
        small, tall = (left, right) if heights[left[0]] < heights[right[0]] else (right, left)
        if heights[tall].min() <= heights[small].max():
            continue
        height = float(np.median(heights[tall]))
        if height <= _TALL * np.median(heights[small]):
            continue
        offsets = centres - centres[tall].mean(axis=0)
        x, y = offsets[tall].T
        slope = float(x @ y / max(x @ x, 1e-6))  # of the tall line: least squares
        deviations = (offsets[:, 1] - slope * offsets[:, 0]) / height
        above, below = small[deviations[small] < 0], small[deviations[small] > 0]
        straight = np.abs(deviations[tall]).max() < _MAX_DEVIATION
        if straight and len(above) and len(below) and np.abs(deviations[small]).min() > _MAX_DEVIATION:
            return Layout(slope, [above, below, tall] if small is left else [tall, above, below])
    return None


def group_sizes(boxes: np.ndarray) -> list[int]:
    """The numbers of characters before each wide gap of a line, whose boxes (k, 4) are sorted from left to right."""
    gaps = boxes[1:, 0] - boxes[:-1, 2]
    usual = max(float(np.median(gaps)), 0.0) if len(gaps) > 2 else 0.0
    wide = np.flatnonzero(gaps > usual + _GROUP_GAP * float(np.median(boxes[:, 3] - boxes[:, 1]))) + 1
    return np.diff([0, *wide, len(boxes)]).tolist()


def without_dates(characters: Characters, layout: Layout) -> Layout:
    """The layout without lines of digits below the tallest line that have the size of a date."""
    boxes, lines = characters.boxes, layout.lines
    if len(lines) < 2:
        return layout
    widths = [float(boxes[line, 2].max() - boxes[line, 0].min()) for line in lines]
    heights = [float(np.median(boxes[line, 3] - boxes[line, 1])) for line in lines]
    tallest = int(np.argmax(heights))
    digits = characters.probabilities.argmax(axis=1) < 10  # the first ten of `CHARACTERS`
    kept = [
        line
        for number, line in enumerate(lines)
        if number <= tallest
        or not digits[line].all()
        or not has_size_of_date(widths[number], heights[number], max(widths), heights[tallest])
    ]
    return Layout(layout.slope, kept)


def shear(slope: float) -> np.ndarray:
    """The matrix (2, 2) that levels lines of a plate that is seen from the side, whose letters stay upright."""
    return np.array([[1, 0], [-slope, 1]])


def rotation(slope: float) -> np.ndarray:
    """The matrix (2, 2) that levels lines of a plate that is turned in the image, and its letters with it."""
    angle = np.arctan(slope)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def level_lines(image: np.ndarray, boxes: np.ndarray, matrix: np.ndarray, margins: tuple[float, float]) -> np.ndarray:
    """The part of an image that has these characters, with their lines made level.

    Args:
        image: uint8 (h, w, 3).
        boxes: float (k, 4), pixels of it.
        matrix: (2, 2), the `shear` or `rotation` of the slope of the characters' lines.
        margins: left and right of the characters, and above and below them, as fractions of their height.

    Returns:
        uint8 (height, width, 3).
    """
    import cv2

    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix.T, (boxes[:, 2:] - boxes[:, :2]) / 2
    margins_px = np.array(margins) * float(np.median(2 * halves[:, 1]))
    first = (centres - halves).min(axis=0) - margins_px
    last = (centres + halves).max(axis=0) + margins_px
    size = [max(1, round(side)) for side in (last - first).tolist()]
    placed = np.column_stack([matrix, -first])
    return cv2.warpAffine(image, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
