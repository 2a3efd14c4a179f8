"""A CSV table of boxes, a row a plate: image, xmin, ymin, xmax, ymax[, width, height, text, label, ignored].

`columns` says what they are called where it is something else; TensorFlow's names, which Roboflow writes, are known; x,
y, w, h, which are left, top, width and height of a box, do in place of its corners. Boxes are in pixels; they are
fractions of the image's width and height where none in the table is above 1. Where there are no image sizes, they are
read from the images.

The images lie in `images/` beside it, unless `image_root` names another place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file
from lpr.data.annotations import ANNOTATIONS, NUMBER_PLATE, Unusable, annotation_line, unusable_line
from lpr.data.content import Content
from lpr.data.csv_files import Row, check_columns, number, read_csv_file
from lpr.data.labelled_images import ImageFiles, find_image_files, write_image_root, written_image_root
from lpr.data.plate_labels import label_box

Column = Literal[
    "image", "width", "height", "xmin", "ymin", "xmax", "ymax", "x", "y", "w", "h", "text", "label", "ignored"
]
CORNERS = ["xmin", "ymin", "xmax", "ymax"]
LEFT_TOP_SIZE = ["x", "y", "w", "h"]
TENSORFLOW: dict[Column, str] = {"image": "filename", "label": "class"}
"""What tables of the TensorFlow Object Detection API call columns, where it is something else."""
NAMES_ARE_URLS = False

_SLACK = 1e-6  # of rounding, above a fraction of 1


class Settings(Source):
    """A CSV table of boxes, with texts or without."""

    format: Literal["table"]
    annotations: str = Field(description="path of the CSV file")
    columns: dict[Column, str] | None = Field(
        None, description="what the table calls its columns, such as {image: file, xmin: left}; null: as lpr does"
    )


def recognizes(content: Content) -> bool:
    """Whether it is a table with columns of these names."""
    columns = {*content.columns}
    named = "image" in columns or TENSORFLOW["image"] in columns
    return named and (columns >= {*CORNERS} or columns >= {*LEFT_TOP_SIZE})


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line for each line of the table, with its numbers; the header becomes an empty line."""
    path = local_file(source.annotations, source.name)
    theirs = {**source.columns} if source.columns else {}
    file = read_csv_file(path, [*get_args(Column), *TENSORFLOW.values(), *theirs.values()])
    for column, name in TENSORFLOW.items():
        if column not in file.columns and name in file.columns:
            theirs.setdefault(column, name)
    called: dict[str, str] = {column: theirs.get(column, column) for column in get_args(Column)}
    there = {column for column, name in called.items() if name in file.columns}
    box = LEFT_TOP_SIZE if there >= {*LEFT_TOP_SIZE} and not there >= {*CORNERS} else CORNERS
    needed = dict.fromkeys(["image", *box, *(source.columns or {})])
    check_columns(path, file, [called[column] for column in needed])
    rows = [row._replace(cells=_own_names(row.cells, called)) for row in file.rows]
    corners = np.array([_corners(row, box) for row in rows], float).reshape(-1, 4)
    if fractions := bool(not np.isnan(corners).all() and np.nanmax(corners) <= 1 + _SLACK):
        print(f"source {source.name}: boxes in fractions of the image, since none in {source.annotations} is above 1")
    images = [[row.cells.get("image", "")] for row in rows]
    places = [path.parent / "images", path.parent, Path()]
    files = find_image_files(source, images, places, folder, data)
    write_image_root(files, folder)
    located = files.locate(images, source.name)
    sizes = [(number(row.cells.get("width")), number(row.cells.get("height"))) for row in rows]
    files.fetch_sizes(located, sizes, source.name, data)
    lines: dict[int, str] = {}
    for row, image, corner in zip(rows, located, corners, strict=True):
        lines[row.line] = _as_json(row, image, corner, fractions, files, box)
    text = "".join(lines.get(line, "") + "\n" for line in range(1, max(lines, default=0) + 1))
    (folder / ANNOTATIONS).write_text(text, encoding="utf-8")


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the CSV, or, where none of the images are there, its own folder or the current one."""
    return written_image_root(folder)


def _own_names(cells: dict[str, str], called: dict[str, str]) -> dict[str, str]:
    """The cells by lpr's names of the columns."""
    return {own: cells[name] for own, name in called.items() if name in cells}


def _corners(row: Row, box: Sequence[str]) -> list[float]:
    left, top, right, bottom = (number(row.cells.get(column, "")) for column in box)
    return [left, top, left + right, top + bottom] if box is LEFT_TOP_SIZE else [left, top, right, bottom]


def _as_json(row: Row, image: str, corners: np.ndarray, fractions: bool, files: ImageFiles, box: Sequence[str]) -> str:
    """The image of a row with its plate; without, if the row has neither box nor text."""
    if row.unusable:
        return unusable_line(image, row.unusable)
    cells = row.cells
    width, height = number(cells.get("width")), number(cells.get("height"))
    try:
        width, height = files.size(image, width, height)
    except Unusable as error:
        return unusable_line(image, str(error))
    unit = np.array([width, height] * 2) if fractions else 1.0
    left, top, right, bottom = (corners * unit).tolist()
    attributes = {"text": cells.get("text", ""), "ignored": cells.get("ignored", "")}
    plate = label_box((left, top, right, bottom), cells.get("label", NUMBER_PLATE), attributes)
    there = cells.get("text") or any(cells[column] for column in box)
    return annotation_line(image, width, height, [plate] if there else [])
