"""Where annotations come from: every kind of source becomes the same Dataturks JSON.

What the user gave is kept line for line, good or bad: `annotate` judges it, and its rejects name the user's own lines.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.config import Data, Source
from lpr.config.messages import validate
from lpr.data import formats
from lpr.data.annotation_files import ANNOTATIONS, local_file, number, read_csv
from lpr.data.annotations import Unusable, read_records
from lpr.data.fetching import last_part


def obtain(source: Source, folder: Path, data: Data) -> None:
    """Write `folder/annotations.json`, and whatever else the source's format brings.

    Raises:
        UserError: the annotations cannot be had, or are of another format.
    """
    module = formats.load(source.format)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = validate(module.Settings, source.model_dump(), f"source {source.name}", "data.sources")
    module.write_annotations(settings, folder, data)
    _join(source, folder / ANNOTATIONS)


def _join(source: Source, path: Path) -> None:
    """Put texts and boxes from the source's CSVs into its JSON."""
    if source.texts is None and source.boxes is None:
        return
    texts = _by_image(source.texts, ["image", "text"], source.name)
    boxes = _by_image(source.boxes, ["image", "xmin", "ymin", "xmax", "ymax"], source.name)
    lines: dict[int, str] = {}
    joined = {"texts": 0, "boxes": 0}
    for line, record in read_records(path):
        if isinstance(record, Unusable):
            # Left for `annotate` to reject; its words stand where the line did.
            lines[line] = path.read_text(encoding="utf-8-sig").split("\n")[line - 1]
            continue
        if isinstance(record, dict) and isinstance(record.get("content"), str):
            plates = [plate for plate in record.get("annotation") or [] if isinstance(plate, dict)]
            image = last_part(record["content"])
            # Texts first: their rows name the annotation's own boxes.
            joined["texts"] += _join_texts(plates, texts.get(image, []))
            joined["boxes"] += _join_boxes(plates, boxes.get(image, []))
        lines[line] = json.dumps(record)
    path.write_text("".join(lines.get(line, "") + "\n" for line in range(1, max(lines, default=0) + 1)))
    for what, file in (("texts", source.texts), ("boxes", source.boxes)):
        if file is not None:
            print(f"source {source.name}: {joined[what]} plates have their {what} from {file}")


def _join_texts(plates: list[dict[str, Any]], rows: list[dict[str, str]]) -> int:
    known = [row for row in rows if row["text"]]
    if all(key in row for row in known for key in ("xmin", "ymin", "xmax", "ymax")):
        pairs = _match(plates, known)
    else:
        pairs = list(zip(plates, known, strict=False)) if len(rows) == len(plates) else []
    for plate, row in pairs:
        plate["notes"] = plate.get("notes") or row["text"]
    return len(pairs)


def _join_boxes(plates: list[dict[str, Any]], rows: list[dict[str, str]]) -> int:
    """Put the CSV's boxes in the place of the annotation's own, which are kept as `original_points`, within the image."""
    pairs = _match(plates, rows)
    for plate, row in pairs:
        sides = np.array([plate["imageWidth"], plate["imageHeight"]], float)
        own = (np.array(_corners(plate)).reshape(2, 2) / sides).clip(0, 1)
        plate.setdefault("original_points", [{"x": x, "y": y} for x, y in own.tolist()])
        plate["points"] = [
            {"x": number(row["xmin"]) / plate["imageWidth"], "y": number(row["ymin"]) / plate["imageHeight"]},
            {"x": number(row["xmax"]) / plate["imageWidth"], "y": number(row["ymax"]) / plate["imageHeight"]},
        ]
    return len(pairs)


def _match(plates: list[dict[str, Any]], rows: list[dict[str, str]]) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Pair a image's plates with a CSV's boxes: the pairing of largest total IoU, overlapping boxes only."""
    from scipy.optimize import linear_sum_assignment

    usable = [plate for plate in plates if (corners := _corners(plate)) is not None and not np.isnan(corners).any()]
    if not usable or not rows:
        return []
    ours = np.array([_corners(plate) for plate in usable])
    theirs = np.array([[number(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")] for row in rows])
    overlap = np.nan_to_num(pairwise_iou(ours, theirs))
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return [(usable[i], rows[j]) for i, j in pairs if overlap[i, j] > 0]


def _corners(plate: dict[str, Any]) -> list[float] | None:
    """xmin, ymin, xmax, ymax in pixels; None where the annotation has none."""
    try:
        xs = [float(point["x"] * plate["imageWidth"]) for point in plate["points"]]
        ys = [float(point["y"] * plate["imageHeight"]) for point in plate["points"]]
        return [min(xs), min(ys), max(xs), max(ys)]
    except (KeyError, TypeError, ValueError):
        return None


def _by_image(file: str | None, columns: list[str], name: str) -> dict[str, list[dict[str, str]]]:
    if file is None:
        return {}
    rows: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(local_file(file, name), columns).to_dict("records"):
        rows.setdefault(last_part(row["image"]), []).append({str(key): value for key, value in row.items()})
    return rows
