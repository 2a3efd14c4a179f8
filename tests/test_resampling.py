"""Warped and shrunk images: the right part, in the right place, without skipped pixels."""

import numpy as np
import pytest

from lpr.resampling import BORDER, shrink, warp_perspective

RANDOM = np.random.default_rng(0)


def matrix(scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]])


def test_the_identity_changes_nothing() -> None:
    image = RANDOM.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(warp_perspective(image, matrix(), 40, 30), image)
    np.testing.assert_array_equal(warp_perspective(image, matrix(x=-7, y=-5), 20, 10), image[5:15, 7:27])


def test_the_border_is_beside_the_image() -> None:
    image = np.full((30, 40, 3), 250, np.uint8)
    warped = warp_perspective(image, matrix(x=10, y=4), 60, 40)
    assert (warped[4:34, 10:50] == 250).all()
    assert (warped[:4] == BORDER).all()
    assert (warped[:, 50:] == BORDER).all()
    assert (warp_perspective(image, matrix(x=-500), 16, 16) == BORDER).all()


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.1])
def test_fine_stripes_become_grey_without_aliasing(scale: float) -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    warped = warp_perspective(stripes, matrix(scale), round(400 * scale), round(400 * scale))[2:-2, 2:-2]
    assert abs(int(warped.min()) - 100) <= 1
    assert abs(int(warped.max()) - 100) <= 1


@pytest.mark.parametrize("scale", [2.0, 0.7, 0.3, 0.13])
def test_an_edge_is_where_the_matrix_puts_it(scale: float) -> None:
    image = np.zeros((801, 1203, 3), np.uint8)
    image[:, 601:] = 200
    warped = warp_perspective(image, matrix(scale, x=20.3 - 601 * scale), 64, 64)
    bright = warped[32, :, 0].astype(float) / 200
    assert 64 - bright.sum() == pytest.approx(20.3, abs=0.1)


@pytest.mark.parametrize("longest", [1500, 1203, 700, 301, 64])
def test_the_ratios_lead_back_to_the_pixels_of_the_image(longest: int) -> None:
    image = np.zeros((801, 1203, 3), np.uint8)
    image[210:, 601:] = 200
    shrunk, (horizontal, vertical) = shrink(image, longest)
    assert max(shrunk.shape[:2]) == longest
    bright = shrunk[..., 0].astype(float) / 200
    assert (shrunk.shape[1] - bright[-1].sum()) * horizontal == pytest.approx(601, abs=0.1 * horizontal)
    assert (shrunk.shape[0] - bright[:, -1].sum()) * vertical == pytest.approx(210, abs=0.1 * vertical)
