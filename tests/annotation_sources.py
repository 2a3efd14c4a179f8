"""Data sources for tests: annotation files, and what they become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def obtained(source: Source, folder: Path, data: Data) -> Annotations:
    """What `lpr source` and `lpr annotate` make of it."""
    obtain(source, folder, data)
    return read_annotations(folder / "annotations.json", source.name)
