"""Texts and boxes from CSV tables, put into the annotation JSON of a source: its `texts` and `boxes`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.config import Source
from lpr.data.annotation_files import local_file
from lpr.data.annotations import Unusable, read_records
from lpr.data.csv_files import number, read_csv
from lpr.data.urls import SharedTails, path_tails

_CORNERS = ["xmin", "ymin", "xmax", "ymax"]


def apply_overrides(source: Source, path: Path) -> None:
    """Give plates without a text those of `source.texts`, and plates the boxes of `source.boxes`.

    Images and rows are matched by the longest end that their names have in common, at least the last part; where that
    is the end of several names, none has the row, and the number of such images is printed. An image's plates
    and its rows are matched by the pairing of largest total IoU. Rows of texts that have no boxes are an image's plates
    in their order, if there is one row a plate. Every line keeps its number, and bad lines stay as they are.

    Args:
        path: annotation JSON; rewritten in place where `source` names a table.

    Raises:
        UserError: a table is not there, or lacks a column.
    """
    if source.texts is None and source.boxes is None:
        return
    records = list(read_records(path))
    urls = [record["content"] for _, record in records if _has_url(record)]
    texts = _rows_by_image(source, "texts", ["image", "text"], urls)
    boxes = _rows_by_image(source, "boxes", ["image", *_CORNERS], urls)
    lines: dict[int, str] = {}
    counts = {"texts": 0, "boxes": 0}
    for line, record in records:
        if isinstance(record, Unusable):
            # `lpr annotate` will reject it, with the line as it was.
            lines[line] = path.read_text(encoding="utf-8-sig").split("\n")[line - 1]
            continue
        if _has_url(record):
            plates = [plate for plate in record.get("annotation") or [] if isinstance(plate, dict)]
            image = record["content"]
            # Texts first: the boxes of their rows are like the original ones.
            counts["texts"] += _add_texts(plates, texts.get(image, []))
            counts["boxes"] += _override_boxes(plates, boxes.get(image, []))
        lines[line] = json.dumps(record)
    path.write_text("".join(lines.get(line, "") + "\n" for line in range(1, max(lines, default=0) + 1)))
    for what, file in (("texts", source.texts), ("boxes", source.boxes)):
        if file is not None:
            print(f"source {source.name}: {counts[what]} plates have their {what} from {file}")


def _add_texts(plates: list[dict[str, Any]], rows: list[dict[str, str]]) -> int:
    """Texts for plates that have none; the number of plates that a row belongs to."""
    known = [row for row in rows if row["text"]]
    if all(key in row for row in known for key in _CORNERS):
        pairs = _pair_by_iou(plates, known)
    else:
        pairs = list(zip(plates, known, strict=False)) if len(rows) == len(plates) else []
    for plate, row in pairs:
        plate["notes"] = plate.get("notes") or row["text"]
    return len(pairs)


def _override_boxes(plates: list[dict[str, Any]], rows: list[dict[str, str]]) -> int:
    """Boxes of the table; the original ones become `original_points`, clipped to the image. The number of plates."""
    pairs = _pair_by_iou(plates, rows)
    for plate, row in pairs:
        sides = np.array([plate["imageWidth"], plate["imageHeight"]], float)
        original = (np.array(_corners(plate)).reshape(2, 2) / sides).clip(0, 1)
        plate.setdefault("original_points", [{"x": x, "y": y} for x, y in original.tolist()])
        plate["points"] = [
            {"x": number(row["xmin"]) / plate["imageWidth"], "y": number(row["ymin"]) / plate["imageHeight"]},
            {"x": number(row["xmax"]) / plate["imageWidth"], "y": number(row["ymax"]) / plate["imageHeight"]},
        ]
    return len(pairs)


def _pair_by_iou(
    plates: list[dict[str, Any]], rows: list[dict[str, str]]
) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Pair an image's plates with the boxes of rows: the pairing of largest total IoU, overlapping boxes only."""
    from scipy.optimize import linear_sum_assignment

    usable = [plate for plate in plates if (corners := _corners(plate)) is not None and not np.isnan(corners).any()]
    if not usable or not rows:
        return []
    plate_boxes = np.array([_corners(plate) for plate in usable])
    row_boxes = np.array([[number(row[key]) for key in _CORNERS] for row in rows])
    overlap = np.nan_to_num(pairwise_iou(plate_boxes, row_boxes))
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return [(usable[i], rows[j]) for i, j in pairs if overlap[i, j] > 0]


def _corners(plate: dict[str, Any]) -> list[float] | None:
    """xmin, ymin, xmax, ymax in pixels; None where the annotation has no usable points."""
    try:
        xs = [float(point["x"] * plate["imageWidth"]) for point in plate["points"]]
        ys = [float(point["y"] * plate["imageHeight"]) for point in plate["points"]]
        return [min(xs), min(ys), max(xs), max(ys)]
    except (KeyError, TypeError, ValueError):
        return None


def _has_url(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("content"), str)


def _rows_by_image(source: Source, key: str, columns: list[str], urls: list[str]) -> dict[str, list[dict[str, str]]]:
    """For each URL that has any, its rows of the CSV that the source's `key` names; none if that is null."""
    file = getattr(source, key)
    if file is None:
        return {}
    rows: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(local_file(file, source.name, key), columns).to_dict("records"):
        rows.setdefault(row["image"], []).append({str(name): value for name, value in row.items()})
    shared = SharedTails(rows), SharedTails(urls)
    names = {tail: name for name in rows for tail in path_tails(name)}
    found: dict[str, list[dict[str, str]]] = {}
    unclear = 0
    for url in dict.fromkeys(urls):
        tail = next((tail for tail in path_tails(url) if tail in names), None)
        if url in rows:
            found[url] = rows[url]
        elif tail is None:
            continue
        elif shared[0].unclear(names[tail], tail) or shared[1].unclear(url, tail):
            unclear += 1
        else:
            found[url] = rows[names[tail]]
    if unclear:
        print(
            f"source {source.name}: {unclear} images have no {key} from {file}: their names there are the ends of "
            "several images' names; write their folders, too"
        )
    return found
