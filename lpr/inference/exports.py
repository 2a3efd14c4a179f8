"""Predictions in the formats of labelling tools and trainers, to be corrected and trained on: `lpr predict --format`.

Only images are exported: the frames of a video are no files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lpr.data.export_formats import LABEL, ExportedImage, ExportedPlate, coco_json, yolo_data, yolo_labels
from lpr.errors import UserError
from lpr.files import free_stem
from lpr.inference.results import Record

YOLO = "yolo"
"""The folder of the YOLO export in that of the output."""


def image_records(jsonl: Path) -> Iterator[Record]:
    """The records of images in `predictions.jsonl`."""
    with jsonl.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            record = json.loads(line)
            if "plates" in record and "frame" not in record:
                yield record


def write_coco(records: Iterator[Record], folder: Path) -> str:
    """`coco.json`: COCO's object detection format (cocodataset.org/#format-data), with `score` and `text` besides."""
    content = coco_json(map(_exported, records))
    (folder / "coco.json").write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    return "coco.json"


def write_yolo(records: Iterator[Record], folder: Path) -> str:
    """`yolo/`: Ultralytics' labels/*.txt (class, centre and size as fractions), links to the images, and data.yaml.

    Images of the same name are numbered; those of URLs, of which there is no file, are left out and counted. The links
    of an earlier export, and their labels, are removed.

    Raises:
        UserError: there are images that are no links.
    """
    root = folder / YOLO
    for part in ("images", "labels"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for link in _yolo_links(folder):
        link.unlink()
        (root / "labels" / f"{link.stem}.txt").unlink(missing_ok=True)
    taken: set[str] = set()
    left_out = 0
    for record in records:
        if "://" in record["image"]:
            left_out += 1
            continue
        image = Path(record["image"])
        label = free_stem(image.stem, [".txt"], taken) + ".txt"
        os.symlink(image.absolute(), root / "images" / Path(label).with_suffix(image.suffix))
        (root / "labels" / label).write_text(yolo_labels(_exported(record), corners=False))
    # JSON is YAML, whatever the path has in it.
    (root / "data.yaml").write_text(json.dumps(yolo_data(path=str(root.absolute()))) + "\n", encoding="utf-8")
    return f"yolo/ (without {left_out} images of URLs)" if left_out else "yolo/"


def _yolo_links(folder: Path) -> list[Path]:
    """The links to images of an earlier export into this folder.

    Raises:
        UserError: there are images that are no links, so it is a data set of its own.
    """
    images = folder / YOLO / "images"
    found = sorted(images.iterdir()) if images.is_dir() else []
    if own := [path for path in found if not path.is_symlink()]:
        raise UserError(
            f"--format yolo would write into {images}, which has images of its own, such as {own[0].name}: "
            "choose another --output"
        )
    return found


def _exported(record: Record) -> ExportedImage:
    plates = [
        ExportedPlate(plate["box"], plate.get("text", ""), score=plate["confidence"]) for plate in record["plates"]
    ]
    return ExportedImage(record["image"], record["width"], record["height"], plates)


def write_labelstudio(records: Iterator[Record], folder: Path) -> str:
    """`labelstudio.json`: tasks with pre-annotations for Label Studio (labelstud.io/guide/predictions).

    Its labelling configuration needs an Image `image`, RectangleLabels `label` with the value plate, and a TextArea
    `text` with perRegion="true". Images are named as Label Studio serves local files, relative to its root folder.
    """
    tasks = []
    for record in records:
        width, height = record["width"], record["height"]
        size = {"original_width": width, "original_height": height, "to_name": "image"}
        regions: list[dict[str, Any]] = []
        for number, plate in enumerate(record["plates"]):
            left, top, right, bottom = plate["box"]
            box = {"x": 100 * left / width, "y": 100 * top / height, "rotation": 0}
            box |= {"width": 100 * (right - left) / width, "height": 100 * (bottom - top) / height}
            region = {"id": f"plate-{number}", **size}
            value = {**box, "rectanglelabels": [LABEL]}
            regions.append(
                {
                    **region,
                    "from_name": "label",
                    "type": "rectanglelabels",
                    "value": value,
                    "score": plate["confidence"],
                }
            )
            if text := plate.get("text"):
                regions.append({**region, "from_name": "text", "type": "textarea", "value": {**box, "text": [text]}})
        image = record["image"]
        if "://" not in image:
            image = f"/data/local-files/?d={quote(Path(image).as_posix())}"
        tasks.append({"data": {"image": image}, "predictions": [{"model_version": "lpr", "result": regions}]})
    (folder / "labelstudio.json").write_text(json.dumps(tasks, ensure_ascii=False) + "\n", encoding="utf-8")
    return "labelstudio.json"


WRITERS: Mapping[str, Callable[[Iterator[Record], Path], str]] = {
    "coco": write_coco,
    "yolo": write_yolo,
    "labelstudio": write_labelstudio,
}
"""Format → a function that writes records into a folder, and returns the name of what it wrote there."""


def check_folder(formats: Sequence[str], folder: Path) -> None:
    """Check that an export into this folder destroys nothing but an earlier export.

    Raises:
        UserError: it would.
    """
    if "yolo" in formats:
        _yolo_links(folder)


def export(formats: Sequence[str], jsonl: Path) -> list[str]:
    """Write the images of `predictions.jsonl` in these formats beside it; returns the names of what was written."""
    return [WRITERS[name](image_records(jsonl), jsonl.parent) for name in formats]
