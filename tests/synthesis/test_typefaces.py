"""The typefaces: each has every character, in one size, and a missing package says what to do."""

from __future__ import annotations

import numpy as np
import pytest

from lpr.errors import UserError
from lpr.synthesis.typefaces import CAP_PX, LETTERS_AND_DIGITS, PAINTED_FACES, PLATE_FACES, Typeface

FACES = (*PLATE_FACES, *PAINTED_FACES)


def test_there_are_many_typefaces_of_many_families() -> None:
    assert len(set(FACES)) == len(FACES) >= 60
    assert len({(face.package, face.file) for face in FACES}) >= 40


@pytest.mark.parametrize("face", FACES, ids=lambda face: f"{face.file.rpartition('/')[2]}{face.axes or ''}")
def test_every_character_has_a_shape_of_its_own_on_the_base_line(face: Typeface) -> None:
    shapes = {character: face.glyph(character) for character in LETTERS_AND_DIGITS}
    alike = {shape.mask.tobytes() for shape in shapes.values()}
    assert len(alike) >= len(LETTERS_AND_DIGITS) - 1  # an O and a 0 may be the same
    assert shapes["H"].mask.shape[0] == pytest.approx(CAP_PX, abs=2)
    for character, shape in shapes.items():
        rows, columns = np.nonzero(shape.mask > 100)
        assert 0.7 * CAP_PX < np.ptp(rows) + 1 < 1.4 * CAP_PX, character
        assert np.ptp(columns) + 1 < 2 * CAP_PX, character
        assert -0.2 * CAP_PX < shape.foot < (0.4 if character in "QJ" else 0.25) * CAP_PX, character


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(UserError, match=r"fontpkg-no-such.*make setup"):
        Typeface("fontpkg_no_such", "files/NoSuch.ttf").glyph("A")
