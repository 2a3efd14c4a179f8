"""The plates of an experiment."""

import numpy as np
import pandas as pd

from lpr.data.input_pipeline import box_fractions
from lpr.data.plates import largest_plates


def test_the_largest_plate_of_each_image() -> None:
    plates = pd.DataFrame(
        [("a", 0, 0, 10, 10), ("a", 20, 0, 60, 10), ("b", 0, 0, 5, 5)],
        columns=["image", "top_x", "top_y", "bottom_x", "bottom_y"],
    ).assign(width=100, height=50)
    chosen = largest_plates(plates)
    assert list(chosen["image"]) == ["a", "b"]
    np.testing.assert_allclose(box_fractions(chosen)[0], [0.2, 0, 0.6, 0.2])
