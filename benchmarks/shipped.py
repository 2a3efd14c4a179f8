"""The scores of a detector on images that trained nothing: boxes, confidences, and texts end to end.

    lpr params data=open data.root=FOLDER && dvc repro split
    python benchmarks/shipped.py . [--detector FILE.onnx] [--output docs/results/shipped.json] [--sheets FOLDER]
    python benchmarks/shipped.py . --split validation [--detector FILE.onnx] [--output FILE.json]

The first argument is the folder of a project or experiment in which `lpr split` has run. The test images of its sources
of role test are used, or its validation images; each source by itself; of Dataturks, boxes are scored by the tight
ones. Prints rows in Markdown:

- boxes at the exported threshold; AP50 at all thresholds;
- the false positives that are apart from any label, and in which a text of confidence 0.5 or more with a digit in it is
  read: for the most part plates that nobody labelled;
- confidences: the expected calibration error (ECE; Guo et al. 2017, arXiv:1706.04599) in ten bins, over all detections
  from 0.05 on; one on a plate that nobody labelled counts as wrong;
- end to end, by `lpr.ALPR` with its defaults: a plate whose box has an IoU of at least 0.5 and whose text is exact,
  with O = 0 and I = 1, is right; one on a labelled plate with another text, and one without a labelled plate that shows
  a text of confidence 0.5 or more, is wrong. Plates whose text is not known do not count.

`--reliability` gets the reliability diagram (PNG). `--sheets` gets images of the plates that were missed or fit worst,
and of the surest false plates.
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
from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS, Detections, pairwise_iou
from lpr.config import OVERRIDE_BOXES
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.inference.plates import Plate
from lpr.metrics.base import DetectionCases
from lpr.metrics.detection import detections, predictions, score_detections, sources_by_boxes, without_ignored
from lpr.metrics.statistics import Score, ratio_score
from lpr.paths import IMAGE_CACHE
from lpr.plates.text import fold
from lpr.report.detection_figures import draw_contact_sheet
from lpr.report.reliability_figure import draw_reliability_diagram

SCORES = ("mean_iou", "recall@0.5", "recall@0.7", "AP50", "false_positives_per_image")
SHOWN = 0.5  # confidence of a text from which a false plate counts as an error
BINS = 10
LEAST = 0.05  # confidence of the detections that the calibration error is over
A_SHEET = 24


def main() -> None:
    parser = build_parser(__doc__, "test")
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--reliability", type=Path)
    options = parser.parse_args()
    here = Path.cwd()
    detector = load_onnx_detector(here / options.detector)
    threshold = detector.metadata.inference.confidence_threshold
    os.chdir(options.folder)
    rows, ignored = tested_rows(options.split)
    images = rows.drop_duplicates("image")
    named = tqdm(images["image"], "detecting", unit="image")
    found = predictions(images, [detector.detect(load_image(IMAGE_CACHE / name)) for name in named])
    found = without_ignored(found, rows, ignored)
    by_boxes = sources_by_boxes(rows.dropna(subset=BOX_COLUMNS), found, images)
    table, judged = [], {}
    for source, part in images.groupby("source"):
        plates = rows[rows["source"] == source].dropna(subset=BOX_COLUMNS)
        tight = by_boxes.get(f"{source}{OVERRIDE_BOXES}")
        scored = part if tight is None else part[part["image"].isin(tight.images["image"])]
        boxed = plates[plates["image"].isin(scored["image"])]
        own = found[found["image"].isin(scored["image"])]
        matched = detections(boxed, own[own["confidence"] >= threshold])
        scores: dict[str, Any] = score_detections(DetectionCases(matched, own, scored, threshold))[str(source)][
            options.split
        ]
        row: dict[str, Any] = {"data": source} | {name: from_score(scores[name]) for name in SCORES}
        row["false positives read as plates"] = read_as_plates(own[own["confidence"] >= threshold], boxed, scored)
        judged[str(source)] = judge_confidences(boxed, own)
        row["ECE"] = calibration_error(*judged[str(source)])
        if (plates["text"] != "").any():
            row |= end_to_end(plates, found[found["source"] == source], threshold, str(source))
        table.append(row)
        if options.sheets:
            write_sheets(matched, boxed, own, threshold, here / options.sheets / str(source))
    print(markdown(table))
    if options.output:  # first, since it has the commit, which the diagram would make dirty
        write_results(
            here / options.output,
            "A detector on images that trained nothing",
            f"{options.split} images, threshold {threshold}",
            table,
        )
    if options.reliability:
        draw_reliability_diagram(
            judged, here / options.reliability, "precision (share with an IoU of 0.5)", "detections"
        )


def from_score(score: dict[str, Any]) -> dict[str, Any]:
    return metric(score["value"], score["low"], score["high"], score["n"])


def of(score: Score | None) -> dict[str, Any]:
    return from_score(score.as_dict()) if score else {}


def on_plates(boxes: pd.DataFrame, plates: pd.DataFrame) -> np.ndarray:
    """The highest IoU of each predicted box with a plate of its image: (k,) in 0–1."""
    best = np.zeros(len(boxes))
    place = {index: number for number, index in enumerate(boxes.index)}
    for image, part in boxes.groupby("image"):
        true = plates.loc[plates["image"] == image, BOX_COLUMNS].to_numpy(float)
        if len(true):
            overlap = pairwise_iou(part[PREDICTED_BOX_COLUMNS].to_numpy(float), true).max(axis=1)
            best[[place[index] for index in part.index]] = overlap
    return best


def read_as_plates(found: pd.DataFrame, plates: pd.DataFrame, images: pd.DataFrame) -> dict[str, Any]:
    """Per image, the boxes apart from any label in which a text is read."""
    apart = found[on_plates(found, plates) == 0]
    known = Known(apart)
    alpr = lpr.ALPR(known, confidence_threshold=0.0, unread="keep")
    counts = []
    for image in images["image"]:
        shown = alpr(known.open(image)) if (apart["image"] == image).any() else []
        read = [(plate.text_confidence or 0) >= SHOWN and any(map(str.isdigit, plate.text)) for plate in shown]
        counts.append(sum(read))
    return of(ratio_score(counts, np.ones(len(counts))))


def judge_confidences(plates: pd.DataFrame, found: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The confidences, in 0–1, and whether each box is on a plate."""
    kept = found[found["confidence"] >= LEAST]
    return kept["confidence"].to_numpy(float), on_plates(kept, plates) >= 0.5


def calibration_error(confidences: np.ndarray, correct: np.ndarray) -> dict[str, Any]:
    """The mean distance of confidence and share of plates, over bins of confidence, weighted by their detections."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = [abs(confidences[bins == one].sum() - correct[bins == one].sum()) for one in range(BINS)]
    return metric(sum(gaps) / max(len(bins), 1), n=len(bins))


class Known:
    """A detector whose detections are known, so that only the texts are new.

    Args:
        found: its detections in all images.
    """

    def __init__(self, found: pd.DataFrame) -> None:
        self._found, self.current = found, Detections(np.zeros((0, 4)), np.zeros(0))

    def open(self, image: str) -> np.ndarray:
        """The pixels of an image, whose detections are then what `detect` returns."""
        own = self._found[self._found["image"] == image]
        self.current = Detections(own[PREDICTED_BOX_COLUMNS].to_numpy(float), own["confidence"].to_numpy(float))
        return load_image(IMAGE_CACHE / image)

    def detect(self, image: np.ndarray) -> Detections:  # noqa: ARG002
        return self.current


def end_to_end(plates: pd.DataFrame, found: pd.DataFrame, threshold: float, source: str) -> dict[str, dict[str, Any]]:
    """Precision and recall of texts; see the module."""
    known = Known(found)
    alpr = lpr.ALPR(known, confidence_threshold=threshold)
    counted = []
    for image, labels in tqdm(plates.groupby("image"), source, unit="image"):
        counted.append(judge(labels, alpr(known.open(str(image)))))
    right, wrong, texts = np.array(counted, float).T
    return {
        "precision, end to end": of(ratio_score(right, right + wrong)),
        "recall, end to end": of(ratio_score(right, texts)),
    }


def judge(labels: pd.DataFrame, shown: list[Plate]) -> tuple[int, int, int]:
    """Right and wrong plates that are shown, and the plates whose text is known, of an image."""
    true = labels[BOX_COLUMNS].to_numpy(float)
    texts = [fold(text) for text in labels["text"]]
    right = wrong = 0
    free = set(range(len(true)))
    for plate in shown:
        overlap = pairwise_iou(np.array([plate.box]), true)[0]
        best = max(free, key=lambda number: overlap[number], default=None)
        if best is not None and overlap[best] >= 0.5:
            free.remove(best)
            if texts[best]:
                right += fold(plate.text) == texts[best]
                wrong += fold(plate.text) != texts[best]
        elif (plate.text_confidence or 0) >= SHOWN:
            wrong += 1
    return right, wrong, sum(map(bool, texts))


def write_sheets(
    matched: pd.DataFrame, plates: pd.DataFrame, found: pd.DataFrame, threshold: float, folder: Path
) -> None:
    """The plates that fit worst, and the surest false plates."""
    folder.mkdir(parents=True, exist_ok=True)
    worst = matched.sort_values(["iou", "image"]).head(A_SHEET)
    draw_contact_sheet(worst, IMAGE_CACHE, folder / "worst.png", "worst boxes")
    false = found[(found["confidence"] >= threshold) & (on_plates(found, plates) < 0.5)]
    surest = false.sort_values("confidence", ascending=False).head(A_SHEET)
    if len(surest):
        nearest = detections(plates, found).drop_duplicates("image")[["image", "plate", "text", *BOX_COLUMNS]]
        both = surest.merge(nearest, on="image").assign(iou=0.0)
        draw_contact_sheet(both, IMAGE_CACHE, folder / "false.png", "surest false plates")


if __name__ == "__main__":
    main()
