"""Where the stages' files are, and how they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

DATA, METRICS, MODELS, REPORTS = Path("data"), Path("metrics"), Path("models"), Path("reports")
CHECKED = DATA / "checked.txt"
SOURCES, IMAGES = DATA / "sources", DATA / "images"
PLATES, REJECTS = DATA / "plates.csv", DATA / "rejects.csv"
PICTURES, FAILURES = DATA / "pictures.csv", DATA / "failures.csv"
SPLIT = DATA / "split.csv"
DETECTOR, HISTORY = MODELS / "detector.keras", REPORTS / "history.csv"
DRAWN_PLATES, PHOTOGRAPHED_PLATES = DATA / "drawn_plates.npz", DATA / "photographed_plates.npz"
READER, READER_ONNX = MODELS / "reader.keras", MODELS / "reader.onnx"
READER_HISTORY = REPORTS / "reader_history.csv"
DRAWN_SCORES = METRICS / "drawn_reading.json"
DRAWN_READINGS, DRAWN_FIGURES = REPORTS / "drawn_readings.csv", REPORTS / "drawn_reading_figures"
PREDICTIONS = REPORTS / "predictions.csv"
DETECTIONS, READINGS = REPORTS / "detections.csv", REPORTS / "readings.csv"
FIGURES, READING_FIGURES = REPORTS / "figures", REPORTS / "reading_figures"
PAGE, PROVENANCE = REPORTS / "index.html", REPORTS / "provenance.json"
AUDIT = REPORTS / "audit"
SCRATCH = Path(".lpr")  # what is neither versioned nor kept: times, unfinished work, answers of remote readers


def write_json(content: Any, path: Path) -> None:
    """Write indented JSON, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def read_placed_plates(root: Path = Path()) -> pd.DataFrame:
    """The plates of the cached pictures, boxes in the pixels of these; a picture without plates has a row without.

    Args:
        root: of the project, or an experiment's folder, which is laid out like it.
    """
    from lpr.data.placement import place_boxes
    from lpr.data.tables import read_table

    return place_boxes(read_table(root / PLATES), read_table(root / PICTURES))


def read_split(root: Path = Path()) -> pd.DataFrame:
    """The same, each row with its side: train, validation or test."""
    from lpr.data.tables import read_table

    sides = read_table(root / SPLIT)[["image", "split"]]
    return read_placed_plates(root).merge(sides, on="image", validate="many_to_one")


def print_scores(scores: dict[str, Any], path: tuple[str, ...] = ()) -> None:
    """A line a score, however deep it lies."""
    from lpr.statistics import Score

    for name, part in scores.items():
        if isinstance(part, dict) and "low" in part:
            print(f"{' '.join(path):36} {name:18} {Score(**part)}")
        elif isinstance(part, dict):
            print_scores(part, (*path, name))
