"""LabelMe (github.com/wkentaro/labelme), and X-AnyLabeling, which writes the same: a folder with a JSON file an image.

A plate's text is the `description` of its shape, or one of its `attributes` or `flags`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import objects, read_json
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import number
from lpr.data.labelled_images import (
    LabelledImage,
    annotation_files,
    names_beside,
    write_labelled_images,
    written_image_root,
)
from lpr.data.plate_labels import label_polygon, unusable_label
from lpr.errors import UserError

NAMES_ARE_URLS = False
_KEYS = {"shapes", "imagePath"}
_POLYGONS = ("rectangle", "oriented_rectangle", "polygon", "mask", "rotation", "quadrilateral", None)


class Settings(Source):
    """Images annotated in LabelMe."""

    format: Literal["labelme"]
    annotations: str = Field(description="path of the folder of JSON files, which may be in subfolders; or of one file")


def recognizes(content: Content) -> bool:
    """Whether it is such a folder or file."""
    return content.first(".json").keys >= _KEYS


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line a JSON file, sorted by their paths."""
    root, files = annotation_files(source, ".json", "LabelMe's")
    places = [root, root / "images", root.parent / "images", root.parent]
    write_labelled_images((_image(file, root) for file in files), source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """The folder itself, or `images/` in it or beside it: where the images are."""
    return written_image_root(folder)


def _image(file: Path, root: Path) -> LabelledImage:
    relative = file.relative_to(root)
    try:
        content = read_json(file)
    except UserError as error:
        return LabelledImage([relative.as_posix()], unusable=str(error))
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        return LabelledImage([relative.as_posix()], unusable="no JSON of LabelMe, which has a list of shapes")
    named = str(content.get("imagePath") or "").replace("\\", "/")
    names = names_beside(file, root, [os.path.normpath(relative.parent / named)] if named else [])
    plates = [_plate(shape) for shape in objects(content["shapes"])]
    size = number(content.get("imageWidth")), number(content.get("imageHeight"))
    return LabelledImage(names, plates, *size)


def _plate(shape: dict[str, Any]) -> PlateLabel:
    label, kind = shape.get("label"), shape.get("shape_type")
    if kind not in _POLYGONS:
        return unusable_label(f"a {kind}, which is neither a rectangle nor a polygon", label)
    given = shape.get("points")
    pairs = [point if isinstance(point, list) else [] for point in (given if isinstance(given, list) else [])]
    points = [(number(x), number(y)) for x, y in (pair if len(pair) == 2 else (None, None) for pair in pairs)]
    attributes = {key: shape.get(key) for key in ("difficult", "description", "attributes", "flags")}
    attributes["text"] = attributes.pop("description") or ""
    return label_polygon(points, label, {key: value for key, value in attributes.items() if value})
