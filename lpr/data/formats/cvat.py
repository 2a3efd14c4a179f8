"""CVAT for images 1.1 (docs.cvat.ai/docs/manual/advanced/xml_format): boxes, turned ones among them, and polygons."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import number
from lpr.data.labelled_images import LabelledImage, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_box, label_polygon, unusable_label
from lpr.errors import UserError

NAMES_ARE_URLS = False


class Settings(Source):
    """Images annotated in CVAT."""

    format: Literal["cvat"]
    annotations: str = Field(description="path of annotations.xml of an export as CVAT for images 1.1")


def recognizes(content: Content) -> bool:
    """Whether it is such an annotations.xml."""
    return content.path.is_file() and content.root == "annotations"


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line an image, in the order of the file."""
    file = local_file(source.annotations, source.name)
    try:
        top = ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{file}: no XML: {error}") from None
    if top.tag != "annotations" or (top.find("image") is None and top.find("track") is not None):
        raise UserError(
            f"{file}: no CVAT for images 1.1, which has <image>s in <annotations>: its root is <{top.tag}>, with "
            f"{len(top.findall('track'))} <track>s of a video; in CVAT, export the task as CVAT for images 1.1"
        )
    places = [file.parent / "images", file.parent, Path()]
    write_labelled_images(map(_image, top.findall("image")), source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the XML, its own folder or the current one: where the images are."""
    return written_image_root(folder)


def _image(image: Element) -> LabelledImage:
    plates = [_plate(shape) for shape in image if shape.tag != "tag"]  # a tag is of the image as a whole
    return LabelledImage([image.get("name", "")], plates, number(image.get("width")), number(image.get("height")))


def _plate(shape: Element) -> PlateLabel:
    label = shape.get("label")
    attributes = {each.get("name", ""): each.text or "" for each in shape.findall("attribute")}
    if shape.tag == "box":
        left, top, right, bottom = (number(shape.get(key)) for key in ("xtl", "ytl", "xbr", "ybr"))
        return label_box((left, top, right, bottom), label, attributes, number(shape.get("rotation", 0)))
    if shape.tag == "mask":
        left, top, width, height = (number(shape.get(key)) for key in ("left", "top", "width", "height"))
        return label_box((left, top, left + width, top + height), label, attributes)
    if shape.tag == "polygon":
        pairs = (pair.partition(",") for pair in shape.get("points", "").split(";") if pair)
        return label_polygon([(number(x), number(y)) for x, _, y in pairs], label, attributes)
    return unusable_label(f"a {shape.tag}, which is neither a box nor a polygon", label)
