"""CVAT's XML (docs.cvat.ai/docs/manual/advanced/xml_format), for images and for video 1.1: boxes and polygons.

Of a video's tracks, each frame on which a shape is visible has it, interpolated ones among them. Their images are those
of the export with images: `images/frame_000012.PNG`.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    annotations: str = Field(description="path of annotations.xml of an export as CVAT for images or for video 1.1")


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
    tracks = top.findall("track")
    if top.tag != "annotations" or not (tracks or top.findall("image")):
        raise UserError(
            f"{file}: no XML of CVAT for images or for video 1.1, which has <image>s or <track>s in <annotations>: its "
            f"root is <{top.tag}>"
        )
    if len({track.get("task_id") for track in tracks}) > 1:
        raise UserError(
            f"{file}: tracks of several tasks, whose frames have the same names; in CVAT, export each task, or the "
            "project as CVAT for images 1.1"
        )
    frames = list(_frames(tracks, top))
    if tracks:
        count = top.findtext("meta/task/size") or top.findtext("meta/job/size") or "an unknown number of"
        print(f"source {source.name}: {len(frames)} of {count} frames of the video have shapes; others are not used")
    places = [file.parent / "images", file.parent, Path()]
    write_labelled_images([*map(_image, top.findall("image")), *frames], source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the XML, its own folder or the current one: where the images are."""
    return written_image_root(folder)


def _image(image: Element) -> LabelledImage:
    shapes = [shape for shape in image if shape.tag != "tag"]  # a tag is of the image as a whole
    plates = [_plate(shape, shape.get("label")) for shape in shapes]
    name, subset = image.get("name", ""), image.get("subset")
    names = [f"{subset}/{name}", name] if subset else [name]  # a project's export has a folder for each subset
    return LabelledImage(names, plates, number(image.get("width")), number(image.get("height")))


def _frames(tracks: list[Element], top: Element) -> Iterator[LabelledImage]:
    """The frames that tracks have shapes on, in order; one whose shapes have all left the image shows no plate."""
    size = next(top.iterfind("meta//original_size"), Element("original_size"))
    width, height = number(size.findtext("width")), number(size.findtext("height"))
    plates: dict[str, list[PlateLabel]] = {}
    for track in tracks:
        for shape in track:
            visible = [_plate(shape, track.get("label"))] if shape.get("outside") != "1" else []
            plates.setdefault(shape.get("frame", ""), []).extend(visible)
    for frame in sorted(filter(str.isdecimal, plates), key=int):
        yield LabelledImage([f"frame_{int(frame):06d}"], plates.pop(frame), width, height)
    for frame, shapes in plates.items():
        yield LabelledImage([""], unusable=f"{len(shapes)} shapes of the frame {frame!r}, no number")


def _plate(shape: Element, label: str | None) -> PlateLabel:
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
