"""From a network's output to characters in lines."""

import math
from itertools import chain, pairwise

import numpy as np
import pytest

from lpr.ocr.recognizer.decoding import Characters, Layout, decode, group_sizes, lay_out, undated
from lpr.plates.text import CHARACTERS

STRIDE = 4


def place(outputs: np.ndarray, box: tuple[float, float, float, float], character: int, logit: float = 4.0) -> None:
    """Have the cell of the box's centre say it; pixels."""
    left, top, right, bottom = (edge / STRIDE for edge in box)
    x, y = (left + right) / 2, (top + bottom) / 2
    column, row = int(x), int(y)
    cell = outputs[0, row, column]
    cell[0] = logit
    cell[1:5] = column + 0.5 - left, row + 0.5 - top, right - column - 0.5, bottom - row - 0.5
    cell[5 + character] = 6.0


def test_each_character_is_found_where_it_stands_and_as_what_it_is() -> None:
    outputs = np.full((1, 16, 48, 41), -8.0, np.float32)
    place(outputs, (10, 20, 22, 44), 3)
    place(outputs, (24, 20, 27, 44), 18)
    (found,) = decode(outputs, STRIDE)
    order = np.argsort(found.boxes[:, 0])
    np.testing.assert_allclose(found.boxes[order], [(10, 20, 22, 44), (24, 20, 27, 44)], atol=1e-4)
    assert found.chances[order].argmax(axis=1).tolist() == [3, 18]
    assert (found.chances.max(axis=1) > 0.99).all()


def test_two_peaks_on_one_character_are_one_and_the_surer_stays() -> None:
    outputs = np.full((1, 16, 48, 41), -8.0, np.float32)
    place(outputs, (8, 20, 28, 44), 3, logit=2)
    place(outputs, (16, 20, 32, 44), 8, logit=4)
    (found,) = decode(outputs, STRIDE)
    assert found.chances.argmax(axis=1).tolist() == [8]


def test_an_empty_crop_has_no_characters_and_no_lines() -> None:
    (found,) = decode(np.full((1, 16, 48, 41), -8.0, np.float32), STRIDE)
    assert len(found.boxes) == 0
    assert lay_out(found.boxes).lines == []


@pytest.mark.parametrize("degrees", [-15, -5, 0, 8, 18])
@pytest.mark.parametrize("lines", [(10,), (4, 6), (2, 2, 4), (6, 2)])
def test_lines_are_read_from_the_top_however_the_plate_leans(lines: tuple[int, ...], degrees: float) -> None:
    centres = np.array(
        [(20 + 150 / max(lines) * column, 30 * row) for row, count in enumerate(lines) for column in range(count)]
    )
    angle = math.radians(degrees)
    turned = centres @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    half = np.array([5, 10])
    boxes = np.hstack([turned - half, turned + half])
    shuffled = np.random.default_rng(0).permutation(len(boxes))
    layout = lay_out(boxes[shuffled])
    found = [shuffled[line].tolist() for line in layout.lines]
    starts = np.cumsum([0, *lines])
    assert found == [list(range(start, end)) for start, end in pairwise(starts)]
    assert layout.slope == pytest.approx(math.tan(angle), abs=0.06)


def line_of(text: str, left: float, top: float, height: float) -> tuple[list[list[float]], list[int]]:
    """The boxes of a line's characters, half as wide as high, and their places in the alphabet."""
    boxes = [
        [left + 0.6 * height * i, top, left + 0.6 * height * i + 0.5 * height, top + height] for i in range(len(text))
    ]
    return boxes, [CHARACTERS.index(character) for character in text]


def characters_of(lines: list[tuple[str, int, int, int]], slope: float = 0) -> Characters:
    """Lines as `line_of` has them, all of them as much lower for every pixel to the right as `slope` says."""
    boxes, named = (list(chain.from_iterable(parts)) for parts in zip(*(line_of(*line) for line in lines), strict=True))
    leaning = np.array(boxes) + slope * np.mean(np.array(boxes)[:, [0, 2]], axis=1, keepdims=True) * [0, 1, 0, 1]
    return Characters(leaning, np.linspace(0.9, 0.5, len(named)), np.eye(len(CHARACTERS))[named])


def read(found: Characters, layout: Layout) -> str:
    """The characters of the lines, in order."""
    named = found.chances.argmax(axis=1)
    return "".join(CHARACTERS[named[place]] for line in layout.lines for place in line)


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
def test_two_small_lines_beside_a_tall_one_are_read_together(
    lines: list[tuple[str, int, int, int]], text: str, slope: float
) -> None:
    found = characters_of(lines, slope)
    assert read(found, lay_out(found.boxes)) == text


@pytest.mark.parametrize(
    ("lines", "left_over"),
    [
        ([("B1464TTD", 10, 5, 30), ("0424", 50, 40, 15)], "B1464TTD"),
        ([("MH13", 10, 5, 15), ("BN", 10, 25, 15), ("4348", 60, 5, 30)], "MH13BN4348"),
        ([("MH12", 10, 5, 15), ("1433", 10, 25, 30)], "MH121433"),
        ([("KA05MJ", 10, 5, 30), ("8827", 20, 40, 28)], "KA05MJ8827"),
    ],
    ids=["a date", "letters under a line", "small over large", "two lines"],
)
def test_a_date_under_the_registration_is_left_out(lines: list[tuple[str, int, int, int]], left_over: str) -> None:
    found = characters_of(lines)
    assert read(found, undated(found, lay_out(found.boxes))) == left_over
