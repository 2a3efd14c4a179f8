"""The bank of drawn plates: each kind can be drawn and read, and they differ as plates do."""

import numpy as np
import pytest

from lpr.synthesis.glyphs import text_line
from lpr.synthesis.plate_bank import WIDTH, Art, draw_plate, draw_pool
from lpr.synthesis.plate_layouts import LAYOUTS
from lpr.synthesis.sign_bank import draw_signs


def face_of(art: Art) -> np.ndarray:
    """The plate without its holder, RGB."""
    left, top, right, bottom = (int(side) for side in art.box)
    return art.pixels[top:bottom, left:right, :3]


def test_a_plate_is_a_function_of_seed_and_number() -> None:
    four, two, other = draw_pool(4, 7), draw_pool(2, 7), draw_pool(4, 8)
    for one, same in zip(four, two, strict=False):
        np.testing.assert_array_equal(one.pixels, same.pixels)
        assert one.box == same.box
    assert not any(np.array_equal(one.pixels, another.pixels) for one, another in zip(four, other, strict=True))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_kind_has_its_shape_and_lettering(name: str) -> None:
    low, high = LAYOUTS[name].aspect
    for seed in range(4):
        art = draw_plate(LAYOUTS[name], np.random.default_rng(seed))
        face = face_of(art)
        assert (face.shape[1], art.pixels.dtype, art.pixels.shape[2]) == (WIDTH, np.uint8, 4)
        assert low * 0.98 <= face.shape[1] / face.shape[0] <= high * 1.02
        middle = face[face.shape[0] // 5 : -face.shape[0] // 5].mean(axis=2)
        darkest, lightest = np.percentile(middle, (5, 95))
        assert lightest - darkest > 30


def test_the_bank_holds_plates_dark_and_light_long_and_square_with_and_without_holders() -> None:
    bank = draw_pool(120, 0)
    aspects = [(art.box[2] - art.box[0]) / (art.box[3] - art.box[1]) for art in bank]
    assert min(aspects) < 1.3
    assert max(aspects) > 4.5
    papers = np.array([np.median(face_of(art).reshape(-1, 3), axis=0) for art in bank])
    light = papers.mean(axis=1)
    coloured = np.ptp(papers, axis=1) > 80
    assert min((light < 60).sum(), (light > 180).sum(), coloured.sum()) > 10
    held = [art for art in bank if art.pixels.shape[1] > WIDTH]
    assert 15 < len(held) < 60


@pytest.mark.parametrize("pattern", ["@", "#", *"عЯΛאກ漢あ한বก"])
def test_a_pattern_stands_for_many_letters_of_its_script(pattern: str) -> None:
    masks = [text_line(pattern, "pen", np.random.default_rng(seed)) for seed in range(40)]
    assert all(mask.max() == 255 for mask in masks)
    assert len({mask.tobytes() for mask in masks}) > 8


def test_a_sign_is_a_function_of_seed_and_number() -> None:
    first, again = draw_signs(12, 3), draw_signs(12, 3)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.pixels, same.pixels)
    assert len({sign.pixels.tobytes() for sign in first}) == 12
