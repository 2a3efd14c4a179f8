"""CSV files as spreadsheets and people write them: any of four delimiters, any common encoding."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lpr.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"^\s*(-?\d+),(\d+)\s*$")  # where a comma is no delimiter
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16's, which it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class Row(NamedTuple):
    """A row of a CSV file.

    Attributes:
        line: of the file, from 1, that it begins in.
        cells: column → cell; "" where it is empty or missing. Decimals are after a point.
        unusable: why it cannot be used; empty where it can.
    """

    line: int
    cells: dict[str, str]
    unusable: str = ""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file with a header.

    Attributes:
        columns: of the header, in order.
        rows: without blank ones.
    """

    columns: list[str]
    rows: list[Row]


def read_csv_file(path: Path, columns: Sequence[str] = ()) -> CsvFile:
    """A CSV file: UTF-8, UTF-16, UTF-32 or Windows-1252, cells between commas, semicolons, tabs or bars.

    Args:
        columns: that are looked for: the delimiter that finds the most of them in the header is the file's.

    Raises:
        UserError: it is no text, or empty, or a quote is not closed.
    """
    text = decode_text(path.read_bytes())
    if "\0" in text:
        raise UserError(f"{path}: not a CSV table: it is no text")
    header = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda each: _header_fit(header, each, columns))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    rows: list[Row] = []
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            break
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise UserError(f"{path}:{line}: a quoted cell begins here and never ends") from None
            rows.append(Row(line, {}, f"no row of a CSV file: {error}"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [cell.strip() for cell in cells]
            continue
        if delimiter != ",":
            cells = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
        row = dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))
        extra = [cell for cell in cells[len(names) :] if cell.strip()]
        reason = f"{len(cells)} cells, where the header has {len(names)}" if extra else ""
        rows.append(Row(line, row, reason))
    if not names:
        raise UserError(f"{path}: not a CSV table: it is empty")
    return CsvFile(names, rows)


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """A CSV table; cells are `str`, empty ones "", and the index is the line of the file that a row begins in.

    Args:
        columns: that it must have; others are kept.

    Raises:
        UserError: it is no CSV table, a column is missing, or a row is not one of it.
    """
    import pandas as pd

    file = read_csv_file(path, columns)
    check_columns(path, file, columns)
    for row in file.rows:
        if row.unusable:
            raise UserError(f"{path}:{row.line}: {row.unusable}")
    lines = [row.line for row in file.rows]
    return pd.DataFrame([row.cells for row in file.rows], columns=file.columns, index=lines, dtype=object)


def check_columns(path: Path, file: CsvFile, columns: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        UserError: it does.
    """
    if missing := [column for column in columns if column not in file.columns]:
        raise UserError(
            f"{path}: no column {', '.join(map(repr, missing))}; it has {', '.join(file.columns)}, "
            f"and needs {', '.join(columns)}"
        )


def decode_text(content: bytes) -> str:
    """The text of a file: by its byte order mark, or UTF-8, or UTF-16 without a mark; else it is Windows-1252."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    start = content[:1000]
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(zeros) > 1 and zeros.count(0) > len(zeros) / 2:
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "backslashreplace")


def number(value: Any) -> float:
    """A value as a number; NaN where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _header_fit(header: str, delimiter: str, columns: Sequence[str]) -> tuple[int, int]:
    """How many of the columns a header has with that delimiter, and how many cells."""
    try:
        cells = [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:  # a cell of more than 131,072 characters: no table
        return 0, 0
    return sum(column in cells for column in columns), len(cells)
