"""Annotation files as the user has them: from a path or a URL, as bytes or as a CSV table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lpr.config import Data
from lpr.data.fetching import Unavailable, fetch, redact, session
from lpr.errors import UserError

ANNOTATIONS = "annotations.json"
"""What `Format.write_annotations` writes, in the source's folder."""


def local_file(where: str | None, name: str) -> Path:
    path = Path(str(where)).expanduser()
    if not path.is_file():
        raise UserError(
            f"source {name}: there is no file {where} (from {Path.cwd()}); set its annotations to where it is"
        )
    return path


def fetch_file(url: str, name: str, data: Data) -> bytes:
    try:
        with session(data) as http:
            content, _ = fetch(http, url, data)
            return content
    except Unavailable as error:
        raise UserError(f"source {name}: {redact(url)} cannot be had: {error}") from None


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV table: {error}") from None
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise UserError(
            f"{path}: no column {', '.join(map(repr, missing))}; it has {', '.join(map(str, table.columns))}, "
            f"and needs {', '.join(columns)}"
        )
    return table


def number(cell: str) -> float:
    """A cell as a number; not a number where it is none."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def integer(cell: str) -> int | None:
    """A cell as a whole number, cut off; None where it is none."""
    value = number(cell)
    return int(value) if np.isfinite(value) else None
