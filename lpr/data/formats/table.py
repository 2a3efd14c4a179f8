"""A CSV table of boxes, a row a plate: image, width, height, xmin, ymin, xmax, ymax[, text]; pixels.

The images lie in `images/` beside it, unless `image_root` names another place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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
    (folder / ANNOTATIONS).write_text(_as_json(local_file(source.annotations, source.name)))


def image_root(source: Settings, folder: Path) -> Path:  # noqa: ARG001
    """`images/` beside the CSV."""
    return Path(source.annotations).expanduser().parent / "images"


def _as_json(path: Path) -> str:
    """A CSV of boxes as JSON lines whose numbers are the CSV's: its header becomes an empty line.

    A row with neither box nor text is of an image without plates.
    """
    lines = [""]
    for row in read_csv(path, COLUMNS).to_dict("records"):
        left, top, right, bottom = (number(row[corner]) for corner in CORNERS)
        text = row.get("text", "")
        plates = (
            [PlateLabel((left, top, right, bottom), text)] if text or any(row[corner] for corner in CORNERS) else []
        )
        lines.append(annotation_line(row["image"], number(row["width"]), number(row["height"]), plates))
    return "\n".join(lines) + "\n"
