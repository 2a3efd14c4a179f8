"""Texts and boxes from CSV tables, put into the annotation JSON of a source: its `texts` and `boxes`."""

from __future__ import annotations

import json
import math
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.config import Source
from lpr.data.annotation_files import local_file
from lpr.data.annotations import Unusable, label_of, plate_labels_of, read_records
from lpr.data.csv_files import number, read_csv
from lpr.data.labelled_images import image_suffixes
from lpr.data.urls import SharedTails, path_of, path_tails

_CORNERS = ["xmin", "ymin", "xmax", "ymax"]

_Plate = list[dict[str, Any]]
"""The annotations of one plate: several where it is listed again."""


class _Row(NamedTuple):
    """A row of a table of texts or boxes.

    Attributes:
        line: of the file, from 1.
        image: its name or URL, as it is written.
        text: empty where there is none.
        box: left, top, right, bottom, pixels; NaN where a cell is no number, None where all are empty.
    """

    line: int
    image: str
    text: str
    box: list[float] | None


def apply_overrides(source: Source, path: Path, plate_labels: Sequence[str] | None = None) -> None:
    """Give plates without a text those of `source.texts`, and plates the boxes of `source.boxes`.

    Images and rows are matched by the longest end that their names have in common, at least the last part; where that
    is the end of several names, none has the row, and the number of such images is printed. Names that have no such end
    are matched as image files are found: whatever their case and slashes, and without a suffix. An image's plates and
    its rows are matched by the pairing of largest total IoU. Rows of texts that have no boxes are an image's plates in
    their order, ignored ones left out, if there is one row a plate. Rows without an image or a plate are counted. Every
    line keeps its number, and bad lines stay as they are.

    Args:
        path: annotation JSON; rewritten in place where `source` names a table.
        plate_labels: labels of plates, as in `read_annotations`.

    Raises:
        UserError: a table is not there, or lacks a column; or none of several labels is known as a plate's.
    """
    if source.texts is None and source.boxes is None:
        return
    records = list(read_records(path))
    plates = _plates_by_image((record for _, record in records), plate_labels_of(path, source.name, plate_labels))
    # Texts first: the boxes of their rows are like the original ones.
    if source.texts is not None:
        _apply_table(source, "texts", ["image", "text"], plates, _add_texts)
    if source.boxes is not None:
        _apply_table(source, "boxes", ["image", *_CORNERS], plates, _override_boxes)
    lines: dict[int, str] = {}
    for line, record in records:
        if isinstance(record, Unusable):
            # `lpr annotate` will reject it, with the line as it was.
            lines[line] = path.read_text(encoding="utf-8-sig").split("\n")[line - 1]
        else:
            lines[line] = json.dumps(record)
    path.write_text("".join(lines.get(line, "") + "\n" for line in range(1, max(lines, default=0) + 1)))


def _plates_by_image(records: Iterable[Any], labels: Collection[str]) -> dict[str, list[_Plate]]:
    """The plates of each image, in the order of the file: some formats have a record a plate."""
    images: dict[str, dict[Any, _Plate]] = {}
    for record in records:
        if not isinstance(record, dict) or not isinstance(record.get("content"), str):
            continue
        plates = images.setdefault(record["content"].strip(), {})
        annotations = record.get("annotation")
        for annotation in annotations if isinstance(annotations, list) else []:
            if isinstance(annotation, dict) and label_of(annotation) in labels:
                corners = _corners(annotation)
                key = id(annotation) if corners is None else tuple(f"{corner:.1f}" for corner in corners)
                plates.setdefault(key, []).append(annotation)
    return {url: list(plates.values()) for url, plates in images.items()}


def _apply_table(
    source: Source,
    key: str,
    columns: list[str],
    plates: dict[str, list[_Plate]],
    override: Callable[[list[_Plate], list[_Row]], tuple[int, dict[int, str]]],
) -> None:
    """Change the plates by the table that the source's `key` names, and print how many have changed.

    Args:
        columns: that the table must have.
        plates: of each image.
        override: changes an image's plates by its rows; returns how many, and by their lines why rows have no plate.
    """
    file = getattr(source, key)
    rows = _read_rows(local_file(file, source.name, key), columns)
    names, unclear = _match_names(rows, plates)
    taken = set(names.values())
    count = 0
    # Rows of texts without a text have nothing to give.
    left = {row.line: name for name in rows if name not in taken for row in rows[name] if row.text or key == "boxes"}
    for url, name in names.items():
        changed, without = override(plates[url], rows[name])
        count += changed
        left |= {line: f"{name}: {why}" for line, why in without.items()}
    print(f"source {source.name}: {count} plates have their {key} from {file}")
    if unclear:
        print(
            f"source {source.name}: {unclear} images have no {key} from {file}: their names there are the ends of "
            "several images' names; write their folders, too"
        )
    if left:
        line = min(left)
        print(
            f"source {source.name}: {len(left)} rows of {file} belong to no image or plate, such as line {line} "
            f"({left[line]})"
        )


def _read_rows(file: Path, columns: list[str]) -> dict[str, list[_Row]]:
    """The rows of a CSV with these columns, by their images."""
    rows: dict[str, list[_Row]] = {}
    table = read_csv(file, columns)
    for line, cells in zip(table.index, table.to_dict("records"), strict=True):
        corners = [cells.get(column, "").strip() for column in _CORNERS]
        # They may be swapped, as those of annotations may.
        box = np.sort(np.reshape([number(corner) for corner in corners], (2, 2)), axis=0).ravel().tolist()
        row = _Row(line, cells["image"], cells.get("text", "").strip(), box if any(corners) else None)
        rows.setdefault(row.image, []).append(row)
    return rows


def _add_texts(plates: list[_Plate], rows: list[_Row]) -> tuple[int, dict[int, str]]:
    """Texts for plates that have none."""
    known = [row for row in rows if row.text]
    if any(row.box for row in rows):
        pairs = _pair_by_iou(plates, known)
        why = "no plate at its box"
    else:
        counted = [plate for plate in plates if plate[0].get("ignored") is not True]
        pairs = list(zip(counted, rows, strict=True)) if len(counted) == len(rows) else []
        why = f"{len(rows)} rows without boxes, {len(counted)} plates"
    changed = [(plate, row) for plate, row in pairs if row.text and not any(each.get("notes") for each in plate)]
    for plate, row in changed:
        plate[0]["notes"] = row.text
    paired = {row.line for _, row in pairs}
    return len(changed), {row.line: why for row in known if row.line not in paired}


def _override_boxes(plates: list[_Plate], rows: list[_Row]) -> tuple[int, dict[int, str]]:
    """Boxes of the table; the original ones become `original_points`, clipped to the image."""
    pairs = _pair_by_iou(plates, rows)
    for plate, row in pairs:
        for annotation in plate:  # all of them, or those that are listed again would become plates of their own
            sides = np.array([annotation["imageWidth"], annotation["imageHeight"]], float)
            original = (np.array(_corners(annotation)).reshape(2, 2) / sides).clip(0, 1)
            annotation.setdefault("original_points", [{"x": x, "y": y} for x, y in original.tolist()])
            corners = np.array(row.box).reshape(2, 2) / sides
            annotation["points"] = [{"x": x, "y": y} for x, y in corners.tolist()]
    paired = {row.line for _, row in pairs}
    return len(pairs), {row.line: "no plate at its box" for row in rows if row.line not in paired}


def _pair_by_iou(plates: list[_Plate], rows: list[_Row]) -> list[tuple[_Plate, _Row]]:
    """Pair an image's plates with the boxes of rows: the pairing of largest total IoU, overlapping boxes only."""
    from scipy.optimize import linear_sum_assignment

    usable = [plate for plate in plates if _corners(plate[0]) is not None]
    boxed = [row for row in rows if row.box]
    if not usable or not boxed:
        return []
    plate_boxes = np.array([_corners(plate[0]) for plate in usable])
    overlap = np.nan_to_num(pairwise_iou(plate_boxes, np.array([row.box for row in boxed])))
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return [(usable[i], boxed[j]) for i, j in pairs if overlap[i, j] > 0]


def _corners(annotation: dict[str, Any]) -> list[float] | None:
    """xmin, ymin, xmax, ymax in pixels; None where the annotation has no usable points."""
    try:
        xs = [float(point["x"] * annotation["imageWidth"]) for point in annotation["points"]]
        ys = [float(point["y"] * annotation["imageHeight"]) for point in annotation["points"]]
        corners = [min(xs), min(ys), max(xs), max(ys)]
    except (KeyError, TypeError, ValueError):
        return None
    return corners if all(map(math.isfinite, corners)) else None


def _match_names(names: Collection[str], urls: Collection[str]) -> tuple[dict[str, str], int]:
    """For each URL that has one, its name in the table; and how many have none since it may be that of others, too.

    Args:
        names: of images in the table.
        urls: of the images of the annotations.
    """
    found: dict[str, str] = {}
    unclear: set[str] = set()
    forms: list[tuple[Callable[[str], str], Callable[[str], str]]] = [(str, str), (_fold, _fold), (_fold, _fold_stem)]
    for name_form, url_form in forms:  # as they are; then, of those that are left, as image files are found
        name_forms, url_forms = {name: name_form(name) for name in names}, {url: url_form(url) for url in urls}
        # `SharedTails` takes names that became one to be one.
        name_counts, url_counts = Counter(name_forms.values()), Counter(url_forms.values())
        shared = SharedTails(name_forms.values()), SharedTails(url_forms.values())
        taken = set(found.values())
        by_tail = {tail: name for name, form in name_forms.items() if name not in taken for tail in path_tails(form)}
        for url, form in url_forms.items():
            tail = next((tail for tail in path_tails(form) if tail in by_tail), None)
            if url in found:
                continue
            if url in name_forms:
                found[url] = url
            elif tail is not None:
                name = by_tail[tail]
                several = name_counts[name_forms[name]] > 1 or url_counts[form] > 1
                if several or shared[0].unclear(name_forms[name], tail) or shared[1].unclear(form, tail):
                    unclear.add(url)
                else:
                    found[url] = name
    return found, len(unclear - found.keys())


def _fold(name: str) -> str:
    """The path of an image as it is written everywhere: with slashes, in lower case, letters with accents as one."""
    return unicodedata.normalize("NFC", path_of(name).strip().replace("\\", "/")).casefold()


def _fold_stem(name: str) -> str:
    """Likewise, and without the suffix of an image."""
    folded = _fold(name)
    return posixpath.splitext(folded)[0] if folded.endswith(image_suffixes()) else folded
