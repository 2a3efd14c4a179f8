"""`lpr data convert` and `lpr data merge`: sets of annotated images, written as one set in a format of choice.

Images are copied as they are; boxes are in pixels of the upright image. One class is written, plates.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, pairwise_iou
from lpr.data.annotations import NO_BOX, Detail
from lpr.data.export_formats import LABEL, ExportedImage, ExportedPlate, coco_json, yolo_data, yolo_labels
from lpr.data.labelled_images import image_suffixes
from lpr.data.originals import Original, visit_originals
from lpr.data.placement import place_boxes, place_points
from lpr.data.tables import write_table
from lpr.data.urls import last_part
from lpr.datasets.check import INCOMPLETE, list_unusable, most_frequent
from lpr.datasets.reading import DataSets, Options, opened
from lpr.errors import UserError
from lpr.files import free_stem

IMAGES, LABELS, TEXTS = "images", "labels", "texts.csv"
_RESERVED = (IMAGES, LABELS)  # by which YOLO finds labels, so that no folder below has such a name
_LONGEST_NAME = 200  # bytes; file systems take 255
_SAME_BOX_IOU = 0.9  # of two labels of one plate


class Written(NamedTuple):
    """What a writer wrote.

    Attributes:
        annotations: path of what names the set, below its folder.
        lost: what of `_count` the format cannot hold → what becomes of it.
    """

    annotations: str
    lost: Mapping[str, str]


def convert(path: str, options: Options, target: str, output: Path) -> int:
    """Write a set in another format.

    Args:
        path: of the annotations, a file or a folder.
        options: how they are read.
        target: the format, of `WRITERS`.
        output: folder that is made.

    Returns:
        The exit status: 0, or 3 where something is rejected, or an image is missing or cannot be read.

    Raises:
        UserError: the output exists, the annotations cannot be read, or none of the images.
    """
    with _new_folder(output) as folder, opened([path], options) as sets:
        return _write(sets, target, folder, output, merged=False)


def merge(paths: Sequence[str], options: Options, target: str, output: Path) -> int:
    """Write several sets as one; each image is in a folder of its set's name, and identical ones are written once.

    Arguments, result and errors are those of `convert`.
    """
    with _new_folder(output) as folder, opened(paths, options) as sets:
        return _write(sets, target, folder, output, merged=True)


@contextmanager
def _new_folder(output: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `output` at the end; after an error, nothing is there."""
    if output.exists():
        raise UserError(f"{output} is there already: choose another --output, or remove it")
    unfinished = output.with_name(f"unfinished-{output.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        unfinished.rename(output)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(sets: DataSets, target: str, folder: Path, output: Path, merged: bool) -> int:
    plates = pd.concat([each.annotations.plates for each in sets.sets], ignore_index=True)
    rejects = pd.concat([each.annotations.rejects for each in sets.sets], ignore_index=True)
    details = [detail for each in sets.sets for detail in each.annotations.details]
    names = _file_names(plates, merged)

    def copy(original: Original) -> str:
        name = _with_suffix(names[original.name], original.format)
        path = folder / IMAGES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(original.content)
        return name

    images, failures, written = visit_originals(plates, sets.data, sets.folder, copy)
    if images.empty:
        reasons = most_frequent(Counter(failures["reason"]))
        raise UserError(f"none of the {len(failures)} images can be read: {reasons}; --image-root names their folder")
    images = images.assign(written=written)
    kept, notes = _drop_copies(plates, images, folder) if merged else (images, [])
    exported = list(_exported(plates, details, kept))
    result = WRITERS[target](exported, folder)
    for name, table in (("rejects", rejects), ("failures", failures)):
        if len(table):
            write_table(table, folder / f"{name}.csv")
    counts = _count(exported)
    held = ", ".join(f"{count} {what}" for what, count in counts.items() if what not in result.lost)
    lost = [
        f"{target} cannot hold {what}: {counts[what]}; {becomes}"
        for what, becomes in result.lost.items()
        if counts[what]
    ]
    read = [note for each in sets.sets for note in each.notes]
    print(
        "\n".join([*read, f"{output / result.annotations}: {held}", *notes, *lost, *_left_out(sets, plates, details)])
    )
    if listed := list_unusable(rejects, failures, output):
        print(listed)
    option = f" --texts {output / TEXTS}" if (folder / TEXTS).is_file() else ""
    print(f"look at it: lpr data check {output / result.annotations}{option}")
    return INCOMPLETE if len(rejects) or len(failures) else 0


def _file_names(plates: pd.DataFrame, merged: bool) -> dict[str, str]:
    """The path below the folder of images of each image: the one that it has below its image root, numbered if taken.

    Args:
        merged: whether the path begins with the name of the source.
    """
    taken: set[str] = set()
    names = {}
    for image, source, url in plates.drop_duplicates("image")[["image", "source", "url"]].itertuples(index=False):
        path = Path(url)
        parts = list(path.parts)
        if "://" in url or path.is_absolute() or ".." in parts:
            parts = [last_part(url)]
        parts = [part.lstrip(".") for part in parts]
        if not parts or not parts[-1] or any("\0" in part or len(part.encode()) > _LONGEST_NAME for part in parts):
            parts = [image]
        folders = [*[source] * merged, *(part for part in parts[:-1] if part not in _RESERVED)]
        name = Path(*folders, parts[-1])
        suffix = name.suffix if name.suffix.lower() in image_suffixes() else ""
        names[image] = free_stem(name.as_posix().removesuffix(suffix), [""], taken) + suffix
    return names


def _with_suffix(name: str, format_: str) -> str:
    """The name with the suffix of its image format, where it has none of an image."""
    if name.lower().endswith(image_suffixes()):
        return name
    return name + next(suffix for suffix, kind in Image.registered_extensions().items() if kind == format_)


def _drop_copies(plates: pd.DataFrame, images: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """The images without copies of earlier ones, whose files are removed, and what is to be said of it."""
    copies = images[images.duplicated("sha256")]
    first = images.drop_duplicates("sha256").set_index("sha256")["image"]
    labels = dict(iter(place_boxes(plates, images).groupby("image")))
    other: list[str] = []
    for image, sha256, written in copies[["image", "sha256", "written"]].itertuples(index=False):
        (folder / IMAGES / written).unlink()
        if not _agree(labels[first[sha256]], labels[image]):
            other.append(written)
    notes = [f"identical images, written once: {len(copies)}"] if len(copies) else []
    if other:
        listed = ", ".join(other[:5]) + (", …" if len(other) > 5 else "")
        notes.append(f"identical images whose labels differ, of which the first's are kept: {len(other)}: {listed}")
    return images[~images.duplicated("sha256")], notes


def _agree(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether labels of one image have the same boxes and texts."""
    first, second = (rows.dropna(subset=BOX_COLUMNS) for rows in (first, second))
    overlap = pairwise_iou(first[BOX_COLUMNS].to_numpy(float), second[BOX_COLUMNS].to_numpy(float))
    same = (overlap >= _SAME_BOX_IOU) & (first["text"].to_numpy()[:, np.newaxis] == second["text"].to_numpy())
    return len(first) == len(second) and bool(same.any(axis=0).all()) and bool(same.any(axis=1).all())


def _exported(plates: pd.DataFrame, details: Sequence[Detail], images: pd.DataFrame) -> Iterator[ExportedImage]:
    """The images with their plates, in pixels of the upright image.

    Args:
        plates: rows of `plates.csv`.
        details: of each row.
        images: rows of `images.csv`, and the path of each image as `written`.
    """
    rows = plates[plates["image"].isin(images["image"])]
    placed = place_boxes(rows, images)
    with_corners = [number for number, row in enumerate(rows.index) if details[row].corners]
    points = np.array([details[rows.index[number]].corners for number in with_corners], float).reshape(-1, 2)
    placed_points = place_points(points, rows.iloc[np.repeat(with_corners, 4).astype(int)], images)
    corners = {
        number: [(x, y) for x, y in four]
        for number, four in zip(with_corners, placed_points.reshape(-1, 4, 2).tolist(), strict=True)
    }
    written = dict(zip(images["image"], images["written"], strict=True))
    for name, of_image in placed.groupby("image", sort=False):
        boxes = of_image.dropna(subset=BOX_COLUMNS)
        exported = [
            ExportedPlate((box[0], box[1], box[2], box[3]), text, ignored, corners.get(number))
            for number, box, text, ignored in zip(
                boxes.index.tolist(),
                boxes[BOX_COLUMNS].to_numpy(float).tolist(),
                boxes["text"].tolist(),
                boxes["ignored"].tolist(),
                strict=True,
            )
        ]
        width, height = of_image[["width", "height"]].iloc[0].tolist()
        yield ExportedImage(written[name], width, height, exported)


def _count(images: Sequence[ExportedImage]) -> dict[str, int]:
    """How many there are of what a format may be able to hold."""
    plates = [plate for image in images for plate in image.plates]
    return {
        "images": len(images),
        "plates": sum(not plate.ignored for plate in plates),
        "texts": sum(bool(plate.text) for plate in plates),
        "ignored boxes": sum(plate.ignored for plate in plates),
        "boxes with four corners": sum(plate.corners is not None for plate in plates),
    }


def _left_out(sets: DataSets, plates: pd.DataFrame, details: Sequence[Detail]) -> Iterator[str]:
    """What no format is given, and how often."""
    labels = Counter(
        detail.label for detail, top in zip(details, plates["top_x"], strict=True) if detail.label and top == top
    )
    others = Counter[str]()
    for each in sets.sets:
        others.update(each.annotations.other_labels)
    if others:
        yield f"left out, not plates by their labels: {most_frequent(others)}"
    if len(labels) > 1:
        yield f"labels that are all {LABEL} now: {most_frequent(labels)}"
    if replaced_boxes := int(plates[ORIGINAL_BOX_COLUMNS[0]].notna().sum()):
        yield f"original boxes that --boxes replaced: {replaced_boxes}"


def _write_coco(images: Sequence[ExportedImage], folder: Path) -> Written:
    """annotations.json, with texts, ignored boxes and corners."""
    content = json.dumps(coco_json(images), ensure_ascii=False)
    (folder / "annotations.json").write_text(f"{content}\n", encoding="utf-8")
    return Written("annotations.json", {})


def _write_yolo(images: Sequence[ExportedImage], folder: Path) -> Written:
    """labels/ and data.yaml; where there are corners, labels have four, those of OBB; texts are in a table of texts."""
    plates = [plate for image in images for plate in image.plates]
    corners = any(plate.corners for plate in plates if not plate.ignored)
    for image in images:
        path = (folder / LABELS / image.name).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        known = image._replace(plates=[plate for plate in image.plates if not plate.ignored])
        path.write_text(yolo_labels(known, corners))
    texts = _table(images)
    texts = texts[(texts["text"] != "") & (texts["ignored"] == 0)]
    if len(texts):
        write_table(texts[["image", "xmin", "ymin", "xmax", "ymax", "text"]], folder / TEXTS)
    (folder / "data.yaml").write_text(yaml.safe_dump(yolo_data(), sort_keys=False), encoding="utf-8")
    return Written("data.yaml", {"texts": f"they are in {TEXTS}", "ignored boxes": "they are background now"})


def _write_csv(images: Sequence[ExportedImage], folder: Path) -> Written:
    """annotations.csv, of the format `table`."""
    write_table(_table(images), folder / "annotations.csv")
    return Written("annotations.csv", {"boxes with four corners": "their upright hulls are kept"})


def _table(images: Sequence[ExportedImage]) -> pd.DataFrame:
    """A row a plate, and for an image without plates one without a box."""
    rows = [
        (image.name, image.width, image.height, *plate.box, plate.text, int(plate.ignored))
        for image in images
        for plate in image.plates or [ExportedPlate(NO_BOX)]
    ]
    return pd.DataFrame(rows, columns=["image", "width", "height", "xmin", "ymin", "xmax", "ymax", "text", "ignored"])


WRITERS: Mapping[str, Callable[[Sequence[ExportedImage], Path], Written]] = {
    "coco": _write_coco,
    "yolo": _write_yolo,
    "csv": _write_csv,
}
"""Format → a function that writes a set, whose images are in `images/` of a folder, into that folder."""
