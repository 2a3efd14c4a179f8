"""Images of how plates were read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from lpr.report.recognition_figures import confusions, draw_confusions, draw_reliability, draw_worst, worst

PAIRS = [("MH12AB", "MH12AB", 0.9), ("KL01", "KLO1", 0.8), ("DL3C", "DLC", 0.7), ("AB1", "AB17", 0.95)]
PAIRS.append(("TN88", "", 0.0))
RECOGNITIONS = pd.DataFrame(
    [(text, read, sure, Levenshtein.distance(text, read)) for text, read, sure in PAIRS],
    columns=["text", "reading", "confidence", "edits"],
)


def test_confusions_count_what_was_taken_for_what_missed_and_added() -> None:
    counts = confusions(RECOGNITIONS)
    assert counts.loc["0", "O"] == 1
    assert counts.loc["3", "missed"] == 1
    assert counts.loc["added", "7"] == 1
    assert counts.loc["8", "missed"] == 2
    assert counts.loc["A", "A"] == 2
    assert counts.loc[counts.index != "added"].to_numpy().sum() == RECOGNITIONS["text"].str.len().sum()


def test_the_worst_are_wrong_and_those_with_most_edits_come_first() -> None:
    assert worst(RECOGNITIONS, 3)["text"].tolist() == ["TN88", "AB1", "KL01"]
    assert worst(RECOGNITIONS.head(1), 3).empty


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_the_images_are_there_whatever_was_read_and_the_same_every_time(rows: int, tmp_path: Path) -> None:
    readings = RECOGNITIONS.head(rows)
    crops = [np.full((20, 60, 3), 40 * number, np.uint8) for number in range(rows)]
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        draw_confusions(readings, folder / "confusions.png")
        draw_reliability(readings, folder / "reliability.png")
        draw_worst(crops, readings, folder / "worst.png", "title")
        drawn.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert drawn[0] == drawn[1]
    for name in ("confusions", "reliability", "worst"):
        with Image.open(tmp_path / "one" / f"{name}.png") as image:
            assert image.width > 300
