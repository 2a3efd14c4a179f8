"""How far an image may be turned for its plates to be found.

    python benchmarks/turned_images.py FOLDER [--detector FILE.onnx …] [--split test] [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run. Every image is turned about its middle
by 0, 10, 20 and 30 degrees, every other one the other way round, on a canvas that holds all of it; boxes become the
upright hulls of the turned ones, which are a little larger than those of the turned plates.

Prints a row for each detector, data set and angle, in Markdown, at the exported threshold; AP50 at all thresholds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from held_out import build_parser, tested_rows
from results import write_results
from shipped import from_score
from tables import markdown
from tqdm import tqdm

from lpr.boxes import BOX_COLUMNS
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.metrics.base import DetectionCases
from lpr.metrics.detection import detections, predictions, score_detections, without_ignored
from lpr.paths import IMAGE_CACHE

ANGLES_DEG = (0, 10, 20, 30)
SCORES = ("mean_iou", "recall@0.5", "AP50", "false_positives_per_image")


def main() -> None:
    options = build_parser(__doc__, "test", several=True).parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    table = [
        {"detector": f"`{file.name}`"} | row
        for file in options.detector
        for angle_deg in ANGLES_DEG
        for row in score(here / file, options.split, angle_deg)
    ]
    print(markdown(table))
    if options.output:
        write_results(here / options.output, "Images that are turned", f"{options.split} images", table)


def score(file: Path, split: str, angle_deg: float) -> list[dict[str, Any]]:
    """A row for each data set."""
    detector = load_onnx_detector(file)
    threshold = detector.metadata.inference.confidence_threshold
    rows, ignored = tested_rows(split)
    images = rows.drop_duplicates("image")
    found = []
    for number, name in enumerate(tqdm(images["image"], f"{file.name}, {angle_deg}°", unit="image")):
        image = load_image(IMAGE_CACHE / name)
        matrix, size = turning(image, angle_deg if number % 2 else -angle_deg)
        found.append(detector.detect(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)))
        for boxes in (rows, ignored):
            own = (boxes["image"] == name) & boxes[BOX_COLUMNS].notna().all(axis=1)
            boxes.loc[own, BOX_COLUMNS] = hulls(boxes.loc[own, BOX_COLUMNS].to_numpy(float), matrix)
    all_found = without_ignored(predictions(images, found), rows, ignored)
    table = []
    for source, part in images.groupby("source"):
        plates = rows[rows["source"] == source].dropna(subset=BOX_COLUMNS)
        own = all_found[all_found["image"].isin(part["image"])]
        matched = detections(plates, own[own["confidence"] >= threshold])
        scores: dict[str, Any] = score_detections(DetectionCases(matched, own, part, threshold))[str(source)][split]
        shown = {name: from_score(scores[name]) for name in SCORES}
        table.append({"data": source, "turned by": f"{angle_deg}°"} | shown)
    return table


def turning(image: np.ndarray, angle_deg: float) -> tuple[np.ndarray, tuple[int, int]]:
    """The affine matrix (2, 3) that turns an image counterclockwise, and the size of a canvas that holds all of it."""
    height, width = image.shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1), float)
    size = np.abs(matrix[:, :2]) @ (width, height)
    matrix[:, 2] += (size - (width, height)) / 2
    return matrix, (round(size[0]), round(size[1]))


def hulls(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The upright hulls of transformed boxes, float (n, 4)."""
    left, top, right, bottom = boxes.T
    corners = np.stack([np.stack([x, y, np.ones(len(boxes))]) for x in (left, right) for y in (top, bottom)])
    turned = matrix @ corners  # (4, 2, n)
    return np.concatenate([turned.min(axis=0), turned.max(axis=0)]).T


if __name__ == "__main__":
    main()
