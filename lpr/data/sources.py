"""Where annotations come from: every kind of source becomes the same Dataturks JSON.

What the user gave is kept line for line, good or bad: `annotate` judges it, and its rejects name the user's own lines.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lpr.boxes import pairwise_iou
from lpr.config import Data, FileSource, Source
from lpr.data.annotations import NO_PLATE, Unusable, read_records
from lpr.data.fetch import Unavailable, fetch, last_part, redact, session
from lpr.errors import UserError

ANNOTATIONS = "annotations.json"
TABLE_COLUMNS = ["image", "width", "height", "xmin", "ymin", "xmax", "ymax"]


def obtain(source: Source, folder: Path, data: Data) -> None:
    """Write `folder/annotations.json` (and, for drawn scenes, `folder/pictures/`).

    Raises:
        UserError: the annotation file cannot be had, or is no table where it should be one.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if source.kind == "synthetic":
        from lpr.data.synthetic import draw_scenes

        draw_scenes(folder, source.scenes, source.seed)
        return
    target = folder / ANNOTATIONS
    if source.kind == "table":
        target.write_text(_table_as_json(_local_file(source.where, source.name)))
    elif "://" in str(source.where):
        target.write_bytes(_fetch(str(source.where), source.name, data))
    else:
        target.write_bytes(_local_file(source.where, source.name).read_bytes())
    _join(source, target)


def _local_file(where: str | None, name: str) -> Path:
    path = Path(str(where)).expanduser()
    if not path.is_file():
        raise UserError(f"source {name}: there is no file {where} (from {Path.cwd()}); set data.json to where it is")
    return path


def _fetch(url: str, name: str, data: Data) -> bytes:
    try:
        with session(data) as http:
            content, _ = fetch(http, url, data)
            return content
    except Unavailable as error:
        raise UserError(f"source {name}: {redact(url)} cannot be had: {error}") from None


def _table_as_json(path: Path) -> str:
    """A CSV of boxes as JSON lines, so that line numbers are the CSV's: its header becomes an empty line.

    A row with neither box nor text is of a picture that shows no plate.
    """
    table = _read_csv(path, TABLE_COLUMNS)
    lines = [""]
    for row in table.to_dict("records"):
        width, height = row["width"], row["height"]
        seen = any(row.get(cell) for cell in ("xmin", "ymin", "xmax", "ymax", "text"))
        points = [
            {"x": _number(row[x]) / (_number(width) or np.nan), "y": _number(row[y]) / (_number(height) or np.nan)}
            for x, y in (("xmin", "ymin"), ("xmax", "ymax"))
        ]
        plate = {
            "label": ["number_plate"] if seen else [NO_PLATE],
            "notes": row.get("text", ""),
            "points": points if seen else [],
            "imageWidth": _integer(width),
            "imageHeight": _integer(height),
        }
        lines.append(json.dumps({"content": row["image"], "annotation": [plate], "extras": None}))
    return "\n".join(lines) + "\n"


def _join(source: FileSource, path: Path) -> None:
    """Put texts and boxes from the source's CSVs into its JSON."""
    if source.texts is None and source.boxes is None:
        return
    texts = _by_picture(source.texts, ["image", "text"], source.name)
    boxes = _by_picture(source.boxes, ["image", "xmin", "ymin", "xmax", "ymax"], source.name)
    lines: dict[int, str] = {}
    joined = {"texts": 0, "boxes": 0}
    for number, record in read_records(path):
        if isinstance(record, Unusable):
            # Left for `annotate` to reject; its words stand where the line did.
            lines[number] = path.read_text(encoding="utf-8-sig").split("\n")[number - 1]
            continue
        if isinstance(record, dict) and isinstance(record.get("content"), str):
            plates = [plate for plate in record.get("annotation") or [] if isinstance(plate, dict)]
            picture = last_part(record["content"])
            # Texts first: their rows name the annotation's own boxes.
            joined["texts"] += _join_texts(plates, texts.get(picture, []))
            joined["boxes"] += _join_boxes(plates, boxes.get(picture, []))
        lines[number] = json.dumps(record)
    path.write_text("".join(lines.get(number, "") + "\n" for number in range(1, max(lines, default=0) + 1)))
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
    """Put the CSV's boxes in the place of the annotation's own, which are kept as `own_points`, within the picture."""
    pairs = _match(plates, rows)
    for plate, row in pairs:
        sides = np.array([plate["imageWidth"], plate["imageHeight"]], float)
        own = (np.array(_corners(plate)).reshape(2, 2) / sides).clip(0, 1)
        plate.setdefault("own_points", [{"x": x, "y": y} for x, y in own.tolist()])
        plate["points"] = [
            {"x": _number(row["xmin"]) / plate["imageWidth"], "y": _number(row["ymin"]) / plate["imageHeight"]},
            {"x": _number(row["xmax"]) / plate["imageWidth"], "y": _number(row["ymax"]) / plate["imageHeight"]},
        ]
    return len(pairs)


def _match(plates: list[dict[str, Any]], rows: list[dict[str, str]]) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Pair a picture's plates with a CSV's boxes: the pairing of largest total IoU, overlapping boxes only."""
    from scipy.optimize import linear_sum_assignment

    usable = [plate for plate in plates if (corners := _corners(plate)) is not None and not np.isnan(corners).any()]
    if not usable or not rows:
        return []
    ours = np.array([_corners(plate) for plate in usable])
    theirs = np.array([[_number(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")] for row in rows])
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


def _by_picture(file: str | None, columns: list[str], name: str) -> dict[str, list[dict[str, str]]]:
    if file is None:
        return {}
    rows: dict[str, list[dict[str, str]]] = {}
    for row in _read_csv(_local_file(file, name), columns).to_dict("records"):
        rows.setdefault(last_part(row["image"]), []).append({str(key): value for key, value in row.items()})
    return rows


def _read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV table: {error}") from None
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise UserError(
            f"{path}: no column {', '.join(map(repr, missing))}; it has {', '.join(map(str, table.columns))}, "
            f"and needs {', '.join(columns)}"
        )
    return table


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _integer(cell: str) -> int | None:
    number = _number(cell)
    return int(number) if np.isfinite(number) else None
