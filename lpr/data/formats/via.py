"""VGG Image Annotator (robots.ox.ac.uk/~vgg/software/via): a project, or its annotations as JSON or CSV.

Of version 3, its project. Image sizes are read from the images, which these files do not tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file, objects, read_json
from lpr.data.annotations import NUMBER_PLATE, PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import number, read_csv_file
from lpr.data.labelled_images import LabelledImage, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_box, label_polygon, unusable_label
from lpr.errors import UserError

NAMES_ARE_URLS = False
_PROJECT = "_via_img_metadata"
_PROJECT_3 = {"project", "attribute", "file", "view", "metadata"}
_SHAPES_3 = ("", "point", "rect", "circle", "ellipse", "line", "polyline", "polygon", "rect", "circle")  # by number
_VIDEO, _SOUND = 4, 8  # types of files
_COLUMNS = ["filename", "region_shape_attributes", "region_attributes"]
_CLASSES = ("label", "label_id", "class", "type", "object", "category", "name")  # attributes that have the class


class Settings(Source):
    """Images annotated in VGG Image Annotator."""

    format: Literal["via"]
    annotations: str = Field(description="path of the project, or of its annotations as JSON or CSV")


def recognizes(content: Content) -> bool:
    """Whether it is such a project or export."""
    if {*_COLUMNS[1:]} <= {*content.columns}:
        return True
    if not isinstance(content.value, dict):
        return False
    if _PROJECT in content.keys or content.keys >= _PROJECT_3:
        return True
    first = next(iter(content.value.values()), None)
    return isinstance(first, dict) and first.keys() >= {"filename", "regions"}


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line an image; of a CSV, which has a row a region, in the order of their first rows."""
    file = local_file(source.annotations, source.name)
    places = [file.parent / "images", file.parent, Path()]
    content = Content(file)
    if not recognizes(content):
        raise UserError(
            f"{file}: neither a project of VGG Image Annotator nor its annotations, but {content.describe()}"
        )
    images = _images_of_csv(file) if content.columns else _images_of_json(read_json(file))
    write_labelled_images(images, source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the file, its own folder or the current one; None where the names are URLs."""
    return written_image_root(folder)


def _images_of_json(content: dict[str, Any]) -> Iterator[LabelledImage]:
    if content.keys() >= _PROJECT_3:
        yield from _images_of_version_3(content)
        return
    images = content.get(_PROJECT, content)
    for image in objects(list(images.values()) if isinstance(images, dict) else []):
        regions = image.get("regions")
        regions = list(regions.values()) if isinstance(regions, dict) else regions  # version 1 numbers them
        name = str(image.get("filename") or "")
        if not isinstance(regions, list):
            yield LabelledImage([name], unusable="its `regions` are no list")
            continue
        plates = [
            _plate(region.get("shape_attributes"), region.get("region_attributes")) for region in objects(regions)
        ]
        yield LabelledImage([name], plates)


def _images_of_version_3(content: dict[str, Any]) -> Iterator[LabelledImage]:
    """Its regions refer to views, which show one file each, or several side by side."""
    files, views, regions, attributes = (_by_id(content[key]) for key in ("file", "view", "metadata", "attribute"))
    prefixes = _by_id(_at(content, "config", "file", "loc_prefix"))
    shown = {identity: _at(view, "fid_list") for identity, view in views.items()}
    plates: dict[str, list[PlateLabel]] = {identity: [] for identity in files}
    for region in regions.values():
        xy, seen = _at(region, "xy"), shown.get(str(_at(region, "vid")))
        if not xy:  # of the file as a whole, or of a part of a video
            continue
        found = str(seen[0]) if isinstance(seen, list) and len(seen) == 1 else ""
        if found not in files:
            yield LabelledImage([""], unusable="a region of a view that does not show one file alone")
        else:
            plates[found].append(_plate(_shape_of_version_3(xy), _named(_by_id(_at(region, "av")), attributes)))
    for identity, file in files.items():
        prefix, path = prefixes.get(str(_at(file, "loc"))) or "", _at(file, "src")
        names = [f"{prefix}{path}", path] if isinstance(path, str) and path and not path.startswith("data:") else []
        names = [*dict.fromkeys([*names, str(_at(file, "fname") or "")])]
        if _at(file, "type") in (_VIDEO, _SOUND):
            reason = f"no image but a video or sound, with {len(plates[identity])} regions: annotate images cut from it"
            yield LabelledImage(names, unusable=reason)
        else:
            yield LabelledImage(names, plates[identity])


def _shape_of_version_3(xy: Any) -> dict[str, Any] | None:
    """The numbers of a region, of which the first says its shape, as versions 1 and 2 name them."""
    if not isinstance(xy, list) or not isinstance(xy[0], int) or not 0 < xy[0] < len(_SHAPES_3):
        return None
    shape = {"name": _SHAPES_3[xy[0]], "all_points_x": xy[1::2], "all_points_y": xy[2::2]}
    return shape | dict(zip(("x", "y", "width", "height"), xy[1:], strict=False))


def _named(values: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """The values of attributes by their names; of those that are chosen from a list, that, not its number."""
    named = {}
    for identity, value in values.items():
        options = _by_id(_at(attributes.get(identity), "options"))
        chosen = [options[each] for each in str(value).split(",") if each in options]
        name = str(_at(attributes.get(identity), "aname") or identity)
        named[name] = (chosen[0] if len(chosen) == 1 else chosen) if chosen else value
    return named


def _at(value: Any, *keys: str) -> Any:
    """What is under these keys of mappings; None where one is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _by_id(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _images_of_csv(file: Path) -> Iterator[LabelledImage]:
    plates: dict[str, list[PlateLabel]] = {}
    table = read_csv_file(file, _COLUMNS)
    for row in table.rows:
        name = row.cells.get("filename") or row.cells.get("#filename") or ""
        if row.unusable or not name:
            yield LabelledImage([name], unusable=f"line {row.line}: {row.unusable or 'no filename'}")
            continue
        shape, attributes = (_parse(row.cells.get(column, "")) for column in _COLUMNS[1:])
        # A row of an image without regions has empty attributes.
        plates.setdefault(name, []).extend([_plate(shape, attributes)] if shape != {} else [])
    for name, found in plates.items():
        yield LabelledImage([name], found)


def _parse(cell: str) -> Any:
    try:
        return json.loads(cell or "{}")
    except (ValueError, RecursionError):
        return None


def _class(attributes: dict[str, Any]) -> str:
    """The class that an attribute has: a text, or of a checkbox the one option that is chosen."""
    values = {key.strip().lower(): value for key, value in attributes.items()}
    for value in filter(None, map(values.get, _CLASSES)):
        chosen = [option for option, is_chosen in value.items() if is_chosen] if isinstance(value, dict) else [value]
        if len(chosen) == 1 and isinstance(chosen[0], str):
            return chosen[0]
    return NUMBER_PLATE


def _plate(shape: Any, attributes: Any) -> PlateLabel:
    attributes = attributes if isinstance(attributes, dict) else {}
    label = _class(attributes)
    if not isinstance(shape, dict):
        return unusable_label("a region without shape attributes", label)
    if shape.get("name") == "rect":
        x, y, width, height = (number(shape.get(key)) for key in ("x", "y", "width", "height"))
        return label_box((x, y, x + width, y + height), label, attributes)
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if shape.get("name") == "polygon" and isinstance(xs, list) and isinstance(ys, list):
        points = [(number(x), number(y)) for x, y in zip(xs, ys, strict=False)]
        closed = len(points) > 3 and points[0] == points[-1]  # version 1 repeats the first point
        return label_polygon(points[:-1] if closed else points, label, attributes)
    return unusable_label(f"a {shape.get('name')}, which is neither a rect nor a polygon", label)
