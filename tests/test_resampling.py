"""What the detector is shown: the right part, in the right place, without losing pixels."""

import numpy as np
import pytest

from lpr.resampling import BORDER, resampled, shrunk

RANDOM = np.random.default_rng(0)


def matrix(scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]])


def test_through_the_identity_it_is_the_same() -> None:
    image = RANDOM.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resampled(image, matrix(), 40, 30), image)
    np.testing.assert_array_equal(resampled(image, matrix(x=-7, y=-5), 20, 10), image[5:15, 7:27])


def test_beside_the_image_there_is_the_border() -> None:
    image = np.full((30, 40, 3), 250, np.uint8)
    shown = resampled(image, matrix(x=10, y=4), 60, 40)
    assert (shown[4:34, 10:50] == 250).all()
    assert (shown[:4] == BORDER).all()
    assert (shown[:, 50:] == BORDER).all()
    assert (resampled(image, matrix(x=-500), 16, 16) == BORDER).all()


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.1])
def test_fine_stripes_become_grey_rather_than_some_of_themselves(scale: float) -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    shown = resampled(stripes, matrix(scale), round(400 * scale), round(400 * scale))[2:-2, 2:-2]
    assert abs(int(shown.min()) - 100) <= 1
    assert abs(int(shown.max()) - 100) <= 1


@pytest.mark.parametrize("scale", [2.0, 0.7, 0.3, 0.13])
def test_an_edge_falls_where_the_matrix_says(scale: float) -> None:
    image = np.zeros((801, 1203, 3), np.uint8)
    image[:, 601:] = 200
    shown = resampled(image, matrix(scale, x=20.3 - 601 * scale), 64, 64)
    lit = shown[32, :, 0].astype(float) / 200
    assert 64 - lit.sum() == pytest.approx(20.3, abs=0.1)


@pytest.mark.parametrize("longest", [1500, 1203, 700, 301, 64])
def test_the_whole_image_says_where_its_edges_were(longest: int) -> None:
    image = np.zeros((801, 1203, 3), np.uint8)
    image[210:, 601:] = 200
    shown, (across, down) = shrunk(image, longest)
    assert max(shown.shape[:2]) == longest
    lit = shown[..., 0].astype(float) / 200
    assert (shown.shape[1] - lit[-1].sum()) * across == pytest.approx(601, abs=0.1 * across)
    assert (shown.shape[0] - lit[:, -1].sum()) * down == pytest.approx(210, abs=0.1 * down)
