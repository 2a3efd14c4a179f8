"""A CSV table of boxes, a row a plate: image, width, height, xmin, ymin, xmax, ymax[, text].

Boxes are in pixels; they are fractions of the image's width and height where none in the table is above 1.

The images lie in `images/` beside it, unless `image_root` names another place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file, number, read_csv
from lpr.data.annotations import ANNOTATIONS, PlateLabel, annotation_line

CORNERS = ["xmin", "ymin", "xmax", "ymax"]
COLUMNS = ["image", "width", "height", *CORNERS]
NAMES_ARE_URLS = False


class Settings(Source):
    """A CSV table of boxes, with texts or without."""

    format: Literal["table"]
    annotations: str = Field(description="path of the CSV file")


def write_annotations(source: Settings, folder: Path, data: Data) -> None:  # noqa: ARG001
    """Write the table as JSON lines."""
    table = read_csv(local_file(source.annotations, source.name), COLUMNS)
    corners = table[CORNERS].map(number).to_numpy(float)
    if fractions := bool(not np.isnan(corners).all() and np.nanmax(corners) <= 1):
        print(f"source {source.name}: boxes in fractions of the image, since none in {source.annotations} is above 1")
    (folder / ANNOTATIONS).write_text(_as_json(table, fractions))


def image_root(source: Settings, folder: Path) -> Path:  # noqa: ARG001
    """`images/` beside the CSV."""
    return Path(source.annotations).expanduser().parent / "images"


def _as_json(table: pd.DataFrame, fractions: bool) -> str:
    """A CSV of boxes as JSON lines whose numbers are the CSV's: its header becomes an empty line.

    A row with neither box nor text is of an image without plates.
    """
    lines = [""]
    for row in table.to_dict("records"):
        width, height = number(row["width"]), number(row["height"])
        x, y = (width, height) if fractions else (1.0, 1.0)
        left, top, right, bottom = (
            number(row[corner]) * side for corner, side in zip(CORNERS, (x, y) * 2, strict=True)
        )
        text = row.get("text", "")
        plates = (
            [PlateLabel((left, top, right, bottom), text)] if text or any(row[corner] for corner in CORNERS) else []
        )
        lines.append(annotation_line(row["image"], width, height, plates))
    return "\n".join(lines) + "\n"
