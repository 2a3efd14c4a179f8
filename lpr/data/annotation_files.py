"""Annotation files as the user has them: from a path or a URL, as bytes or as a CSV table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lpr.config import Data
from lpr.data.fetching import fetch, redact, session
from lpr.data.unavailable import Unavailable
from lpr.errors import UserError


def local_file(path: str, source: str, key: str = "annotations") -> Path:
    """A file that the user named.

    Args:
        path: as the user wrote it; ~ is the home folder.
        source: name of the data source; for the message.
        key: of the configuration of the source, which has the path; for the message.

    Raises:
        UserError: there is no such file.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(
            f"source {source}: there is no file {path} (from {Path.cwd()}); set data.{key}, or `{key}` of this entry "
            "of data.sources, to where it is"
        )
    return file


def fetch_file(url: str, source: str, data: Data) -> bytes:
    """The content of an http(s) URL.

    Args:
        source: name of the data source; for the message.
        data: limits and repetitions.

    Raises:
        UserError: it cannot be fetched.
    """
    try:
        with session(data) as http:
            content, _ = fetch(http, url, data)
            return content
    except Unavailable as error:
        raise UserError(f"source {source}: {redact(url)} cannot be fetched: {error}; see data.annotations") from None


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """A CSV table; cells are `str`, empty ones "", and row i is line i + 2 of the file.

    Args:
        columns: that it must have; others are kept.

    Raises:
        UserError: it is no CSV table, or a column is missing.
    """
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
    """A cell as a number; NaN where it is none."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")
