"""Label Studio's JSON (labelstud.io/guide/export): rectangles, turned ones among them, and polygons, in per cent.

A plate's text is its region's TextArea (perRegion="true"); what its Choices say may have it ignored. Where no task has
annotations, as in what `lpr predict --format labelstudio` writes, the predictions are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file, objects, read_json
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import number
from lpr.data.fetching import is_url
from lpr.data.labelled_images import LabelledImage, image_suffixes, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_box, label_polygon, unusable_label
from lpr.errors import UserError

NAMES_ARE_URLS = False
_RESULTS = ("annotations", "completions", "predictions")  # completions in exports of before version 1
_SHAPES = {"x", "points"}  # a value with one of these is a region's
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file


class Settings(Source):
    """Images annotated in Label Studio."""

    format: Literal["label_studio"]
    annotations: str = Field(description="path of the export: JSON, not JSON-MIN")


def recognizes(content: Content) -> bool:
    """Whether it is such an export."""
    return content.is_array and "data" in content.keys and bool(content.keys & {*_RESULTS})


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line a task."""
    file = local_file(source.annotations, source.name)
    tasks = read_json(file)
    if not isinstance(tasks, list) or not any("data" in task for task in objects(tasks)):
        raise UserError(f"{file}: no JSON export of Label Studio, which is an array of tasks (and JSON-MIN is another)")
    tasks = objects(tasks)
    annotated = any(_annotation(task) is not None for task in tasks)
    if not annotated:
        print(f"source {source.name}: no task of {file} is annotated; its predictions are taken")
    images = [_image(task, annotated) for task in tasks]
    places = [file.parent / "images", file.parent, Path()]
    write_labelled_images(images, source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the JSON, its own folder or the current one; None where tasks have the URLs of their images."""
    return written_image_root(folder)


def _image(task: dict[str, Any], annotated: bool) -> LabelledImage:
    names = _names(task.get("data"))
    found = _annotation(task) if annotated else next(iter(objects(task.get("predictions"))), None)
    if found is None:
        return LabelledImage(names, unusable="a task that nobody has annotated")
    results = objects(found.get("result"))
    sizes = (result for result in results if "original_width" in result)
    size = next(sizes, {})
    plates = list(_plates(results))
    return LabelledImage(names, plates, number(size.get("original_width")), number(size.get("original_height")))


def _annotation(task: dict[str, Any]) -> dict[str, Any] | None:
    """The annotation to use of those that a task has: the ground truth, else the latest that was not cancelled."""
    found = [each for key in _RESULTS[:2] for each in objects(task.get(key)) if not each.get("was_cancelled")]
    return max(
        found, key=lambda each: (bool(each.get("ground_truth")), str(each.get("updated_at") or "")), default=None
    )


def _names(data: Any) -> list[str]:
    """What the image of a task may be called."""
    values = {key: value for key, value in data.items() if isinstance(value, str)} if isinstance(data, dict) else {}
    images = [value for value in values.values() if _path(value).lower().endswith(image_suffixes())]
    value = next(iter([*(values[key] for key in ("image", "img") if key in values), *images]), "")
    path = _path(value)
    folder, _, name = path.rpartition("/")
    uploaded = _UPLOAD.sub("", name)
    names = [value if is_url(value) else path]
    return [*names, uploaded] if uploaded != name and "upload" in folder else names


def _path(value: str) -> str:
    """The path of a local file, /data/local-files/?d=PATH; other addresses of images as they are."""
    try:
        return parse_qs(urlsplit(value).query)["d"][0]
    except (ValueError, KeyError):
        return value


def _plates(results: list[dict[str, Any]]) -> Iterator[PlateLabel]:
    """The regions of an annotation. Results of the same id, such as a box and its text, are of one region."""
    regions: dict[str, list[dict[str, Any]]] = {}
    for position, result in enumerate(results):
        regions.setdefault(str(result.get("id", position)), []).append(result)
    for parts in regions.values():
        values = [value if isinstance(value := part.get("value"), dict) else {} for part in parts]
        shape = next(((part, value) for part, value in zip(parts, values, strict=True) if _SHAPES & value.keys()), None)
        if shape is None:  # of the image as a whole
            continue
        labels = [name for value in values for key in value if key.endswith("labels") for name in _as_list(value[key])]
        attributes = {
            **{str(part.get("from_name")): value.get("choices", []) for part, value in zip(parts, values, strict=True)},
            "text": [text for value in values for text in _as_list(value.get("text"))],
        }
        yield _plate(*shape, labels[0] if labels else None, attributes)


def _plate(part: dict[str, Any], value: dict[str, Any], label: Any, attributes: dict[str, Any]) -> PlateLabel:
    x_unit, y_unit = number(part.get("original_width")) / 100, number(part.get("original_height")) / 100
    if isinstance(points := value.get("points"), list):
        pairs = [point if isinstance(point, list) and len(point) == 2 else [None, None] for point in points]
        return label_polygon([(number(x) * x_unit, number(y) * y_unit) for x, y in pairs], label, attributes)
    if "width" not in value:
        return unusable_label(f"a region of the type {part.get('type')}", label)
    left, top = number(value["x"]) * x_unit, number(value.get("y")) * y_unit
    right, bottom = left + number(value["width"]) * x_unit, top + number(value.get("height")) * y_unit
    rotation = number(value.get("rotation") or 0)
    # Label Studio turns a box about its top left corner.
    return label_box((left, top, right, bottom), label, attributes, rotation, (left, top))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
