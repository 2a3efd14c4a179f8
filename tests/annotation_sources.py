"""Data sources for tests: annotation files, and what they become."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from lpr.config import AnySource, Data, Source
from lpr.data.annotations import Annotations, read_annotations
from lpr.data.sources import obtain


def source(format_: str, annotations: Path | str, **paths: Any) -> Source:
    """A source, with `texts`, `boxes` or `image_root`."""
    values = {"name": "mine", "format": format_, "annotations": str(annotations)}
    return AnySource.model_validate(values | {key: str(value) for key, value in paths.items()})


def record(url: str, *boxes: tuple[float, float, float, float], notes: str = "") -> str:
    """A line of annotation JSON with boxes in pixels of a 200 × 100 image."""
    plates = [
        {
            "notes": notes,
            "points": [{"x": x0 / 200, "y": y0 / 100}, {"x": x1 / 200, "y": y1 / 100}],
            "imageWidth": 200,
            "imageHeight": 100,
        }
        for x0, y0, x1, y1 in boxes
    ]
    return json.dumps({"content": url, "annotation": plates}) + "\n"


def encoded(colour: int = 90, kind: str = "JPEG", **options: Any) -> bytes:
    """The image of such a line, of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (200, 100), (colour, 90, 200)).save(file, kind, **options)
    return file.getvalue()


def obtained(source: Source, folder: Path, data: Data) -> Annotations:
    """What `lpr source` and `lpr annotate` make of it."""
    obtain(source, folder, data)
    return read_annotations(folder / "annotations.json", source.name)


def labels(folder: Path) -> list[tuple[str, list[float], str, str, bool]]:
    """What a format wrote to its source's folder, a row a label: image, box in pixels, label, text, whether ignored."""
    rows = []
    for line in (folder / "annotations.json").read_text(encoding="utf-8").splitlines():
        for each in json.loads(line).get("annotation", []) if line else []:
            xs = [round(point["x"] * each["imageWidth"], 2) for point in each["points"]]
            ys = [round(point["y"] * each["imageHeight"], 2) for point in each["points"]]
            box = [min(xs), min(ys), max(xs), max(ys)] if xs else []
            rows.append((json.loads(line)["content"], box, each["label"][0], each["notes"], each.get("ignored", False)))
    return rows


def corners(folder: Path) -> list[list[float]]:
    """The corners of the first label that a format wrote, in pixels."""
    line = (folder / "annotations.json").read_text(encoding="utf-8").splitlines()[0]
    plate = json.loads(line)["annotation"][0]
    size = plate["imageWidth"], plate["imageHeight"]
    return [[round(point["x"] * size[0], 2), round(point["y"] * size[1], 2)] for point in plate["points"]]
