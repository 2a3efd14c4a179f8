"""Which input shape of the network a crop gets."""

from __future__ import annotations

from lpr.ocr.recognizer.input_shapes import nearest_shape, shape_of_lines

SHAPES = [[96, 128], [64, 192]]


def test_a_crop_gets_the_shape_of_the_nearest_aspect_ratio() -> None:
    assert nearest_shape(SHAPES, 520, 110) == (64, 192)
    assert nearest_shape(SHAPES, 340, 200) == (96, 128)
    assert nearest_shape(SHAPES[:1], 10, 90) == (96, 128)


def test_a_plate_of_one_line_gets_the_longest_shape_and_one_of_more_the_squarest() -> None:
    assert shape_of_lines(SHAPES, 1) == (64, 192)
    assert shape_of_lines(SHAPES, 2) == shape_of_lines(SHAPES, 3) == (96, 128)


def test_a_network_may_have_one_shape() -> None:
    assert shape_of_lines(SHAPES[:1], 1) == shape_of_lines(SHAPES[:1], 2) == (96, 128)
