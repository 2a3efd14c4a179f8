"""Lettered plates: their text is what is on them, and their boxes are where it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from lpr.plates.text import normalize
from lpr.synthesis.lettered_plates import WIDTH, LetteredPlate, draw_lettered_plates
from lpr.synthesis.typefaces import LETTERS_AND_DIGITS


@pytest.fixture(scope="module")
def plates() -> list[LetteredPlate]:
    return draw_lettered_plates(150, 0)


def rows_of(plate: LetteredPlate) -> list[NDArray[np.int64]]:
    """The numbers of the characters of each line, top line first: a line ends where the next character is no further
    to the right, or wholly below."""
    left, top, _, bottom = plate.characters.T
    ends = [
        index + 1 for index in range(len(left) - 1) if left[index + 1] < left[index] or top[index + 1] > bottom[index]
    ]
    return np.split(np.arange(len(left)), ends)


def test_a_plate_is_a_function_of_seed_and_number() -> None:
    four, two, other = draw_lettered_plates(4, 7), draw_lettered_plates(2, 7), draw_lettered_plates(4, 8)
    for one, same in zip(four, two, strict=False):
        np.testing.assert_array_equal(one.pixels, same.pixels)
        np.testing.assert_array_equal(one.characters, same.characters)
        assert (one.text, one.box) == (same.text, same.box)
    assert not {plate.text for plate in four} & {plate.text for plate in other}


def test_every_character_of_the_text_has_a_box_on_the_plate(plates: list[LetteredPlate]) -> None:
    for plate in plates:
        assert len(plate.text) == len(plate.characters) >= 3
        assert set(plate.text) <= set(LETTERS_AND_DIGITS)
        left, top, right, bottom = plate.box
        assert right - left == WIDTH
        assert plate.pixels.dtype == np.uint8
        assert plate.characters.dtype == np.float32
        assert (plate.characters[:, :2] >= (left, top)).all()
        assert (plate.characters[:, 2:] <= (right, bottom)).all()
        assert (plate.characters[:, 2:] > plate.characters[:, :2]).all()


def test_characters_come_line_by_line_from_the_left(plates: list[LetteredPlate]) -> None:
    lines = [rows_of(plate) for plate in plates]
    assert {1, 2, 3} <= {len(rows) for rows in lines}
    for plate, rows in zip(plates, lines, strict=True):
        middles = plate.characters[:, :2] + plate.characters[:, 2:]
        for row in rows:
            assert (np.diff(middles[row, 0]) > 0).all()
        for above, below in pairwise(rows):
            # Below, or, where small letters are stacked at the left, to the right.
            assert middles[below, 1].mean() > middles[above, 1].max() or middles[below[0], 0] > middles[above, 0].max()


def test_boxes_hold_ink_and_their_surroundings_do_not(plates: list[LetteredPlate]) -> None:
    contrasts = []
    for plate in plates:
        grey = plate.pixels[..., :3].mean(axis=2)
        everywhere = np.median(grey[int(plate.box[1]) : int(plate.box[3]), int(plate.box[0]) : int(plate.box[2])])
        for left, top, right, bottom in plate.characters.astype(int).tolist():
            contrasts.append(np.abs(grey[top:bottom, left:right] - everywhere).max())
    assert np.percentile(contrasts, 5) > 40


def test_every_character_occurs(plates: list[LetteredPlate]) -> None:
    counts = {character: sum(plate.text.count(character) for plate in plates) for character in LETTERS_AND_DIGITS}
    assert min(counts.values()) > 0
    assert counts["Q"] < np.mean([counts[letter] for letter in "ABCDEFG"])


def test_on_many_plates_wide_letters_are_as_narrow_as_others_and_groups_far_apart() -> None:
    wide, gaps = [], []
    for plate in draw_lettered_plates(600, 0):
        widths, heights = (plate.characters[:, 2:] - plate.characters[:, :2]).T
        letters = np.array(list(plate.text))
        usual = ~np.isin(letters, list("MW1IJLT7"))
        if usual.any():
            wide += (widths[np.isin(letters, ["M", "W"])] / np.median(widths[usual])).tolist()
        gaps.append((plate.characters[1:, 0] - plate.characters[:-1, 2]).max() / np.median(heights))
    assert 0.3 < np.mean(np.array(wide) < 1.15) < 0.7
    assert 0.1 < np.mean(np.array(gaps) > 0.8) < 0.4


def test_plates_are_of_many_shapes_colours_and_lengths(plates: list[LetteredPlate]) -> None:
    aspects = [(right - left) / (bottom - top) for left, top, right, bottom in (plate.box for plate in plates)]
    assert min(aspects) < 1.4
    assert max(aspects) > 4.5
    assert {5, 6, 7, 8, 9, 10} <= {len(plate.text) for plate in plates}
    light = [np.median(plate.pixels[..., :3]) for plate in plates]
    assert sum(value > 170 for value in light) > 50
    assert sum(value < 90 for value in light) > 5


def test_an_ocr_engine_recognizes_most_lines_at_their_boxes(plates: list[LetteredPlate]) -> None:
    engine = pytest.importorskip("rapidocr").RapidOCR()
    fold = str.maketrans("O1", "0I")
    correct = []
    for plate in plates[:16]:
        row = max(rows_of(plate), key=len)
        boxes = plate.characters[row]
        margin = 0.2 * float(np.median(boxes[:, 3] - boxes[:, 1]))
        left, top = np.maximum(boxes[:, :2].min(axis=0) - margin, 0).astype(int).tolist()
        right, bottom = (boxes[:, 2:].max(axis=0) + margin).astype(int).tolist()
        line = np.ascontiguousarray(plate.pixels[top:bottom, left:right, 2::-1])
        texts = engine(line, use_det=False, use_cls=False, use_rec=True).txts or ("",)
        text = "".join(plate.text[index] for index in row.tolist())
        correct.append(normalize(texts[0]).translate(fold) == text.translate(fold))
    assert np.mean(correct) >= 0.6
