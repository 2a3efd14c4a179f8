"""Painting in perspective."""

import numpy as np
import pytest
from PIL import Image

from lpr.synthesis.painting import paste_warped


def test_a_warped_plate_lands_on_its_corners() -> None:
    corners = np.array([(60.0, 40.0), (180.0, 55.0), (176.0, 92.0), (57.0, 74.0)])
    image = Image.new("RGB", (240, 160), (0, 0, 0))
    paste_warped(image, Image.new("RGBA", (300, 90), (255, 255, 255)), corners)
    rows, columns = np.nonzero(np.asarray(image).max(axis=2) > 100)
    assert (columns.min(), columns.max() + 1) == pytest.approx((57, 180), abs=1.5)
    assert (rows.min(), rows.max() + 1) == pytest.approx((40, 92), abs=1.5)
