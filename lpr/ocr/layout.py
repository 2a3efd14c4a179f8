"""Lines of text on a plate: their order, and which of them are the registration.

Plates carry other lettering beside the registration: names of states, makers and dealers, the mark of a country, the
date until which the plate is valid. The rules here need only the sizes, places and characters of lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_NAME_LETTERS, _OTHER_CHARACTERS = 4, 3  # letters of a name, and characters that the other lines have at least
_MARK_WIDTH, _MARK_HEIGHT = 0.25, 0.75  # fractions of the widest and of the tallest line, below both of which is a mark
_LETTER_HEIGHT = 0.6  # in place of `_MARK_HEIGHT`, of a letter that stands alone
_DATE_WIDTH, _DATE_HEIGHT = 0.5, 0.75  # fractions of the widest and of the tallest line; a date is smaller than both
_SIMILAR_HEIGHT = 0.7  # least ratio of the heights of two lines, one over the other, beside a tall one
_BESIDE = 0.9  # least distance of the centres of lines beside each other, in halves of the sum of their widths
_STACK_HEIGHT = 1.3  # largest height of two such lines together, as a multiple of the tall one's


@dataclass(frozen=True)
class PlacedLine:
    """A line of text: its centre and size in pixels along the plate's own axes, and what was recognized."""

    x: float
    y: float
    width: float
    height: float
    text: str
    confidence: float


def reading_order(one: PlacedLine, other: PlacedLine) -> int:
    """A comparison for sorting, negative where `one` precedes `other`.

    From left to right where the two overlap vertically by half the height of the lower one, else from top to bottom.
    """
    top = max(one.y - one.height / 2, other.y - other.height / 2)
    bottom = min(one.y + one.height / 2, other.y + other.height / 2)
    beside = bottom - top > min(one.height, other.height) / 2
    return int(np.sign(one.x - other.x if beside else one.y - other.y))


def registration_lines(lines: Sequence[PlacedLine], min_height: float) -> list[PlacedLine]:
    """The lines without names of states, makers and dealers, small lettering, marks and dates.

    Args:
        lines: of one plate, in any order, which is kept.
        min_height: a fraction of the height of the tallest line; lower lines are small lettering.
    """
    if not lines:
        return []
    without_names = [line for line in lines if not (line.text.isalpha() and len(line.text) >= _NAME_LETTERS)]
    rest = "".join(line.text for line in without_names)
    if len(rest) >= _OTHER_CHARACTERS and any(map(str.isdigit, rest)):
        lines = without_names
    tallest, widest = max(lines, key=lambda line: line.height), max(line.width for line in lines)
    return [
        line
        for line in lines
        if _is_stacked(line, tallest, lines)
        or (
            line.height >= min_height * tallest.height
            and not _is_mark(line, tallest.height, widest)
            and not _is_date(line, tallest, widest)
        )
    ]


def has_size_of_date(width: float, height: float, widest: float, tallest: float) -> bool:
    """Whether a line is so much narrower and lower than the largest of the plate that it may be a date; pixels.

    Digits of this size below the tallest line are the date until which the plate is valid, as on plates of Indonesia.
    """
    return height < _DATE_HEIGHT * tallest and width < _DATE_WIDTH * widest


def _is_mark(line: PlacedLine, tallest: float, widest: float) -> bool:
    """Whether it is much smaller than the others, such as IND."""
    least = _MARK_HEIGHT if len(line.text) > 1 else _LETTER_HEIGHT
    return line.height < least * tallest and line.width < _MARK_WIDTH * widest


def _is_stacked(line: PlacedLine, tallest: PlacedLine, lines: Sequence[PlacedLine]) -> bool:
    """Whether it and another, one over the other, stand beside the tallest line and are together as high as that."""
    return any(
        (line.y - tallest.y) * (other.y - tallest.y) < 0
        and abs(line.x - other.x) < max(line.width, other.width) / 2
        and min(line.height, other.height) > _SIMILAR_HEIGHT * max(line.height, other.height)
        and all(
            abs(one.x - tallest.x) > (one.width + tallest.width) * _BESIDE / 2
            and abs(one.y - tallest.y) + one.height / 2 < tallest.height * _STACK_HEIGHT / 2
            for one in (line, other)
        )
        for other in lines
    )


def _is_date(line: PlacedLine, tallest: PlacedLine, widest: float) -> bool:
    small = has_size_of_date(line.width, line.height, widest, tallest.height)
    return small and line.text.isdigit() and line.y - line.height / 2 > tallest.y
