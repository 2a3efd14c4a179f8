"""Lettering that is no plate."""

import numpy as np

from lpr.synthesis.hard_negatives import draw_hard_negatives


def test_a_hard_negative_is_a_function_of_seed_and_number() -> None:
    first, again = draw_hard_negatives(12, 3), draw_hard_negatives(12, 3)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.pixels, same.pixels)
    assert len({patch.pixels.tobytes() for patch in first}) == 12
