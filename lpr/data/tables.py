"""The CSV tables and JSON files between the stages: the same content is written as the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from lpr.errors import UserError
from lpr.files import replaced

# Columns in which "NA", "None" or "007" are text, and an empty cell stays an empty text.
_TEXT_COLUMNS = (
    "image",
    "source",
    "url",
    "text",
    "text_before_grammar",
    "predicted_text",
    "group",
    "split",
    "boxes",
    "fetched",
    "reason",
    "sha256",
    "format",
)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV at once: UTF-8, `\\n` line ends, floats in their shortest exact form; makes the folder."""
    with replaced(path) as unfinished:
        frame.to_csv(unfinished, index=False, lineterminator="\n")


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV that `write_table` wrote. Text columns are `str`, empty where unknown; an empty cell of others is NaN.

    Raises:
        UserError: the file is not there.
    """
    try:
        head = pd.read_csv(path, nrows=0).columns
        text = {column: str for column in head if column in _TEXT_COLUMNS}
        return pd.read_csv(path, dtype=text, keep_default_na=False, na_values={c: [""] for c in head if c not in text})
    except FileNotFoundError:
        raise UserError(f"{path} is missing: `dvc repro` makes it") from None


def write_json(content: Any, path: Path) -> None:
    """Write indented JSON at once; makes the folder."""
    with replaced(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2) + "\n")
