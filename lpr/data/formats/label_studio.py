"""Label Studio's exports (labelstud.io/guide/export): rectangles, turned ones among them, and polygons, in per cent.

A plate's text is its region's TextArea (perRegion="true"); what its Choices say may have it ignored. Where no task has
annotations, as in what `lpr predict --format labelstudio` writes, the predictions are taken.

JSON-MIN, CSV and TSV do not say which region a text or a choice is of. Where an image has as many of them as regions,
they are those of the regions in their order; else they are counted and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file, objects, read_json
from lpr.data.annotations import PlateLabel
from lpr.data.attributes import read_attributes
from lpr.data.content import Content
from lpr.data.csv_files import Row, number, read_csv_file
from lpr.data.labelled_images import LabelledImage, image_suffixes, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_box, label_polygon, unusable_label
from lpr.data.urls import is_url
from lpr.errors import UserError

NAMES_ARE_URLS = False
_RESULTS = ("annotations", "completions", "predictions")  # completions in exports of before version 1
_SHAPES = ("x", "points", "rle", "vertices")  # a value with one of these is a region's
_MIN = {"annotation_id", "annotator"}  # keys of JSON-MIN, columns of CSV and TSV
_NO_RESULTS = {*_MIN, "id", "created_at", "updated_at", "lead_time", "agreement", "history"}
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file


class Settings(Source):
    """Images annotated in Label Studio."""

    format: Literal["label_studio"]
    annotations: str = Field(description="path of the export: JSON, JSON-MIN, CSV or TSV")


def recognizes(content: Content) -> bool:
    """Whether it is such an export."""
    return _is_json(content) or _is_min(content)


def _is_json(content: Content) -> bool:
    return content.is_array and "data" in content.keys and bool(content.keys & {*_RESULTS})


def _is_min(content: Content) -> bool:
    return (content.is_array and content.keys >= _MIN) or {*content.columns} >= _MIN


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line a task."""
    file = local_file(source.annotations, source.name)
    content = Content(file)
    places = [file.parent / "images", file.parent, Path()]
    if _is_min(content):
        records = objects(read_json(file)) if content.is_array else [_parsed(row) for row in read_csv_file(file).rows]
        images = [_image_of_min(each) for each in _latest(records)]
        if left_out := sum(unclear for _, unclear in images):
            print(
                f"source {source.name}: {left_out} texts and choices are left out, since {file} does not say which of "
                "an image's regions they are of; Label Studio's export as JSON does"
            )
        write_labelled_images([image for image, _ in images], source, folder, places, data)
        return
    tasks = read_json(file)
    if not isinstance(tasks, list) or not any("data" in task for task in objects(tasks)):
        raise UserError(f"{file}: no export of Label Studio as JSON, JSON-MIN, CSV or TSV: it is {content.describe()}")
    tasks = objects(tasks)
    annotated = any(_annotation(task) is not None for task in tasks)
    if not annotated:
        print(f"source {source.name}: no task of {file} is annotated; its predictions are taken")
    write_labelled_images([_image(task, annotated) for task in tasks], source, folder, places, data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """`images/` beside the JSON, its own folder or the current one; None where tasks have the URLs of their images."""
    return written_image_root(folder)


def _image(task: dict[str, Any], annotated: bool) -> LabelledImage:
    names = _names(task.get("data"))
    found = _annotation(task) if annotated else next(iter(objects(task.get("predictions"))), None)
    if found is None:
        return LabelledImage(names, unusable="a task that nobody has annotated")
    if not isinstance(found.get("result"), list):
        return LabelledImage(names, unusable="a task whose annotation has no list `result`")
    results = objects(found.get("result"))
    sizes = (result for result in results if "original_width" in result)
    size = next(sizes, {})
    plates = list(_plates(results))
    return LabelledImage(names, plates, number(size.get("original_width")), number(size.get("original_height")))


def _parsed(row: Row) -> dict[str, Any]:
    """A row of CSV as JSON-MIN has it."""
    record: dict[str, Any] = {"unusable": f"line {row.line}: {row.unusable}"} if row.unusable else {}
    for column, cell in row.cells.items():
        try:
            record[column] = json.loads(cell) if cell.startswith(("[", "{")) else cell
        except (ValueError, RecursionError) as error:
            record["unusable"] = f"line {row.line}: no JSON in the column {column}: {error}"
    return record


def _latest(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each task, which has a record an annotation, the latest one."""
    latest: dict[str, dict[str, Any]] = {}
    for position, record in enumerate(records):
        task = str(record.get("id") or f"record {position}")
        if task not in latest or str(latest[task].get("updated_at") or "") < str(record.get("updated_at") or ""):
            latest[task] = record
    return list(latest.values())


def _image_of_min(record: dict[str, Any]) -> tuple[LabelledImage, int]:
    """An image of JSON-MIN, and how many of its texts and choices are of no region that is known."""
    names = _names(record)
    if unusable := record.get("unusable"):
        return LabelledImage(names, unusable=str(unusable)), 0
    if record.get("annotation_id") in (None, ""):
        return LabelledImage(names, unusable="a task that nobody has annotated"), 0
    outputs = {key: _as_list(value) for key, value in record.items() if key not in _NO_RESULTS}
    results = [
        {**value, "id": _place(value), "from_name": key, "value": value, "type": _type(value)}
        for key, values in outputs.items()
        for value in objects(values)
        if value
    ]
    regions = list(dict.fromkeys(result["id"] for result in results if {*_SHAPES} & result["value"].keys()))
    unclear = 0
    for key, values in outputs.items():
        words = [value for value in values if isinstance(value, str)]
        if len(words) == len(regions):
            kinds = ["text" if read_attributes({key: word})[0] else "choices" for word in words]
            results += [
                {"id": region, "from_name": key, "value": {kind: [word]}}
                for region, kind, word in zip(regions, kinds, words, strict=True)
            ]
        elif read_attributes({key: words}) != ("", False):
            unclear += len(words)
    size = next((result for result in results if "original_width" in result), {})
    width, height = number(size.get("original_width")), number(size.get("original_height"))
    return LabelledImage(names, list(_plates(results)), width, height), unclear


def _place(value: dict[str, Any]) -> str:
    """What a region's values have in common, since JSON-MIN leaves out the ids of regions."""
    return str([value.get(key) for key in ("y", "width", "height", "rotation", *_SHAPES)])


def _type(value: dict[str, Any]) -> str | None:
    """The type of a region, such as `ellipselabels`, which is also the key of its labels."""
    return next((key for key in value if key.endswith("labels")), None)


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
        pairs = zip(parts, values, strict=True)
        shape = next(((part, value) for part, value in pairs if {*_SHAPES} & value.keys()), None)
        if shape is None:  # of the image as a whole
            continue
        labels = [name for value in values for key in value if key.endswith("labels") for name in _as_list(value[key])]
        attributes = {
            **{str(part.get("from_name")): value.get("choices", []) for part, value in zip(parts, values, strict=True)},
            "text": " ".join(str(text) for value in values for text in _as_list(value.get("text"))),  # lines of a plate
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
