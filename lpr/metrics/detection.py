"""What the detector found, held against the true plates, and the scores made of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, PREDICTED_BOX_COLUMNS, Detections, iou
from lpr.config import ORIGINAL_BOXES, OVERRIDE_BOXES
from lpr.metrics.average_precision import average_precision
from lpr.metrics.label_margins import fit_margins
from lpr.metrics.statistics import Score, mean_score

PREDICTION_COLUMNS = ["image", "source", "split", "rank", "confidence", *PREDICTED_BOX_COLUMNS]
DETECTION_COLUMNS = [
    *["image", "source", "split", "plate", "text", *BOX_COLUMNS],
    *[*PREDICTED_BOX_COLUMNS, "confidence", "iou"],
]
MARGINS = "margins"
"""What the margins of a source's own boxes stand under, beside its sides, in `metrics/detection.json`."""
_HIT_IOU = 0.5
_FEWEST = 10  # plates that margins are fitted to


def predictions(images: pd.DataFrame, found: Sequence[Detections]) -> pd.DataFrame:
    """`reports/predictions.csv`: a row a predicted plate, a image's most confident (`rank` 0) first.

    Args:
        images: a row a image: image, source, split.
        found: what was found in each; boxes in pixels. One that is not a number (a network that diverged) is none.
    """
    counts = [len(plates.confidences) for plates in found]
    table = images[["image", "source", "split"]].loc[images.index.repeat(counts)].reset_index(drop=True)
    table[PREDICTED_BOX_COLUMNS] = np.concatenate([np.empty((0, 4)), *(plates.boxes for plates in found)]).round(3)
    table["confidence"] = np.concatenate([np.empty(0), *(plates.confidences for plates in found)]).round(6)
    table = table.dropna(subset=PREDICTED_BOX_COLUMNS).reset_index(drop=True)
    table["rank"] = table.groupby("image").cumcount()
    return table[PREDICTION_COLUMNS]


def detections(plates: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """`reports/detections.csv`: every true plate beside the prediction that fits it best, and their IoU.

    Where nothing is predicted in its image, the plate has no predicted box and an IoU of 0.

    Args:
        plates: a row a plate: image, source, split, plate, text, and the true box in pixels.
        found: rows of `reports/predictions.csv` that are confident enough to count.
    """
    pairs = plates.merge(found[["image", "confidence", *PREDICTED_BOX_COLUMNS]], on="image", how="left")
    pairs["iou"] = iou(pairs[BOX_COLUMNS].to_numpy(float), pairs[PREDICTED_BOX_COLUMNS].to_numpy(float)).round(6)
    # Of predictions that fit alike, the most confident, which `found` has first.
    best = pairs.sort_values("iou", ascending=False, kind="stable").drop_duplicates(["image", "plate"])
    return best.sort_index()[DETECTION_COLUMNS].reset_index(drop=True)


def score_detections(
    table: pd.DataFrame, found: pd.DataFrame, images: pd.DataFrame, confidence: float
) -> dict[str, dict[str, dict[str, object]]]:
    """`metrics/detection.json`: for every source and split, every score with its n and interval.

    `mean_iou`, `recall@0.5` and `recall@0.7` are over plates, and absent where there are none; so are `AP50` and
    `AP50:95`, over images, for which every prediction counts by its confidence. `false_positives_per_image` is the mean number of
    confident predictions a image that overlap no true plate by an IoU of 0.5. `keras_accuracy` is what the origin
    watched: Keras's `accuracy` on four regressed numbers, the share of images in which the largest of the four
    coordinates is the same one in truth and prediction. It says nothing about where the plate is.

    Args:
        table: rows of `reports/detections.csv`.
        found: rows of `reports/predictions.csv`, all of them.
        images: the images that were looked at, those without plates too: image, source, split, width, height.
        confidence: from which a prediction counts as a plate.
    """
    sizes = images.set_index("image")[["width", "height"]]
    scores: dict[str, dict[str, dict[str, object]]] = {}
    for (source, split), looked_at in images.groupby(["source", "split"], sort=True):
        names = looked_at["image"].tolist()
        part, predicted = (rows[rows["image"].isin(names)] for rows in (table, found))
        confident = predicted[predicted["confidence"] >= confidence]
        overlap = part["iou"].to_numpy(float)
        named: dict[str, Score | None] = {
            "mean_iou": mean_score(overlap),
            "recall@0.5": mean_score(overlap >= 0.5),
            "recall@0.7": mean_score(overlap >= 0.7),
            **average_precision(part, predicted, names),
            "false_positives_per_image": mean_score(_false_positives(part, confident, names)),
            "keras_accuracy": mean_score(_same_largest_coordinate(part, sizes)),
        }
        scores.setdefault(str(source), {})[str(split)] = {key: s.as_dict() for key, s in named.items() if s}
    return scores


@dataclass(frozen=True)
class Labels:
    """A source by one kind of label: its plates, what was found, the images, and the margins that were put around
    what was found, with the number of plates that they were fitted to; None where there are none."""

    plates: pd.DataFrame
    found: pd.DataFrame
    images: pd.DataFrame
    margins: dict[str, float] | None = None

    def scores(self, confidence: float) -> dict[str, dict[str, object]]:
        """Every split's scores, as `score_detections` has them; confidence: from which a prediction is a plate."""
        table = detections(self.plates, self.found[self.found["confidence"] >= confidence])
        (scores,) = score_detections(table, self.found, self.images, confidence).values()
        return scores


def by_label(plates: pd.DataFrame, found: pd.DataFrame, images: pd.DataFrame) -> dict[str, Labels]:
    """Sources where boxes from elsewhere were joined, once by each kind of label.

    Such a source's plain scores are by the joined boxes where there are any, and else by the annotation's own, which
    may be drawn more loosely. `NAME_override_boxes` has the images without a plate of the second kind. `NAME_original_boxes`
    has all images, and every plate by its own box; there, every prediction has margins around it, which are fitted to
    what the two boxes of the train side's plates differ by.

    Args:
        plates: a row a plate: image, source, split, plate, text, and the true and own boxes in pixels.
        found: rows of `reports/predictions.csv`, all of them.
        images: as of `score_detections`.
    """
    sizes = images.set_index("image")[["width", "height"]]
    labels: dict[str, Labels] = {}
    for source, part in plates.groupby("source", sort=True):
        joined = part[ORIGINAL_BOX_COLUMNS].notna().all(axis=1)
        if not joined.any():
            continue
        looked_at = images[images["source"] == source]
        seen = found[found["source"] == source]
        tight = looked_at[~looked_at["image"].isin(part.loc[~joined, "image"])]
        name = f"{source}{OVERRIDE_BOXES}"
        labels[name] = Labels(part, seen, tight.assign(source=name))

        both = part[joined & (part["split"] == "train")]
        if len(both) < _FEWEST:
            print(
                f"{source}: no scores by the annotation's own boxes: {len(both)} of its training plates have a joined "
                f"box, too, and {_FEWEST} are needed to fit the margins between them"
            )
            continue
        boxes, original_boxes = (both[columns].to_numpy(float) for columns in (BOX_COLUMNS, ORIGINAL_BOX_COLUMNS))
        margins = fit_margins(boxes, original_boxes, sizes.loc[both["image"]].to_numpy(float))
        told = ", ".join(f"{side} {margin:g}" for side, margin in asdict(margins).items())
        print(
            f"{source}: its own boxes are the joined ones with margins, fitted to {len(both)} training plates: {told}"
        )
        own, widened = part.copy(), seen.copy()
        own.loc[joined, BOX_COLUMNS] = part.loc[joined, ORIGINAL_BOX_COLUMNS].to_numpy(float)
        widened[PREDICTED_BOX_COLUMNS] = margins.around(
            seen[PREDICTED_BOX_COLUMNS].to_numpy(float), sizes.loc[seen["image"]].to_numpy(float)
        )
        name = f"{source}{ORIGINAL_BOXES}"
        fitted = {**asdict(margins), "plates": len(both)}
        labels[name] = Labels(own, widened, looked_at.assign(source=name), fitted)
    return labels


def score_labels(
    plates: pd.DataFrame, found: pd.DataFrame, images: pd.DataFrame, confidence: float
) -> dict[str, dict[str, dict[str, object]]]:
    """More of `metrics/detection.json`: scores of what `by_label` has, with the margins as `MARGINS` beside them.

    Args:
        plates, found, images: as of `by_label`.
        confidence: from which a prediction counts as a plate.
    """
    scores: dict[str, dict[str, dict[str, object]]] = {}
    for name, one in by_label(plates, found, images).items():
        scored = one.scores(confidence)
        scores[name] = {MARGINS: {**one.margins}, **scored} if one.margins else scored
    return scores


def _false_positives(plates: pd.DataFrame, confident: pd.DataFrame, images: list[str]) -> np.ndarray:
    """How many predictions of each image hit no plate, (n,)."""
    pairs = confident.merge(plates[["image", *BOX_COLUMNS]], on="image", how="left")
    pairs["iou"] = iou(pairs[BOX_COLUMNS].to_numpy(float), pairs[PREDICTED_BOX_COLUMNS].to_numpy(float))
    best = pairs.groupby(["image", "rank"])["iou"].max()
    return (best < _HIT_IOU).groupby("image").sum().reindex(images, fill_value=0).to_numpy(float)


def _same_largest_coordinate(part: pd.DataFrame, sizes: pd.DataFrame) -> np.ndarray:
    from lpr.data.plates import largest_plates

    chosen = largest_plates(part)
    sides = sizes.loc[chosen["image"], ["width", "height", "width", "height"]].to_numpy(float)
    truth, predicted = (chosen[columns].to_numpy(float) / sides for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    # The argmax of no box is its first corner, which is never a true box's largest.
    return truth.argmax(axis=1) == predicted.argmax(axis=1)
