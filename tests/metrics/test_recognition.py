"""Scores of recognized texts, against values counted by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lpr.data.tables import read_table, write_table
from lpr.metrics.recognition import score_recognitions


def recognitions(*rows: tuple[str, str, str, str, str, int | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source", "split", "boxes", "text", "predicted_text", "edits"])
    frame = frame.assign(image="a.jpg", plate=0, confidence=0.5, text_before_grammar=frame["predicted_text"])
    return frame.astype({"edits": "Int64"})


RECOGNITIONS = recognitions(
    ("cars", "test", "true", "MH12DE1433", "MH12DE1433", 0),
    ("cars", "test", "true", "KL07IO", "KL0710", 2),
    ("cars", "test", "true", "GJ01", "", 4),
    ("cars", "test", "true", "", "XY99", None),
    ("cars", "test", "predicted", "MH12DE1433", "MH12", 6),
    ("cars", "train", "true", "KA05", "KA05", 0),
    ("asia", "test", "true", "", "B1234XYZ", None),
)


def test_counts_per_source_split_and_box() -> None:
    scores = score_recognitions(RECOGNITIONS)
    true = scores["cars"]["test"]["true"]
    assert true["plates"] == 4
    assert true["plate_acc"]["n"] == true["plate_acc_folded"]["n"] == true["cer"]["n"] == 3
    assert true["plate_acc"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert true["plate_acc_folded"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert true["cer"]["value"] == pytest.approx(6 / 20)
    assert true["cer"]["low"] <= true["cer"]["value"] <= true["cer"]["high"]
    assert scores["cars"]["test"]["predicted"]["cer"]["value"] == pytest.approx(0.6)
    assert scores["cars"]["train"]["true"]["plate_acc"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}


def test_where_a_grammar_chose_the_scores_without_it_stand_beside() -> None:
    text_before_grammar = RECOGNITIONS.assign(
        text_before_grammar=RECOGNITIONS["predicted_text"].replace("MH12DE1433", "MH12OE1433")
    )
    scores = score_recognitions(text_before_grammar)["cars"]["test"]
    assert scores["true"]["plate_acc_without_grammar"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 3}
    assert scores["true"]["plate_acc"] == score_recognitions(RECOGNITIONS)["cars"]["test"]["true"]["plate_acc"]
    assert "plate_acc_without_grammar" not in scores["predicted"]


def test_a_set_without_texts_has_no_scores() -> None:
    assert score_recognitions(RECOGNITIONS)["asia"] == {"test": {"true": {"plates": 1}}}


def test_the_written_table_scores_the_same(tmp_path: Path) -> None:
    write_table(RECOGNITIONS, tmp_path / "recognitions.csv")
    assert score_recognitions(read_table(tmp_path / "recognitions.csv")) == score_recognitions(RECOGNITIONS)


def test_no_recognized_texts() -> None:
    assert score_recognitions(RECOGNITIONS.head(0)) == {}
