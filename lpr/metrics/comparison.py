"""Which of several experiments is better, plate by plate: scores, their paired differences, and what these prove.

Functions of tables alone: `lpr.experiment.compare` reads and writes the files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.metrics.statistics import Score, groups_needed, holm, mcnemar, paired_difference, sign_flip

METRICS = ("mean_iou", "recall@0.5", "recall@0.7", "true/plate_acc", "predicted/plate_acc")
"""What experiments are compared by, under the names of `metrics/*.json`; each is a mean over plates."""
IDENTITY = ["source", "image", "plate", *BOX_COLUMNS, "text"]
"""What makes a plate the same one: where it is, and the truth that it is scored by."""
LEVEL = 0.05  # of error, two-sided, of each verdict after correction
_MOST_IMAGES = 100_000  # beyond what anyone will annotate


@dataclass(frozen=True)
class Difference:
    """By how much one experiment's score exceeds the baseline's, on the plates that both know.

    `difference.n` counts plates, `images` the images they are on; p is of the null hypothesis that both are equally
    good, `p_corrected` the same for all the experiments that are held against this baseline (Holm).
    """

    source: str
    metric: str
    baseline: float
    other: float
    difference: Score
    images: int
    p: float
    p_corrected: float
    verdict: str


def plate_scores(detections: pd.DataFrame, readings: pd.DataFrame | None, split: str = "test") -> pd.DataFrame:
    """A row a plate of one side: `IDENTITY`, and a column a metric, 0 to 1; NaN where its text is unknown or not read.

    Args:
        detections: rows of `reports/detections.csv`; without a column iou where no detector was trained.
        readings: rows of `reports/recognitions.csv`; None where nothing was read.
        split: the side.
    """
    plates = detections[detections["split"] == split].reset_index(drop=True)
    scores = plates[IDENTITY].assign(**dict.fromkeys(METRICS, math.nan))
    if "iou" in plates:
        scores["mean_iou"] = plates["iou"]
        for threshold in (0.5, 0.7):
            scores[f"recall@{threshold}"] = (plates["iou"] >= threshold).astype(float)
    if readings is not None:
        known = readings[readings["text"] != ""]
        right = (known["edits"] == 0).astype(float).groupby([known[key] for key in ("image", "plate", "boxes")]).first()
        for boxes in ("true", "predicted"):
            keys = pd.MultiIndex.from_arrays([plates["image"], plates["plate"], np.repeat(boxes, len(plates))])
            scores[f"{boxes}/plate_acc"] = right.reindex(keys).to_numpy(float)
    return scores


def fold(repetitions: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Repetitions of one experiment (seeds, the folds of a k-fold) as one table of `plate_scores`.

    Each plate has the mean over the repetitions in which it was tested. Another drawn scene of the same name shows
    other plates, which stay apart.
    """
    together = pd.concat(repetitions, ignore_index=True)
    return together.groupby(IDENTITY, sort=False, as_index=False)[list(METRICS)].mean()


def compare(baseline: pd.DataFrame, others: Sequence[pd.DataFrame]) -> list[list[Difference]]:
    """How each of the others differs from the baseline, by source and metric, over the plates that both have.

    The interval is the paired bootstrap over images. p is McNemar's exact one for scores that are right or wrong; for
    IoUs, and for means over repetitions, it is of the sign-flip permutation test over images. Plates of which a score
    is not known on both sides (no text, not read) are left out of it.

    Args:
        baseline: a table of `plate_scores` or `fold`.
        others: tables alike. Their p-values are corrected together (Holm), source by source and metric by metric.
    """
    found: list[list[Difference]] = [[] for _ in others]
    paired = [baseline.merge(other, on=IDENTITY, suffixes=("_baseline", "_other")) for other in others]
    for source, metric in product(baseline["source"].unique(), METRICS):
        columns = [f"{metric}_baseline", f"{metric}_other"]
        family = {
            index: known
            for index, plates in enumerate(paired)
            if len(known := plates[plates["source"] == source].dropna(subset=columns))
        }
        # Means over repetitions carry rounding errors, which are no differences.
        differences = {i: (known[columns[1]] - known[columns[0]]).round(9).to_numpy() for i, known in family.items()}
        p_values = [_p_value(differences[index], known["image"]) for index, known in family.items()]
        for (index, known), p, corrected in zip(family.items(), p_values, holm(p_values), strict=True):
            difference = paired_difference(differences[index], known["image"])
            assert difference is not None, "no plate is known"
            found[index].append(
                Difference(
                    source=str(source),
                    metric=metric,
                    baseline=float(known[columns[0]].mean()),
                    other=float(known[columns[1]].mean()),
                    difference=difference,
                    images=known["image"].nunique(),
                    p=p,
                    p_corrected=corrected,
                    verdict=_verdict(differences[index], known["image"], corrected, LEVEL / len(family)),
                )
            )
    return found


def _p_value(differences: np.ndarray, images: pd.Series) -> float:
    right_or_wrong = np.isin(differences, (-1, 0, 1)).all()
    return mcnemar(differences) if right_or_wrong else sign_flip(differences, images.to_numpy())


def _verdict(differences: np.ndarray, images: pd.Series, p_corrected: float, level: float) -> str:
    """In words; `level` is the one that the smallest of the p-values must reach."""
    count = images.nunique()
    if count < 2:
        return "too few images"
    if p_corrected < LEVEL:
        return "better" if differences.mean() > 0 else "worse"
    needed = max(groups_needed(differences, images.to_numpy(), level), count + 1)
    if needed > _MOST_IMAGES:
        return "no difference shown: needs more images than feasible"
    return f"no difference shown: needs about {_rounded_up(needed)} images"


def _rounded_up(number: float) -> int:
    """To two digits: more would pretend to be exact."""
    step = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step
