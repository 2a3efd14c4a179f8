"""A CSV table of boxes, a row a plate: image, width, height, xmin, ymin, xmax, ymax[, text]; pixels.

The images lie in `images/` beside it, unless `image_root` says where.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import ANNOTATIONS, integer, local_file, number, read_csv
from lpr.data.annotations import NO_PLATE

COLUMNS = ["image", "width", "height", "xmin", "ymin", "xmax", "ymax"]
NAMES_ARE_URLS = False


class Settings(Source):
    """A CSV table of boxes, and perhaps texts."""

    format: Literal["table"]
    annotations: str = Field(description="the CSV: a path")


def write_annotations(source: Settings, folder: Path, data: Data) -> None:  # noqa: ARG001
    """Write the table as JSON lines."""
    (folder / ANNOTATIONS).write_text(_as_json(local_file(source.annotations, source.name)))


def image_root(source: Settings, folder: Path) -> Path:  # noqa: ARG001
    """`images/` beside the CSV."""
    return Path(source.annotations).expanduser().parent / "images"


def _as_json(path: Path) -> str:
    """A CSV of boxes as JSON lines, so that line numbers are the CSV's: its header becomes an empty line.

    A row with neither box nor text is of a image that shows no plate.
    """
    table = read_csv(path, COLUMNS)
    lines = [""]
    for row in table.to_dict("records"):
        width, height = row["width"], row["height"]
        seen = any(row.get(cell) for cell in ("xmin", "ymin", "xmax", "ymax", "text"))
        points = [
            {"x": number(row[x]) / (number(width) or np.nan), "y": number(row[y]) / (number(height) or np.nan)}
            for x, y in (("xmin", "ymin"), ("xmax", "ymax"))
        ]
        plate = {
            "label": ["number_plate"] if seen else [NO_PLATE],
            "notes": row.get("text", ""),
            "points": points if seen else [],
            "imageWidth": integer(width),
            "imageHeight": integer(height),
        }
        lines.append(json.dumps({"content": row["image"], "annotation": [plate], "extras": None}))
    return "\n".join(lines) + "\n"
