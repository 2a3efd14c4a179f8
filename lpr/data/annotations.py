"""The annotation JSON that every format becomes, and the table of plates that is made of it.

One object an image, as lines or as an array, in the form that Dataturks exports:

    {"content": URL, "annotation": [{"label": […], "notes": TEXT, "points": [{"x": 0.1, "y": 0.2}, {…}],
     "imageWidth": 800, "imageHeight": 600}], "extras": null}

`content` is the image's URL or its path below the source's image root; `points` are opposite corners of a plate, or
all its corners, as fractions of the image's width and height, and `notes` its text. Annotations of other things than
plates, told by their `label`, are counted and left out (`plate_labels`). An image that is known to show no plate has
one annotation, without `points`: `{"label": ["no_plate"], "imageWidth": 800, "imageHeight": 600}`. Where `points` come
from a table of override boxes, `original_points` are the annotation's own. With `"ignored": true`, what the box holds
is neither a plate nor background: it trains nothing, and finding it is no mistake. What a format found to be unusable,
an image or one of its plates, has the reason as `unusable`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS
from lpr.data.urls import path_of
from lpr.errors import UserError
from lpr.plates.text import normalize, other_characters

if TYPE_CHECKING:
    import pandas as pd

PLATE_COLUMNS = [
    *["image", "source", "url", "image_width", "image_height"],
    *[*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS, "text", "ignored"],
]
REJECT_COLUMNS = ["source", "line", "url", "reason"]
ANNOTATIONS = "annotations.json"
"""Name of the file of annotation JSON in a source's folder."""

NUMBER_PLATE = "number_plate"
"""The label of plates where a format has none of its own."""
SAME_PLATE = "the same plate of the same image"
"""The beginning of the reason for which a plate that is listed twice is rejected."""
NO_BOX = (math.nan, math.nan, math.nan, math.nan)

_NO_PLATE = "no_plate"
# In the names that people and public data sets give the class, in several languages.
_NAMES_A_PLATE = re.compile(
    r"plate|licen[cs]|registration|\b(lp|anpr|alpr)\b|kennzeichen|nummernschild|plaque|matr[ií]cula|placa|targa|номер|"
    r"车牌|車牌|ナンバー"
)
# … and that they give to what shows none, such as "car without plate".
_NAMES_NO_PLATE = re.compile(
    rf"(?<![^\W_])(no|not|without|missing|ohne|sans|sem|sin)[\W_]+.*({_NAMES_A_PLATE.pattern})"
)

_LEAST_PX = 1.0  # width and height of a box; what is less is a slip, or a fraction among pixels
_LARGEST = 1e9  # coordinate; JSON has integers that no float can hold
_ROUNDING_PX = 1.0  # a corner up to this far outside the image is a rounding error and is moved to its edge


class Detail(NamedTuple):
    """What an annotation says of a plate beyond its row of `Annotations.plates`.

    Attributes:
        label: what it is of, as annotated; "" where it does not say, and for an image without plates.
        text: as annotated, before it is normalized.
        corners: its four corners, x and y in pixels of the size that the JSON gives; None where only a box is known.
    """

    label: str
    text: str
    corners: list[tuple[float, float]] | None


@dataclass(frozen=True)
class Annotations:
    """What one annotation file holds.

    Attributes:
        plates: a row a plate, `PLATE_COLUMNS`; boxes in pixels of the size that the JSON gives. An image without plates
            has one row, whose box is NaN. Original boxes are those that an override box replaced, else NaN. `ignored`
            boxes are neither plates nor background.
        details: of each row of `plates`.
        rejects: a row a line or plate that cannot be used, `REJECT_COLUMNS`; lines count from 1.
        counts: lines, images, plates, texts, texts_beyond_latin (with characters other than A–Z and 0–9),
            without_plates, ignored, rejected, swapped, other_labels.
        other_labels: label → how many annotations have it, of those that are not plates.
        other_characters: character other than A–Z and 0–9 → how many texts have it.
    """

    plates: pd.DataFrame
    details: list[Detail]
    rejects: pd.DataFrame
    counts: dict[str, int]
    other_labels: dict[str, int]
    other_characters: dict[str, int]


class PlateLabel(NamedTuple):
    """A plate as a human labelled it.

    Attributes:
        box: left, top, right, bottom; pixels of the image.
        text: what stands on it; empty where unknown.
        ignored: whether it is neither a plate nor background: it trains nothing, and finding it is no mistake.
        label: what it is of, as the annotator named it; others than plates are left out (`data.plate_labels`).
        corners: the four corners whose hull the box is, x and y in pixels; None where only the box is known.
        unusable: why it cannot be used; empty where it can.
    """

    box: tuple[float, float, float, float]
    text: str = ""
    ignored: bool = False
    label: str = NUMBER_PLATE
    corners: Sequence[tuple[float, float]] | None = None
    unusable: str = ""


class Unusable(ValueError):
    """Why a line or a plate cannot be used."""


def annotation_line(image: str, width: float, height: float, plates: Sequence[PlateLabel]) -> str:
    """An image and its plates as one line of annotation JSON, without the line end.

    Nothing is checked: `read_annotations` rejects what is unusable, such as NaN, by the number of its line.

    Args:
        image: its URL, or its path below the source's image root.
        width: of the image, pixels.
        height: of the image, pixels.
        plates: empty for an image that is known to show none.
    """
    size = {"imageWidth": _whole(width), "imageHeight": _whole(height)}

    def corner(x: float, y: float) -> dict[str, float]:
        return {"x": x / (width or math.nan), "y": y / (height or math.nan)}

    annotations = [
        {
            "label": [plate.label],
            "notes": plate.text,
            "points": [corner(x, y) for x, y in plate.corners or (plate.box[:2], plate.box[2:])],
            **size,
        }
        | ({"ignored": True} if plate.ignored else {})
        | ({"unusable": plate.unusable} if plate.unusable else {})
        for plate in plates
    ]
    no_plate = {"label": [_NO_PLATE], "notes": "", "points": [], **size}
    return json.dumps({"content": image, "annotation": annotations or [no_plate], "extras": None})


def unusable_line(image: str, reason: str) -> str:
    """A line of annotation JSON that `read_annotations` rejects for this reason; `image`: "" where it is unknown."""
    return json.dumps({"content": image, "unusable": reason})


def _whole(side: float) -> int | None:
    return int(side) if math.isfinite(side) else None


def read_annotations(path: Path, source: str, plate_labels: Sequence[str] | None = None) -> Annotations:
    """The usable plates of an annotation file, and the rest with its reasons.

    Args:
        plate_labels: labels of plates; None: those whose name says so, or the only one that there is.

    Raises:
        UserError: the file is not text, or nothing in it is usable; or none of several labels is known as a plate's.
    """
    import pandas as pd

    rows = _Rows(source, plate_labels_of(path, source, plate_labels))
    for line, record in read_records(path):
        rows.add(line, record)
    rows.add_images_of_others()
    if not rows.plates:
        reasons = Counter(reject["reason"] for reject in rows.rejects).most_common(3)
        why = "; ".join(f"{reason} ({count}×)" for reason, count in reasons) or "it is empty"
        raise UserError(
            f"source {source}: nothing in its annotation file is usable: {why}; what each format holds is described in "
            "docs/data.md"
        )
    plates = pd.DataFrame(rows.plates, columns=PLATE_COLUMNS)
    texts = plates.loc[~plates["ignored"], "text"]
    others = texts.map(other_characters)
    characters = Counter(character for found in others for character in sorted(set(found)))
    counts = {
        "lines": rows.lines,
        "images": plates["image"].nunique(),
        "plates": int((plates["top_x"].notna() & ~plates["ignored"]).sum()),
        "texts": int((texts != "").sum()),
        "texts_beyond_latin": int((others != "").sum()),
        "without_plates": int(plates["top_x"].isna().sum()),
        "ignored": int(plates["ignored"].sum()),
        "rejected": len(rows.rejects),
        "swapped": rows.swapped,
        "other_labels": sum(rows.other_labels.values()),
    }
    rejects = pd.DataFrame(rows.rejects, columns=REJECT_COLUMNS)
    others_by_label = dict(rows.other_labels.most_common())
    return Annotations(plates, rows.details, rejects, counts, others_by_label, dict(characters.most_common()))


def plate_labels_of(path: Path, source: str, chosen: Sequence[str] | None) -> frozenset[str]:
    """The labels in a file that are plates', in lower case; "" is that of annotations without one."""
    found: Counter[str] = Counter()
    for _, record in read_records(path):
        annotations = record.get("annotation") if isinstance(record, dict) else None
        if isinstance(annotations, list):
            boxes = [each for each in annotations if not _says_no_plate(each)]
            found.update(label for each in boxes if (label := label_of(each)) or not _reason(each))
    listed = ", ".join(f"{label!r} ({count}×)" for label, count in found.most_common())
    if chosen is not None:
        named = frozenset(label.lower() for label in chosen)
        if not named & found.keys():
            raise UserError(f"source {source}: no label is one of data.plate_labels: {listed}")
        return named
    plates = frozenset(
        label for label in found if not label or (_NAMES_A_PLATE.search(label) and not _NAMES_NO_PLATE.search(label))
    )
    if len(found) > 1 and not plates:
        raise UserError(
            f"source {source}: none of its labels is known as that of plates: {listed}; name those of plates: "
            f"""'data.plate_labels=["{next(iter(found))}"]'"""
        )
    return plates or frozenset(found)


def label_of(annotation: Any) -> str:
    """What an annotation is of, in lower case; "" where it does not say."""
    label = annotation.get("label") if isinstance(annotation, dict) else None
    if isinstance(label, list):
        label = label[0] if label else None
    return label.strip().lower() if isinstance(label, str) else ""


def _says_no_plate(annotation: Any) -> bool:
    """Whether it says that its image shows no plate; with points, it is of a class of that name."""
    return label_of(annotation) == _NO_PLATE and not annotation.get("points")


def read_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Every record with its number from 1: its line, or its place in an array; `Unusable` in place of what is no JSON.

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
            yield from enumerate(_parse(text), start=1)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: a JSON array that breaks off at line {error.lineno}: {error.msg}") from None
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, _parse(line)
        except json.JSONDecodeError as error:
            if line.lstrip().startswith('"{""'):
                reason = (
                    'a quoted CSV field with doubled quotes ("{""content""…), not JSON; export the file as JSON lines'
                )
            else:
                reason = f"not JSON: {error.msg} at column {error.colno}"
            yield number, Unusable(reason)


def _parse(text: str) -> Any:
    """A JSON value; halves of characters, which no file can hold, are replaced by question marks."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists …
        raise json.JSONDecodeError(str(error), text, 0) from None
    if "\\ud" not in text.lower():
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def image_name(source: str, url: str) -> str:
    """The image's file name in the cache: safe, at most 120 characters, and a function of source and URL alone.

    The split is drawn by these names, so that another recipe would be another split.
    """
    last_part = path_of(url).replace("\\", "/").rpartition("/")[2]
    stem = re.sub(r"[^A-Za-z0-9]+", "-", last_part).strip("-")[:60]
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return "-".join(filter(None, (source, stem, digest))) + ".jpg"


@dataclass
class _Rows:
    """The rows of `Annotations`, collected record by record."""

    source: str
    plate_labels: frozenset[str]
    plates: list[dict[str, Any]] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    other_labels: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    swapped: int = 0
    # (URL, box) of plates and images without any → line, index of `plates`
    _first: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)
    _shows_plates: set[str] = field(default_factory=set)  # URLs
    _shows_others: dict[str, tuple[int, Any]] = field(default_factory=dict)  # URL → line, an annotation

    def add(self, line: int, record: Any) -> None:
        self.lines += 1
        url = ""
        try:
            url, annotations = _image(record)
        except Unusable as error:
            self._reject(line, record.get("content") if isinstance(record, dict) else None, error)
            return
        others = [annotation for annotation in annotations if not self._is_plate(annotation)]
        self.other_labels.update(map(label_of, others))
        plates = [annotation for annotation in annotations if self._is_plate(annotation)]
        if all(map(_is_ignored, plates)):  # its labels say what it shows, and that is no plate
            no_plate = (others or plates)[0] | {"label": [_NO_PLATE], "points": [], "ignored": False}
            self._shows_others.setdefault(url, (line, no_plate))
        else:
            self._shows_plates.add(url)
        self._add(line, url, plates)

    def add_images_of_others(self) -> None:
        """Add the images of which no record has a plate, but at least one has something else, as without plates."""
        for url, (line, annotation) in self._shows_others.items():
            if url not in self._shows_plates:
                self._add(line, url, [annotation])

    def _add(self, line: int, url: str, annotations: list[Any]) -> None:
        for annotation in annotations:
            try:
                boxes, swapped = _boxes(annotation)
                notes = annotation.get("notes")
                text = normalize(notes) if isinstance(notes, str) and not math.isnan(boxes["top_x"]) else ""
                row = (
                    {"image": image_name(self.source, url), "source": self.source, "url": url}
                    | boxes
                    | {"text": text, "ignored": _is_ignored(annotation)}
                )
                detail = _detail(annotation, boxes)
                self._check_new(line, row, detail)
            except Unusable as error:
                self._reject(line, url, error)
                continue
            self.swapped += swapped
            self.plates.append(row)
            self.details.append(detail)

    def _is_plate(self, annotation: Any) -> bool:
        """Whether it is of a plate, or says that there is none, or is to be rejected and does not say what it is of."""
        label = label_of(annotation)
        return label in self.plate_labels or _says_no_plate(annotation) or (not label and _reason(annotation) != "")

    def _check_new(self, line: int, row: dict[str, Any], detail: Detail) -> None:
        """Refuse a plate that is listed already; where that has no text, it has the text of this one from now on."""
        key = row["url"], *(f"{row[column]:.1f}" for column in BOX_COLUMNS)
        first_line, index = self._first.setdefault(key, (line, len(self.plates)))
        if index == len(self.plates):
            return
        first, reason = self.plates[index], f"{SAME_PLATE} as in line {first_line}"
        if first["ignored"] != row["ignored"]:
            reason += f", there {'ignored' if first['ignored'] else 'not ignored'}"
        elif row["text"] and not first["text"]:
            first["text"] = row["text"]
            self.details[index] = self.details[index]._replace(text=detail.text)
            reason += ", there without a text: this one is taken"
        elif row["text"] and row["text"] != first["text"]:
            reason += f", there with the text {first['text']}"
        raise Unusable(reason)

    def _reject(self, line: int, url: Any, reason: Unusable) -> None:
        url = url if isinstance(url, str) else ""
        self.rejects.append({"source": self.source, "line": line, "url": url, "reason": str(reason)})


def _detail(annotation: dict[str, Any], boxes: dict[str, float]) -> Detail:
    """Of an annotation that is usable, and its `_boxes`."""
    if math.isnan(boxes["top_x"]):
        return Detail("", "", None)
    label, notes, points = annotation.get("label"), annotation.get("notes"), annotation["points"]
    if isinstance(label, list):
        label = label[0] if label else None
    width, height = boxes["image_width"], boxes["image_height"]
    corners = [(_coordinate(point, "x", width), _coordinate(point, "y", height)) for point in points]
    return Detail(
        label.strip() if isinstance(label, str) else "",
        notes.strip() if isinstance(notes, str) else "",
        corners if len(corners) == 4 else None,
    )


def _is_ignored(annotation: Any) -> bool:
    return isinstance(annotation, dict) and annotation.get("ignored") is True


def _image(record: Any) -> tuple[str, list[Any]]:
    """The image's URL and its annotations."""
    if isinstance(record, Unusable):
        raise record
    if not isinstance(record, dict):
        raise Unusable(f"not a JSON object but {type(record).__name__}")
    if reason := record.get("unusable"):
        raise Unusable(str(reason))
    url = record.get("content")
    if not isinstance(url, str) or not url.strip():
        raise Unusable("no URL: `content` is missing or empty")
    annotations = record.get("annotation")
    if not isinstance(annotations, list) or not annotations:
        raise Unusable("no plate: `annotation` is null or empty")
    return url.strip(), annotations


def _boxes(annotation: Any) -> tuple[dict[str, float], bool]:
    """The image's size and the plate's boxes, in pixels, and whether its corners were given in another order."""
    if not isinstance(annotation, dict):
        raise Unusable(_reason(annotation))
    width, height = (_image_side(annotation.get(key), key) for key in ("imageWidth", "imageHeight"))
    none = dict.fromkeys([*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS], math.nan)
    row: dict[str, float] = {"image_width": width, "image_height": height, **none}
    if _says_no_plate(annotation):
        return row, False
    if reason := _reason(annotation):
        raise Unusable(reason)
    points = _points(annotation, "points")
    row |= zip(BOX_COLUMNS, _corners(points, width, height), strict=True)
    if annotation.get("original_points") is not None:
        row |= zip(ORIGINAL_BOX_COLUMNS, _corners(_points(annotation, "original_points"), width, height), strict=True)
    swapped = len(points) == 2 and any(points[0][axis] > points[1][axis] for axis in "xy")
    return row, swapped


def _reason(annotation: Any) -> str:
    """Why an annotation cannot be used, by its format or because it is none; "" where nothing is known against it."""
    return (
        str(annotation.get("unusable", "")) if isinstance(annotation, dict) else "an annotation that is no JSON object"
    )


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
    if box[2] - box[0] < _LEAST_PX or box[3] - box[1] < _LEAST_PX:
        raise Unusable(f"a box of {box[2] - box[0]:.2g} × {box[3] - box[1]:.2g} pixels")
    return box


def _is_finite(value: Any) -> TypeGuard[float]:
    """Whether a value is a number, and one that a coordinate can be."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


def _image_side(value: Any, key: str) -> int:
    if not _is_finite(value) or value < 1:
        raise Unusable(f"the image's size is missing: `{key}` is {value!r}")
    return int(value)


def _coordinate(point: Any, axis: str, side: float) -> float:
    """A fraction of the side, as pixels within the image."""
    value = point.get(axis) if isinstance(point, dict) else None
    if not _is_finite(value):
        raise Unusable(f"a corner whose {axis} is {value!r}, not a number")
    pixels = value * side
    if not -_ROUNDING_PX <= pixels <= side + _ROUNDING_PX:
        raise Unusable(f"a corner outside the image: {axis} = {pixels:.1f} of {side} pixels")
    return round(min(max(pixels, 0.0), float(side)), 3)
