"""The tables of what a detector found, beside the true plates, and the scores of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from lpr.boxes import (
    BOX_COLUMNS,
    ORIGINAL_BOX_COLUMNS,
    PREDICTED_BOX_COLUMNS,
    Detections,
    iou,
    pairwise_coverage,
    pairwise_iou,
)
from lpr.config import ORIGINAL_BOXES, OVERRIDE_BOXES
from lpr.metrics.base import DetectionCases, Metric
from lpr.metrics.detection_metrics import METRICS
from lpr.metrics.label_margins import fit_margins

PREDICTION_COLUMNS = ["image", "source", "split", "rank", "confidence", *PREDICTED_BOX_COLUMNS]
DETECTION_COLUMNS = [
    *["image", "source", "split", "plate", "text", *BOX_COLUMNS],
    *[*PREDICTED_BOX_COLUMNS, "confidence", "iou"],
]
MARGINS = "margins"
"""In `metrics/detection.json`, the key of the margins between original and override boxes, beside the splits."""
_FEWEST_PLATES = 10  # that margins are fitted to


def predictions(images: pd.DataFrame, found: Sequence[Detections]) -> pd.DataFrame:
    """`reports/predictions.csv`: a row a predicted box, an image's most confident (`rank` 0) first.

    Args:
        images: a row an image: image, source, split.
        found: the detections of each, boxes in pixels. Boxes with NaN (of a network that diverged) are left out.
    """
    counts = [len(one.confidences) for one in found]
    table = images[["image", "source", "split"]].loc[images.index.repeat(counts)].reset_index(drop=True)
    table[PREDICTED_BOX_COLUMNS] = np.concatenate([np.empty((0, 4)), *(one.boxes for one in found)]).round(3)
    table["confidence"] = np.concatenate([np.empty(0), *(one.confidences for one in found)]).round(6)
    table = table.dropna(subset=PREDICTED_BOX_COLUMNS).reset_index(drop=True)
    table["rank"] = table.groupby("image").cumcount()
    return table[PREDICTION_COLUMNS]


def without_ignored(predicted: pd.DataFrame, plates: pd.DataFrame, ignored: pd.DataFrame) -> pd.DataFrame:
    """The predictions but those of what is neither a plate nor background, as COCO ignores what is in a crowd.

    They are those of which half or more lies in an ignored box, and whose IoU with every plate is below 0.5.

    Args:
        predicted: rows of `reports/predictions.csv`.
        plates: a row a plate; image, and the true box in pixels.
        ignored: a row an ignored box, likewise.
    """
    if ignored.empty or predicted.empty:
        return predicted
    left_out = np.zeros(len(predicted), bool)
    predicted_boxes, true_boxes = predicted[PREDICTED_BOX_COLUMNS].to_numpy(float), plates[BOX_COLUMNS].to_numpy(float)
    predictions_of, plates_of = (table.groupby("image").indices for table in (predicted, plates))
    for image, part in ignored.groupby("image"):
        rows = predictions_of.get(image, np.empty(0, int))
        boxes, true = predicted_boxes[rows], true_boxes[plates_of.get(image, np.empty(0, int))]
        true = true[~np.isnan(true).any(axis=1)]
        covered = pairwise_coverage(boxes, part[BOX_COLUMNS].to_numpy(float)).max(axis=1, initial=0)
        left_out[rows] = (covered >= 0.5) & (pairwise_iou(boxes, true).max(axis=1, initial=0) < 0.5)
    return predicted[~left_out].reset_index(drop=True)


def detections(plates: pd.DataFrame, confident: pd.DataFrame) -> pd.DataFrame:
    """`reports/detections.csv`: every true plate beside the predicted box of the highest IoU with it, and this IoU.

    Where nothing is predicted in its image, a plate has no predicted box and an IoU of 0.

    Args:
        plates: a row a plate: image, source, split, plate, text, and the true box in pixels.
        confident: the rows of `reports/predictions.csv` that are confident enough to count.
    """
    pairs = plates.merge(confident[["image", "confidence", *PREDICTED_BOX_COLUMNS]], on="image", how="left")
    pairs["iou"] = iou(pairs[BOX_COLUMNS].to_numpy(float), pairs[PREDICTED_BOX_COLUMNS].to_numpy(float)).round(6)
    # Of predictions with the same IoU, the most confident, which comes first.
    best = pairs.sort_values("iou", ascending=False, kind="stable").drop_duplicates(["image", "plate"])
    return best.sort_index()[DETECTION_COLUMNS].reset_index(drop=True)


def score_detections(
    cases: DetectionCases, metrics: Sequence[Metric[DetectionCases]] = METRICS
) -> dict[str, dict[str, dict[str, object]]]:
    """`metrics/detection.json`: for every source and split, every metric with its n and interval.

    A metric is absent where it has nothing to score, such as the mean IoU of images without plates.

    Args:
        cases: images of any sources and splits, with width and height.
    """
    scores: dict[str, dict[str, dict[str, object]]] = {}
    for (source, split), images in cases.images.groupby(["source", "split"], sort=True):
        part = cases.of(images)
        named = {metric.name: metric.score(part) for metric in metrics}
        scores.setdefault(str(source), {})[str(split)] = {key: one.as_dict() for key, one in named.items() if one}
    return scores


@dataclass(frozen=True)
class SourceByBoxes:
    """One source with one kind of true boxes, override or original ones.

    Attributes:
        plates: a row a plate, with the true box in pixels.
        predictions: rows of `reports/predictions.csv`, of any confidence; of original boxes, with margins around them.
        images: as of `DetectionCases`, of one source.
        margins: left, top, right, bottom (fractions of the box's width or height), and the number of plates that they
            were fitted to; None where the boxes have none.
    """

    plates: pd.DataFrame
    predictions: pd.DataFrame
    images: pd.DataFrame
    margins: dict[str, float] | None = None

    def scores(
        self, confidence_threshold: float, metrics: Sequence[Metric[DetectionCases]] = METRICS
    ) -> dict[str, dict[str, object]]:
        """The scores of every split, as `score_detections` has them."""
        confident = self.predictions[self.predictions["confidence"] >= confidence_threshold]
        table = detections(self.plates, confident)
        cases = DetectionCases(table, self.predictions, self.images, confidence_threshold)
        (scores,) = score_detections(cases, metrics).values()
        return scores


def sources_by_boxes(plates: pd.DataFrame, predictions: pd.DataFrame, images: pd.DataFrame) -> dict[str, SourceByBoxes]:
    """The sources of which some plates have an override box, once by each kind of box.

    The plain scores of such a source are by override boxes where there are any, and by the annotation's original ones,
    which may be looser, elsewhere. `NAME_override_boxes` has the images in which every plate has an override box.
    `NAME_original_boxes` has all images, and every plate with its original box; there, every prediction has margins
    around it, which are fitted to the difference of the two boxes of the training plates.

    Args:
        plates: a row a plate: image, source, split, plate, text, the true box and, where that is an override, the
            original box, in pixels.
        predictions: rows of `reports/predictions.csv`, all of them.
        images: as of `DetectionCases`, with width and height.
    """
    sizes = images.set_index("image")[["width", "height"]]
    found: dict[str, SourceByBoxes] = {}
    for source, part in plates.groupby("source", sort=True):
        overridden = part[ORIGINAL_BOX_COLUMNS].notna().all(axis=1)
        if not overridden.any():
            continue
        of_source, predicted = (rows[rows["source"] == source] for rows in (images, predictions))
        tight = of_source[~of_source["image"].isin(part.loc[~overridden, "image"])]
        name = f"{source}{OVERRIDE_BOXES}"
        found[name] = SourceByBoxes(part, predicted, tight.assign(source=name))

        both = part[overridden & (part["split"] == "train")]
        if len(both) < _FEWEST_PLATES:
            print(
                f"{source}: no scores by original boxes: {len(both)} of its training plates have an override box, too, "
                f"and {_FEWEST_PLATES} are needed to fit the margins between them"
            )
            continue
        boxes, original_boxes = (both[columns].to_numpy(float) for columns in (BOX_COLUMNS, ORIGINAL_BOX_COLUMNS))
        margins = fit_margins(boxes, original_boxes, sizes.loc[both["image"]].to_numpy(float))
        listed = ", ".join(f"{side} {margin:g}" for side, margin in asdict(margins).items())
        print(
            f"{source}: its original boxes are the override boxes with margins, fitted to {len(both)} training plates: "
            f"{listed}"
        )
        original, widened = part.copy(), predicted.copy()
        original.loc[overridden, BOX_COLUMNS] = part.loc[overridden, ORIGINAL_BOX_COLUMNS].to_numpy(float)
        widened[PREDICTED_BOX_COLUMNS] = margins.around(
            predicted[PREDICTED_BOX_COLUMNS].to_numpy(float), sizes.loc[predicted["image"]].to_numpy(float)
        )
        name = f"{source}{ORIGINAL_BOXES}"
        fitted = {**asdict(margins), "plates": len(both)}
        found[name] = SourceByBoxes(original, widened, of_source.assign(source=name), fitted)
    return found


def score_sources_by_boxes(
    plates: pd.DataFrame,
    predictions: pd.DataFrame,
    images: pd.DataFrame,
    confidence_threshold: float,
    metrics: Sequence[Metric[DetectionCases]] = METRICS,
) -> dict[str, dict[str, dict[str, Any]]]:
    """More of `metrics/detection.json`: the scores of `sources_by_boxes`, with the margins as `MARGINS` beside them."""
    scores: dict[str, dict[str, dict[str, Any]]] = {}
    for name, one in sources_by_boxes(plates, predictions, images).items():
        scored = one.scores(confidence_threshold, metrics)
        scores[name] = {MARGINS: {**one.margins}, **scored} if one.margins else scored
    return scores
