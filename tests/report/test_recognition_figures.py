"""Figures of recognition."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from lpr.report.recognition_figures import (
    choose_worst,
    confusion_matrix,
    draw_confusions,
    draw_reliability,
    draw_worst,
)

PAIRS = [("MH12AB", "MH12AB", 0.9), ("KL01", "KLO1", 0.8), ("DL3C", "DLC", 0.7), ("AB1", "AB17", 0.95)]
PAIRS.append(("TN88", "", 0.0))
RECOGNITIONS = pd.DataFrame(
    [(true, predicted, confidence, Levenshtein.distance(true, predicted)) for true, predicted, confidence in PAIRS],
    columns=["text", "predicted_text", "confidence", "edits"],
)


def test_the_confusion_matrix_counts_replaced_deleted_and_inserted_characters() -> None:
    counts = confusion_matrix(RECOGNITIONS)
    assert counts.loc["0", "O"] == 1
    assert counts.loc["3", "deleted"] == 1
    assert counts.loc["inserted", "7"] == 1
    assert counts.loc["8", "deleted"] == 2
    assert counts.loc["A", "A"] == 2
    assert counts.loc[counts.index != "inserted"].to_numpy().sum() == RECOGNITIONS["text"].str.len().sum()


def test_characters_of_other_alphabets_are_counted_as_one(tmp_path: Path) -> None:
    recognitions = RECOGNITIONS.head(1).assign(text="京粤12", predicted_text="A12", edits=2)
    counts = confusion_matrix(recognitions)
    assert counts.loc["other"].sum() == 2
    assert counts.to_numpy().sum() == 4
    draw_confusions(recognitions, tmp_path / "confusions.png")
    assert "other" not in confusion_matrix(RECOGNITIONS).index


def test_the_worst_are_wrong_with_the_most_edits_first() -> None:
    assert choose_worst(RECOGNITIONS, 3)["text"].tolist() == ["TN88", "AB1", "KL01"]
    assert choose_worst(RECOGNITIONS.head(1), 3).empty


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_equal_recognitions_of_any_number_give_equal_figures(rows: int, tmp_path: Path) -> None:
    recognitions = RECOGNITIONS.head(rows)
    crops = [np.full((20, 60, 3), 40 * number, np.uint8) for number in range(rows)]
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        draw_confusions(recognitions, folder / "confusions.png")
        draw_reliability(recognitions, folder / "reliability.png")
        draw_worst(crops, recognitions, folder / "worst.png", "title")
        drawn.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert drawn[0] == drawn[1]
    for name in ("confusions", "reliability", "worst"):
        with Image.open(tmp_path / "one" / f"{name}.png") as image:
            assert image.width > 300
