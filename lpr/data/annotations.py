"""The annotation JSON, and the table of plates that is made of it.

The JSON is Dataturks's: one object a image, as lines or as an array,

    {"content": URL, "annotation": [{"label": […], "notes": TEXT, "points": [{"x": 0.1, "y": 0.2}, {…}],
     "imageWidth": 800, "imageHeight": 600}], "extras": null}

with opposite corners of each plate as fractions of the image's sides. A image of which it is known that it shows
no plate has one annotation, `{"label": ["no_plate"], "imageWidth": 800, "imageHeight": 600}`. Where `points` came from
elsewhere, `original_points` are the annotation's own.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS
from lpr.errors import UserError
from lpr.plates.text import normalize

PLATE_COLUMNS = ["image", "source", "url", "image_width", "image_height", *BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS, "text"]
REJECT_COLUMNS = ["source", "line", "url", "reason"]
NO_PLATE = "no_plate"

_ROUNDING_PX = 1.0  # a corner this far outside the image is a rounding error, and is put on its edge


@dataclass(frozen=True)
class Annotations:
    """What one annotation file holds.

    Attributes:
        plates: a row a plate, `PLATE_COLUMNS`; boxes in pixels of the size that the JSON gives. A image that shows no
            plate has a row without a box. Own boxes are those that another replaced, and else not a number.
        rejects: a row a line or plate that cannot be used, `REJECT_COLUMNS`; lines count from 1.
        counts: lines, images, plates, texts, without_plates, rejected, swapped.
    """

    plates: pd.DataFrame
    rejects: pd.DataFrame
    counts: dict[str, int]


class Unusable(ValueError):
    """Why a line or a plate cannot be used."""


def read_annotations(path: Path, source: str) -> Annotations:
    """The usable plates of an annotation file, and the rest with its reasons.

    Raises:
        UserError: the file is not text, or nothing in it is usable.
    """
    reader = _Reader(source)
    for line, record in read_records(path):
        reader.add(line, record)
    if not reader.plates:
        reasons = Counter(reject["reason"] for reject in reader.rejects).most_common(3)
        why = "; ".join(f"{reason} ({count}×)" for reason, count in reasons) or "it is empty"
        raise UserError(
            f"source {source}: nothing in its annotation file is usable: {why}. Expected is Dataturks's JSON, "
            'a image a line: {"content": URL, "annotation": [{"points": [{"x": …, "y": …}, …], "imageWidth": …, …}]}'
        )
    plates = pd.DataFrame(reader.plates, columns=PLATE_COLUMNS)
    counts = {
        "lines": reader.lines,
        "images": plates["image"].nunique(),
        "plates": int(plates["top_x"].notna().sum()),
        "texts": int((plates["text"] != "").sum()),
        "without_plates": int(plates["top_x"].isna().sum()),
        "rejected": len(reader.rejects),
        "swapped": reader.swapped,
    }
    return Annotations(plates, pd.DataFrame(reader.rejects, columns=REJECT_COLUMNS), counts)


def read_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Every record with its number from 1: its line, or its place in an array. What is no JSON comes as `Unusable`.

    Raises:
        UserError: the file is not there, or not UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: `dvc repro` makes it") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}), so no annotation JSON"
        ) from None
    if text.lstrip().startswith("["):
        try:
            yield from enumerate(json.loads(text), start=1)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: a JSON array that breaks off at line {error.lineno}: {error.msg}") from None
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            if line.lstrip().startswith('"{""'):
                reason = (
                    'a quoted CSV field with doubled quotes ("{""content""…), not JSON; export the file as JSON lines'
                )
            else:
                reason = f"not JSON: {error.msg} at column {error.colno}"
            yield number, Unusable(reason)


def image_name(source: str, url: str) -> str:
    """The image's file name in the cache: safe, at most 120 characters, and as unique and lasting as the URL."""
    last_part = unquote(urlsplit(url).path if "://" in url else url).replace("\\", "/").rpartition("/")[2]
    stem = re.sub(r"[^A-Za-z0-9]+", "-", last_part).strip("-")[:60]
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return "-".join(filter(None, (source, stem, digest))) + ".jpg"


@dataclass
class _Reader:
    source: str
    plates: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0
    swapped: int = 0

    def add(self, line: int, record: Any) -> None:
        self.lines += 1
        url = ""
        try:
            url, annotations = _image(record)
        except Unusable as error:
            self._reject(line, record.get("content") if isinstance(record, dict) else None, error)
            return
        for annotation in annotations:
            try:
                boxes, swapped = _boxes(annotation)
            except Unusable as error:
                self._reject(line, url, error)
                continue
            self.swapped += swapped
            notes = annotation.get("notes")
            text = normalize(notes) if isinstance(notes, str) and not math.isnan(boxes["top_x"]) else ""
            self.plates.append(
                {"image": image_name(self.source, url), "source": self.source, "url": url, **boxes, "text": text}
            )

    def _reject(self, line: int, url: Any, reason: Unusable) -> None:
        shown = url if isinstance(url, str) else ""
        self.rejects.append({"source": self.source, "line": line, "url": shown, "reason": str(reason)})


def _image(record: Any) -> tuple[str, list[Any]]:
    if isinstance(record, Unusable):
        raise record
    if not isinstance(record, dict):
        raise Unusable(f"not a JSON object but {type(record).__name__}")
    url = record.get("content")
    if not isinstance(url, str) or not url.strip():
        raise Unusable("no URL: `content` is missing or empty")
    annotations = record.get("annotation")
    if not isinstance(annotations, list) or not annotations:
        raise Unusable("no plate: `annotation` is null or empty")
    return url.strip(), annotations


def _boxes(annotation: Any) -> tuple[dict[str, float], bool]:
    """The image's size and the plate's boxes, in pixels, and whether its corners had to be put right."""
    if not isinstance(annotation, dict):
        raise Unusable("an annotation that is no JSON object")
    width, height = (_side(annotation.get(key), key) for key in ("imageWidth", "imageHeight"))
    none = dict.fromkeys([*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS], math.nan)
    row: dict[str, float] = {"image_width": width, "image_height": height, **none}
    if annotation.get("label") == [NO_PLATE]:
        return row, False
    points = _points(annotation, "points")
    row |= zip(BOX_COLUMNS, _corners(points, width, height), strict=True)
    if annotation.get("original_points") is not None:
        row |= zip(ORIGINAL_BOX_COLUMNS, _corners(_points(annotation, "original_points"), width, height), strict=True)
    swapped = len(points) == 2 and any(points[0][axis] > points[1][axis] for axis in "xy")
    return row, swapped


def _points(annotation: dict[str, Any], key: str) -> list[Any]:
    points = annotation.get(key)
    if not isinstance(points, list) or len(points) < 2:
        raise Unusable(f"{len(points) if isinstance(points, list) else 'no'} {key} where two corners are needed")
    return points


def _corners(points: list[Any], width: int, height: int) -> list[float]:
    """The box around the points, in the order of `BOX_COLUMNS`, pixels."""
    xs = [_coordinate(point, "x", width) for point in points]
    ys = [_coordinate(point, "y", height) for point in points]
    box = [min(xs), min(ys), max(xs), max(ys)]
    if box[2] <= box[0] or box[3] <= box[1]:
        raise Unusable("a box of zero area")
    return box


def _side(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 1:
        raise Unusable(f"the image's size is missing: `{key}` is {value!r}")
    return int(value)


def _coordinate(point: Any, axis: str, side: int) -> float:
    """A fraction of the side, as pixels within the image."""
    value = point.get(axis) if isinstance(point, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unusable(f"a corner whose {axis} is {value!r}, not a number")
    pixels = value * side
    if not -_ROUNDING_PX <= pixels <= side + _ROUNDING_PX:
        raise Unusable(f"a corner outside the image: {axis} = {pixels:.1f} of {side} pixels")
    return round(min(max(pixels, 0.0), float(side)), 3)
