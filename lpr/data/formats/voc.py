"""Pascal VOC: a folder with an XML file an image, as LabelImg, roLabelImg, CVAT and Roboflow write it.

The class is an object's `name`; a plate's text is a child such as `text` or `plate`, or one of `attributes`. The XML of
LabelMe's first version, which CVAT exports as LabelMe 3.0, is read, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pydantic import Field

from lpr.config import Data, Source
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
from lpr.data.plate_labels import label_box, label_polygon, unusable_label

NAMES_ARE_URLS = False


class Settings(Source):
    """Images annotated in Pascal VOC's XML."""

    format: Literal["voc"]
    annotations: str = Field(description="path of the folder of XML files, which may be in subfolders; or of one file")


def recognizes(content: Content) -> bool:
    """Whether it is such a folder or file."""
    return content.first(".xml").root == "annotation"


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line an XML file, sorted by their paths."""
    root, files = annotation_files(source, ".xml", "Pascal VOC's")
    names = ("JPEGImages", "images", "Images")
    places = [root, *(root.parent / name for name in names), *(root / name for name in names), root.parent]
    write_labelled_images((_image(file, root) for file in files), source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """The folder itself, or `JPEGImages/` or `images/` in it or beside it: where the images are."""
    return written_image_root(folder)


def _image(file: Path, root: Path) -> LabelledImage:
    relative = file.relative_to(root)
    try:
        top = ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        return LabelledImage([relative.as_posix()], unusable=f"no XML: {error}")
    if top.tag != "annotation":
        return LabelledImage([relative.as_posix()], unusable=f"no Pascal VOC: its root is <{top.tag}>")
    named = (top.findtext("filename") or "").strip()
    names = names_beside(file, root, [(relative.parent / named).as_posix(), named] if named else [])
    width = number(top.findtext("size/width") or top.findtext("imagesize/ncols"))
    height = number(top.findtext("size/height") or top.findtext("imagesize/nrows"))
    objects = [item for item in top.findall("object") if item.findtext("deleted") != "1"]
    return LabelledImage(names, list(map(_plate, objects)), width, height)


def _plate(item: Element) -> PlateLabel:
    label = (item.findtext("name") or "").strip()
    attributes = {child.tag: child.text or "" for child in item if len(child) == 0 and child.tag != "name"}
    # LabelMe's are one text: "text=KA05, difficult=true".
    pairs = (pair.partition("=") for pair in attributes.pop("attributes", "").split(","))
    attributes |= {key.strip(): value for key, _, value in pairs}
    attributes |= {
        (each.findtext("name") or "").strip(): each.findtext("value") or "" for each in item.iter("attribute")
    }
    if (turned := item.find("robndbox")) is not None:
        x, y, width, height, angle = (number(turned.findtext(key)) for key in ("cx", "cy", "w", "h", "angle"))
        box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        return label_box(box, label, attributes, math.degrees(angle))
    polygon = item.find("polygon")
    if polygon is not None and (points := list(_points(polygon))):
        return label_polygon(points, label, attributes)
    corners = [number(item.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")]
    if item.find("bndbox") is None:
        return unusable_label("an object without a bndbox", label)
    rotation = number(attributes.get("rotation") or 0)
    return label_box((corners[0], corners[1], corners[2], corners[3]), label, attributes, rotation)


def _points(polygon: Element) -> Iterator[tuple[float, float]]:
    """Of Roboflow's <x1>, <y1>, <x2>, … or LabelMe's <pt><x/><y/></pt>."""
    for pair in polygon.findall("pt"):
        yield number(pair.findtext("x")), number(pair.findtext("y"))
    count = 1
    while (x := polygon.findtext(f"x{count}")) is not None:
        yield number(x), number(polygon.findtext(f"y{count}"))
        count += 1
