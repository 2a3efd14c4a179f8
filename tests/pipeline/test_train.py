"""Which images the train stage takes."""

import numpy as np
import pandas as pd
import pytest

from lpr.pipeline.train import with_override_boxes


def test_images_with_a_plate_of_another_kind_of_box_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    nan = float("nan")
    rows = pd.DataFrame(
        [
            ("override.jpg", "some", "train", 1.0, 2.0),
            ("half.jpg", "some", "train", 1.0, 2.0),
            ("half.jpg", "some", "train", 1.0, nan),  # its second plate kept the annotation's own box
            ("own.jpg", "some", "validation", 1.0, nan),
            ("own-test.jpg", "some", "test", 1.0, nan),
            ("empty.jpg", "some", "train", nan, nan),  # shows no plate
            ("other.jpg", "none", "train", 1.0, nan),  # a source of which no box was joined
        ],
        columns=["image", "source", "split", "top_x", "original_top_x"],
    )
    others = ["original_top_y", "original_bottom_x", "original_bottom_y"]
    rows[others] = np.outer(rows["original_top_x"], [1.0, 2.0, 3.0])
    kept = with_override_boxes(rows)
    assert kept["image"].tolist() == ["override.jpg", "own-test.jpg", "empty.jpg", "other.jpg"]
    assert "2 images are left out" in capsys.readouterr().out
