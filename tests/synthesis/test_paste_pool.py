"""The plates to paste: one of every layout can be drawn and recognized as lettered, and they differ as plates do."""

import numpy as np
import pytest

from lpr.synthesis.paste_pool import WIDTH, draw_letters_alone, draw_paste_plate, draw_paste_plates
from lpr.synthesis.plate_blanks import Patch
from lpr.synthesis.plate_layouts import LAYOUTS


def plate_pixels(patch: Patch) -> np.ndarray:
    """The plate without its holder, RGB."""
    left, top, right, bottom = (int(edge) for edge in patch.box)
    return patch.pixels[top:bottom, left:right, :3]


def test_a_plate_is_a_function_of_seed_and_number() -> None:
    four, two, other = draw_paste_plates(4, 7), draw_paste_plates(2, 7), draw_paste_plates(4, 8)
    for one, same in zip(four, two, strict=False):
        np.testing.assert_array_equal(one.pixels, same.pixels)
        assert one.box == same.box
    assert not any(np.array_equal(one.pixels, another.pixels) for one, another in zip(four, other, strict=True))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_has_its_shape_and_lettering(name: str) -> None:
    low, high = LAYOUTS[name].aspect
    for seed in range(4):
        patch = draw_paste_plate(LAYOUTS[name], np.random.default_rng(seed))
        plate = plate_pixels(patch)
        assert (plate.shape[1], patch.pixels.dtype, patch.pixels.shape[2]) == (WIDTH, np.uint8, 4)
        assert low * 0.98 <= plate.shape[1] / plate.shape[0] <= high * 1.02
        middle = plate[plate.shape[0] // 5 : -plate.shape[0] // 5].mean(axis=2)
        darkest, lightest = np.percentile(middle, (5, 95))
        assert lightest - darkest > 30


@pytest.mark.parametrize("name", LAYOUTS)
def test_letters_alone_fill_their_box_and_let_the_body_show_between_them(name: str) -> None:
    for seed in range(4):
        patch = draw_letters_alone(LAYOUTS[name], np.random.default_rng(seed))
        opacity = patch.pixels[..., 3] / 255
        left, top, right, bottom = patch.box
        inside = opacity[round(top) : round(bottom), round(left) : round(right)]
        assert patch.see_through
        assert inside.sum() > 0.99 * opacity.sum()
        assert 0.03 < inside.mean() < 0.75
        assert min(inside[:3].mean(), inside[-3:].mean(), inside[:, :3].mean(), inside[:, -3:].mean()) < 0.5
        y, x = np.nonzero(opacity > 0.5)
        assert 0 <= x.min() - left <= 0.06 * (bottom - top)
        assert 0 <= bottom - y.max() <= 0.06 * (bottom - top) + 1


def test_the_pool_holds_plates_dark_and_light_long_and_square_with_and_without_holders() -> None:
    pool = draw_paste_plates(120, 0)
    aspects = [(patch.box[2] - patch.box[0]) / (patch.box[3] - patch.box[1]) for patch in pool]
    assert min(aspects) < 1.3
    assert max(aspects) > 4.5
    papers = np.array([np.median(plate_pixels(patch).reshape(-1, 3), axis=0) for patch in pool])
    light = papers.mean(axis=1)
    coloured = np.ptp(papers, axis=1) > 80
    assert min((light < 60).sum(), (light > 180).sum(), coloured.sum()) > 10
    assert 1 <= sum(patch.see_through for patch in pool) < 15
    in_holders = [patch for patch in pool if patch.pixels.shape[1] > WIDTH]
    assert 15 < len(in_holders) < 60
