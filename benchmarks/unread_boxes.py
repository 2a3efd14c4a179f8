"""Which boxes are plates: the confidences of a detection and of its text from which `lpr.ALPR` lists it.

    python benchmarks/unread_boxes.py FOLDER [--detector FILE.onnx] [--split validation] [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run. A detection is listed if its confidence
is at least the detector's threshold, or a share of it and a text is read in it; and if a text is read in it, or it is
certain, or too low to be read. Varies each of the three constants alone: the share, the confidence from which a text
counts as read, and that from which a detection is certain. Prints for each value, in Markdown, F1, recall and precision
of boxes (IoU of at least 0.5), over all sets together, since each is small.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from held_out import build_parser, tested_rows
from results import metric, write_results
from tables import markdown
from tqdm import tqdm

import lpr
from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.inference.alpr import READ_FROM
from lpr.inference.plates import CERTAIN, MIN_LEGIBLE_PX, READ_THRESHOLD
from lpr.metrics.detection import detections, without_ignored
from lpr.paths import IMAGE_CACHE

USED = {"share of the threshold": READ_FROM, "text": READ_THRESHOLD, "certain": CERTAIN}
VALUES = {"share of the threshold": (1.0, 0.5), "text": (0.3, 0.7, 0.9), "certain": (0.5, 0.6, 0.8, 0.9)}
LEAST = 0.05  # confidence of the detections that are looked at


def main() -> None:
    options = build_parser(__doc__, "validation").parse_args()
    here = Path.cwd()
    detector = here / options.detector
    threshold = load_onnx_detector(detector).metadata.inference.confidence_threshold
    os.chdir(options.folder)
    rows, ignored = tested_rows(options.split)
    found = without_ignored(read_boxes(detector, rows.drop_duplicates("image")), rows, ignored)
    plates = rows.dropna(subset=BOX_COLUMNS)
    table = []
    for constants in [USED, *(USED | {name: value} for name, values in VALUES.items() for value in values)]:
        kept = found[listed(found, threshold, *constants.values())]
        right = int((detections(plates, kept)["iou"] >= 0.5).sum())
        row: dict[str, Any] = {name: metric(value) for name, value in constants.items()}
        row["F1"] = metric(2 * right / (len(kept) + len(plates)), n=len(plates))
        row["recall"] = metric(right / len(plates), n=len(plates))
        row["precision"] = metric(right / max(len(kept), 1), n=len(kept))
        table.append(row)
    print(markdown(table))
    if options.output:
        about = f"{options.split} images, threshold {threshold}"
        write_results(here / options.output, "Which boxes are plates", about, table)


def read_boxes(detector: Path, images: pd.DataFrame) -> pd.DataFrame:
    """All boxes of the images, and what is read in them."""
    alpr = lpr.ALPR(detector, confidence_threshold=LEAST, unread="keep")
    boxes = [
        {"image": name, "source": source, "confidence": plate.confidence, "text_confidence": plate.text_confidence}
        | {"text": plate.text}
        | dict(zip(PREDICTED_BOX_COLUMNS, plate.box, strict=True))
        for name, source in tqdm(list(zip(images["image"], images["source"], strict=True)), unit="image")
        for plate in alpr(load_image(IMAGE_CACHE / name))
    ]
    return pd.DataFrame(boxes)


def listed(found: pd.DataFrame, threshold: float, share: float, read: float, certain: float) -> np.ndarray:
    """Which of the boxes are listed, bool (k,); see the module."""
    is_read = ((found["text"] != "") & (found["text_confidence"] >= read)).to_numpy()
    confidences = found["confidence"].to_numpy(float)
    low = (found["predicted_bottom_y"] - found["predicted_top_y"]).to_numpy(float) < MIN_LEGIBLE_PX
    sure = np.where(is_read, confidences >= share * threshold, confidences >= threshold)
    kept: np.ndarray = sure & (is_read | low | (confidences >= certain))
    return kept


if __name__ == "__main__":
    main()
