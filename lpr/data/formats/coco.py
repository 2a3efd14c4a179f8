"""COCO's JSON of instances (cocodataset.org/#format-data), as Roboflow, CVAT, Label Studio and `lpr predict` write it.

An annotation's box is its `bbox`, turned by the attribute `rotation` where it has one (CVAT), or the hull of its
polygon. Texts and flags are its keys, such as `text` and `iscrowd`, or those of its `attributes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file, objects, read_json
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import number
from lpr.data.labelled_images import LabelledImage, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_box, label_polygon, unusable_label
from lpr.errors import UserError

NAMES_ARE_URLS = False
_KEYS = {"images", "annotations"}


class Settings(Source):
    """Images and boxes in COCO's JSON."""

    format: Literal["coco"]
    annotations: str = Field(description="path of the JSON file of instances")


def recognizes(content: Content) -> bool:
    """Whether it is such a JSON."""
    return not content.is_array and content.keys >= _KEYS


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line an image, in the order of `images`."""
    file = local_file(source.annotations, source.name)
    content = read_json(file)
    if not isinstance(content, dict) or not content.keys() >= _KEYS:
        raise UserError(f"{file}: no COCO JSON, which is an object with the keys images, annotations and categories")
    if not isinstance(content["annotations"], list):
        raise UserError(f"{file}: its `annotations` are no list, so that no image would show a plate")
    stem = file.stem.removeprefix("instances_")
    places = [file.parent / "images", file.parent, file.parent.parent / stem, file.parent.parent / "images" / stem]
    places += [file.parent.parent / "images", file.parent.parent, Path()]
    write_labelled_images(_images(content), source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the JSON, its own folder, or one of those that exporters use."""
    return written_image_root(folder)


def _images(content: dict[str, Any]) -> Iterator[LabelledImage]:
    categories = {str(category.get("id")): category.get("name") for category in objects(content.get("categories"))}
    labels: dict[str, list[PlateLabel]] = {}
    for annotation in objects(content["annotations"]):
        category = str(annotation.get("category_id"))
        plate = _plate(annotation, categories.get(category, f"category {category}"))
        labels.setdefault(_id(annotation.get("image_id")), []).append(plate)
    names: dict[str, set[str]] = {}
    for image in objects(content["images"]):
        names.setdefault(_id(image.get("id")), set()).add(_name(image))
    for image in objects(content["images"]):
        plates = labels.pop(_id(image.get("id")), [])
        several = len(names[_id(image.get("id"))]) > 1  # as where two exports were put together
        unusable = f"its id, {image.get('id')}, is that of several images" if several else ""
        size = number(image.get("width")), number(image.get("height"))
        yield LabelledImage([_name(image)], plates, *size, unusable=unusable)
    for image_id, plates in labels.items():
        yield LabelledImage([""], unusable=f"{len(plates)} annotations of the image_id {image_id}, which no image has")


def _name(image: dict[str, Any]) -> str:
    return str(image.get("file_name") or image.get("coco_url") or "")


def _id(value: Any) -> str:
    """An image's id, of which tables make 1.0 from 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _plate(annotation: dict[str, Any], label: Any) -> PlateLabel:
    more = annotation.get("attributes")
    attributes = {**annotation, **more} if isinstance(more, dict) else annotation
    attributes = {key: value for key, value in attributes.items() if key not in ("bbox", "segmentation", "keypoints")}
    polygons = annotation.get("segmentation")
    points = [
        (number(x), number(y))
        for polygon in (polygons if isinstance(polygons, list) else [])
        if isinstance(polygon, list)
        for x, y in zip(polygon[::2], polygon[1::2], strict=False)
    ]
    box = annotation.get("bbox")
    if len(points) != 4 and isinstance(box, list) and len(box) == 4:
        left, top, width, height = map(number, box)
        rotation = number(attributes.get("rotation", 0))
        return label_box((left, top, left + width, top + height), label, attributes, rotation)
    if points:
        return label_polygon(points, label, attributes)
    return unusable_label("neither a bbox nor a polygon", label)
