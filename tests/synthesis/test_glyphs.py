"""Lines of lettering in many scripts."""

import numpy as np
import pytest

from lpr.synthesis.glyphs import text_line


@pytest.mark.parametrize("pattern", ["@", "#", *"عЯΛאກ漢あ한বก"])
def test_a_pattern_stands_for_many_letters_of_its_script(pattern: str) -> None:
    masks = [text_line(pattern, "pen", np.random.default_rng(seed)) for seed in range(40)]
    assert all(mask.max() == 255 for mask in masks)
    assert len({mask.tobytes() for mask in masks}) > 8
