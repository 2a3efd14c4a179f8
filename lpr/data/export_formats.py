"""Plates of images written as COCO's JSON and YOLO's labels: labels of a data set, and predictions, to be corrected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

LABEL = "plate"
"""The one class that is written."""


class ExportedPlate(NamedTuple):
    """A plate of an image.

    Attributes:
        box: left, top, right, bottom; pixels of the image.
        text: "" where unknown.
        ignored: whether it is neither a plate nor background.
        corners: its four corners, x and y in pixels; None where only the box is known.
        score: confidence of a prediction; None for a label.
    """

    box: tuple[float, float, float, float]
    text: str = ""
    ignored: bool = False
    corners: Sequence[tuple[float, float]] | None = None
    score: float | None = None


class ExportedImage(NamedTuple):
    """An image.

    Attributes:
        name: its path, as the file is to have it.
        width: pixels.
        height: pixels.
        plates: empty for an image without plates.
    """

    name: str
    width: int
    height: int
    plates: Sequence[ExportedPlate]


def coco_json(images: Iterable[ExportedImage]) -> dict[str, Any]:
    """COCO's object detection format (cocodataset.org/#format-data), with `text` besides.

    Ignored boxes are `iscrowd`; four corners are a polygon in `segmentation`.
    """
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(images, start=1):
        listed.append({"id": image_id, "file_name": image.name, "width": image.width, "height": image.height})
        for plate in image.plates:
            left, top, right, bottom = plate.box
            width, height = round(right - left, 3), round(bottom - top, 3)
            annotation: dict[str, Any] = {"id": len(annotations) + 1, "image_id": image_id, "category_id": 1}
            annotation |= {"bbox": [left, top, width, height], "area": round(width * height, 2)}
            annotation |= {"iscrowd": int(plate.ignored), "text": plate.text}
            if plate.score is not None:
                annotation["score"] = plate.score
            if plate.corners is not None:
                annotation["segmentation"] = [[value for corner in plate.corners for value in corner]]
            annotations.append(annotation)
    return {"images": listed, "annotations": annotations, "categories": [{"id": 1, "name": LABEL}]}


def yolo_labels(image: ExportedImage, corners: bool) -> str:
    """The lines of Ultralytics' label file of an image: a class and fractions of the image's sides.

    Args:
        corners: whether to write four corners a plate, those of its box where no others are known, instead of centre,
            width and height. A file, and a data set, has one of the two.
    """
    lines = []
    for plate in image.plates:
        left, top, right, bottom = plate.box
        if corners:
            points = plate.corners or [(left, top), (right, top), (right, bottom), (left, bottom)]
        else:
            points = [((left + right) / 2, (top + bottom) / 2), (right - left, bottom - top)]
        fractions = [value for x, y in points for value in (x / image.width, y / image.height)]
        lines.append(f"0 {' '.join(f'{value:.6f}' for value in fractions)}\n")
    return "".join(lines)


def yolo_data(**keys: str) -> dict[str, Any]:
    """The content of a data.yaml; `keys`: others than the folders of images and the classes."""
    return {**keys, "train": "images", "val": "images", "names": {0: LABEL}}
