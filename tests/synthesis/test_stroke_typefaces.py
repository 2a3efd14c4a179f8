"""The typefaces made of strokes: every character is another shape, as high as an H, and dies differ."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lpr.synthesis.stroke_typefaces import STROKE_FACES, StrokeTypeface
from lpr.synthesis.typefaces import CAP_PX, LETTERS_AND_DIGITS


def holes(mask: np.ndarray) -> int:
    """The areas that the ink encloses."""
    paper = np.pad((mask < 100).astype(np.uint8), 1, constant_values=1)
    return cv2.connectedComponents(paper, connectivity=4)[0] - 2  # less ink, and the paper around it


@pytest.mark.parametrize("face", STROKE_FACES[::16], ids=range(16))
def test_every_character_has_a_shape_of_its_own_as_high_as_an_h(face: StrokeTypeface) -> None:
    shapes = {character: face.glyph(character) for character in LETTERS_AND_DIGITS}
    alike = {shape.mask.tobytes() for shape in shapes.values()}
    assert len(alike) >= len(LETTERS_AND_DIGITS) - 2  # a bar for I and 1, a ring for O and 0
    for character, shape in shapes.items():
        height, width = shape.mask.shape
        if character != "Q":
            assert height == pytest.approx(CAP_PX, abs=2), character
            assert shape.foot == pytest.approx(0, abs=1.5), character
        assert shape.mask.max() == 255, character
        assert width < 1.2 * CAP_PX, character


@pytest.mark.parametrize("face", STROKE_FACES[::16], ids=range(16))
def test_characters_enclose_what_theirs_do(face: StrokeTypeface) -> None:
    found = {character: holes(face.glyph(character).mask) for character in "CEFHLTUZ57DOP8B"}
    assert {character for character, count in found.items() if count == 0} >= set("CEFHLTU5")
    assert {character for character, count in found.items() if count == 1} >= set("DOP")
    assert found["8"] == found["B"] == 2


def test_dies_differ() -> None:
    assert len(set(STROKE_FACES)) == len(STROKE_FACES)
    for character in "MW1Q0":
        assert len({face.glyph(character).mask.tobytes() for face in STROKE_FACES[:40]}) > 30
