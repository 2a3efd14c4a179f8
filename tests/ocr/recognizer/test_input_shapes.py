"""Which input shape of the network a crop gets."""

from __future__ import annotations

import numpy as np

from lpr.ocr.recognizer.input_shapes import nearest_shape, shape_of

SHAPES = [[96, 128], [64, 192]]


def characters(*lines: int) -> np.ndarray:
    """Boxes of lines of so many characters, 10 px wide and 20 px high."""
    return np.array(
        [(12 * n, 30 * line, 12 * n + 10, 30 * line + 20) for line, k in enumerate(lines) for n in range(k)]
    )


def test_a_crop_gets_the_shape_of_the_nearest_aspect_ratio() -> None:
    assert nearest_shape(SHAPES, 520, 110) == (64, 192)
    assert nearest_shape(SHAPES, 340, 200) == (96, 128)
    assert nearest_shape(SHAPES[:1], 10, 90) == (96, 128)


def test_a_plate_of_one_line_gets_the_long_shape_whatever_its_aspect_ratio() -> None:
    assert shape_of(SHAPES, characters(7)) == (64, 192)
    assert shape_of(SHAPES, characters(2)) == (64, 192)
    assert shape_of(SHAPES, characters(4, 4)) == (96, 128)
    assert shape_of(SHAPES, characters(3, 3, 3)) == (96, 128)


def test_a_network_may_have_one_shape() -> None:
    assert shape_of(SHAPES[:1], characters(7)) == shape_of(SHAPES[:1], characters(4, 4)) == (96, 128)
