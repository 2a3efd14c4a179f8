"""From characters to lines of text."""

import math
from itertools import chain, pairwise

import cv2
import numpy as np
import pytest

from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.layout import Layout, find_layout, group_sizes, level_lines, rotation, shear, without_dates
from lpr.plates.text import CHARACTERS


@pytest.mark.parametrize("degrees", [-15, -5, 0, 8, 18])
@pytest.mark.parametrize("lines", [(10,), (4, 6), (2, 2, 4), (6, 2)])
def test_lines_are_found_from_top_to_bottom_whatever_the_slope(lines: tuple[int, ...], degrees: float) -> None:
    centres = np.array(
        [(20 + 150 / max(lines) * column, 30 * row) for row, count in enumerate(lines) for column in range(count)]
    )
    angle = math.radians(degrees)
    rotated = centres @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    half = np.array([5, 10])
    boxes = np.hstack([rotated - half, rotated + half])
    shuffled = np.random.default_rng(0).permutation(len(boxes))
    layout = find_layout(boxes[shuffled])
    found = [shuffled[line].tolist() for line in layout.lines]
    starts = np.cumsum([0, *lines])
    assert found == [list(range(start, end)) for start, end in pairwise(starts)]
    assert layout.slope == pytest.approx(math.tan(angle), abs=0.06)


def line_of(text: str, left: float, top: float, height: float) -> tuple[list[list[float]], list[int]]:
    """The boxes of a line's characters, half as wide as high, and their indices in `CHARACTERS`."""
    boxes = [
        [left + 0.6 * height * i, top, left + 0.6 * height * i + 0.5 * height, top + height] for i in range(len(text))
    ]
    return boxes, [CHARACTERS.index(character) for character in text]


def characters_of(lines: list[tuple[str, int, int, int]], slope: float = 0) -> Characters:
    """Lines as of `line_of`, with this slope."""
    boxes, labels = (
        list(chain.from_iterable(parts)) for parts in zip(*(line_of(*line) for line in lines), strict=True)
    )
    sloping = np.array(boxes) + slope * np.mean(np.array(boxes)[:, [0, 2]], axis=1, keepdims=True) * [0, 1, 0, 1]
    return Characters(sloping, np.linspace(0.9, 0.5, len(labels)), np.eye(len(CHARACTERS))[labels])


def read(found: Characters, layout: Layout) -> str:
    """The characters of the lines, in order."""
    labels = found.probabilities.argmax(axis=1)
    return "".join(CHARACTERS[labels[index]] for line in layout.lines for index in line)


@pytest.mark.parametrize(
    ("lefts", "sizes"),
    [
        ([0, 12, 24, 48, 60, 72, 84], [3, 4]),
        ([0, 18, 36, 54, 72], [5]),
        ([0, 25, 37, 49, 74, 86], [1, 3, 2]),
        ([0, 30], [1, 1]),
        ([0, 12], [2]),
        ([0], [1]),
    ],
    ids=["two groups", "wide apart but even", "three groups", "two letters apart", "two together", "one"],
)
def test_groups_end_where_a_gap_is_wider_than_the_others(lefts: list[int], sizes: list[int]) -> None:
    assert group_sizes(np.array([(left, 0, left + 10, 20) for left in lefts], float)) == sizes


@pytest.mark.parametrize("slope", [-0.2, 0, 0.1])
@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([("MH14", 10, 5, 15), ("GN", 10, 25, 15), ("9239", 60, 8, 28)], "MH14GN9239"),
        ([("MH", 14, 5, 20), ("20", 14, 28, 20), ("CH9984", 50, 10, 32)], "MH20CH9984"),
        ([("9239", 10, 8, 28), ("MH14", 90, 5, 15), ("GN", 90, 25, 15)], "9239MH14GN"),
        ([("MH12", 20, 5, 15), ("DE1433", 10, 25, 30)], "MH12DE1433"),
        ([("KA05", 10, 5, 30), ("8827", 10, 40, 30)], "KA058827"),
    ],
    ids=["beside", "close beside", "before", "a small line above", "two lines"],
)
def test_two_small_lines_beside_a_tall_one_come_together(
    lines: list[tuple[str, int, int, int]], text: str, slope: float
) -> None:
    found = characters_of(lines, slope)
    assert read(found, find_layout(found.boxes)) == text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([("B1464TTD", 10, 5, 30), ("0424", 50, 40, 15)], "B1464TTD"),
        ([("MH13", 10, 5, 15), ("BN", 10, 25, 15), ("4348", 60, 5, 30)], "MH13BN4348"),
        ([("MH12", 10, 5, 15), ("1433", 10, 25, 30)], "MH121433"),
        ([("KA05MJ", 10, 5, 30), ("8827", 20, 40, 28)], "KA05MJ8827"),
    ],
    ids=["a date", "letters under a line", "small over large", "two lines"],
)
def test_a_date_under_the_registration_is_left_out(lines: list[tuple[str, int, int, int]], text: str) -> None:
    found = characters_of(lines)
    assert read(found, without_dates(found, find_layout(found.boxes))) == text


@pytest.mark.parametrize("slope", [-0.4, 0, 0.25])
def test_sloping_lines_become_level(slope: float) -> None:
    """A dark bar in each of two boxes along the slope: after the shear, both begin and end in the same rows."""
    image = np.full((120, 160, 3), 255, np.uint8)
    boxes = np.array([(left, 50 + slope * (left + 5), left + 10, 70 + slope * (left + 5)) for left in (30, 110)])
    for left, top, right, bottom in boxes.round().astype(int):
        image[top:bottom, left:right] = 0
    level = level_lines(image, boxes, shear(slope), (0.0, 0.5))
    assert level.shape[:2] == (40, 90)
    rows = [np.flatnonzero((level[:, columns, 0] < 128).any(axis=1)) for columns in (slice(0, 10), slice(80, 90))]
    assert abs(rows[0].mean() - rows[1].mean()) < 1
    assert all(10 <= found.mean() <= 30 for found in rows)


@pytest.mark.parametrize("slope", [-0.5, 0.3])
def test_turned_letters_become_upright(slope: float) -> None:
    """Two tall bars, turned by an angle, stand upright beside each other after the rotation."""
    upright = np.full((200, 200, 3), 255, np.uint8)
    upright[85:115, 60:64] = upright[85:115, 136:140] = 0
    turned = cv2.warpAffine(
        upright,
        cv2.getRotationMatrix2D((99.5, 99.5), -np.degrees(np.arctan(slope)), 1),
        (200, 200),
        borderValue=(255, 255, 255),
    )
    along = 38 * np.cos(np.arctan(slope)) * np.array([1, slope])  # from the middle to a bar
    boxes = 99.5 + np.array([[-along, -along], [along, along]]).reshape(2, 4) + np.array([-8, -15, 8, 15])
    level = level_lines(turned, boxes, rotation(slope), (0.2, 0.2))
    rows, columns = np.nonzero(level[..., 0] < 128)
    left = columns < level.shape[1] / 2
    for bar in (left, ~left):
        assert np.ptp(columns[bar]) <= 6
        assert 27 <= np.ptp(rows[bar]) <= 31
    assert abs(rows[left].mean() - rows[~left].mean()) < 1
