"""COCO's average precision (Lin et al. 2014, arXiv:1405.0312), matched by pycocotools, and how certain it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS, MAX_BOXES_PER_IMAGE, PREDICTED_BOX_COLUMNS
from lpr.metrics.statistics import CONFIDENCE, Score

if TYPE_CHECKING:
    from pycocotools.coco import COCO

_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_RESAMPLES = 999  # fewer than a mean has: each goes through all predictions
_SEED = 20170620  # of the resampling alone


def average_precision(plates: pd.DataFrame, found: pd.DataFrame, images: Sequence[str]) -> dict[str, Score]:
    """`AP50` and `AP50:95` over images: of plates of any size, and at most `MAX_BOXES_PER_IMAGE` predictions a image.

    The interval is the percentile bootstrap over images. There is no score where the images show no plate.

    Args:
        plates: image, and the true box; a row a plate.
        found: rows of `reports/predictions.csv`, of any confidence.
        images: the images that were looked at, those without plates included.
    """
    if plates.empty:
        return {}
    matches = match(plates, found, images)
    n, random = len(images), np.random.default_rng(_SEED)
    draws = [np.ones(n, int), *(np.bincount(random.integers(n, size=n), minlength=n) for _ in range(_RESAMPLES))]
    value, *resampled = [matches.precision(drawn) for drawn in draws if drawn @ matches.plates]
    tails = [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]
    scores = {}
    for name, thresholds in (("AP50", slice(1)), ("AP50:95", slice(None))):
        low, high = np.percentile([each[thresholds].mean() for each in resampled], tails)
        scores[name] = Score(float(value[thresholds].mean()), float(low), float(high), n)
    return scores


@dataclass(frozen=True)
class Matches:
    """Which predictions hit a plate.

    Attributes:
        hits: bool (t, k), at each of COCO's ten IoU thresholds, the most confident prediction first.
        owner: int (k,), the image of each prediction.
        plates: int (n,), how many plates each image shows.
    """

    hits: np.ndarray
    owner: np.ndarray
    plates: np.ndarray

    def precision(self, drawn: np.ndarray) -> np.ndarray:
        """Precision, interpolated at COCO's 101 recalls and averaged: (t,), one a threshold.

        Args:
            drawn: int (n,), how often each image is in the sample: ones for all as they are. It must show a plate.
        """
        counts = drawn[self.owner]
        true = np.cumsum(self.hits * counts, axis=1)
        precision = true / np.maximum(np.cumsum(counts), 1)
        best_from_here = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        and_then_none = np.pad(best_from_here, [(0, 0), (0, 1)])
        places = [np.searchsorted(recall, _RECALLS) for recall in true / (drawn @ self.plates)]
        return np.take_along_axis(and_then_none, np.array(places), axis=1).mean(axis=1)


def match(plates: pd.DataFrame, found: pd.DataFrame, images: Sequence[str]) -> Matches:
    """As COCO does: the most confident prediction first, each takes the free plate that it overlaps most."""
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        truth = _coco(plates, BOX_COLUMNS, np.ones(len(plates)), images)
        predicted = _coco(found, PREDICTED_BOX_COLUMNS, found["confidence"].to_numpy(float), images)
        evaluation = COCOeval(truth, predicted, "bbox")
        evaluation.params.iouThrs, evaluation.params.maxDets = _THRESHOLDS, [MAX_BOXES_PER_IMAGE]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
    matched = [one for one in evaluation.evalImgs if one is not None]
    shown = np.zeros(len(images), int)
    for one in matched:
        shown[one["image_id"]] = len(one["gtIds"])
    order = np.argsort(-np.concatenate([one["dtScores"] for one in matched]), kind="stable")
    hits = np.concatenate([one["dtMatches"] for one in matched], axis=1) > 0
    owner = np.repeat([one["image_id"] for one in matched], [len(one["dtScores"]) for one in matched])
    return Matches(hits[:, order], owner[order], shown)


def _coco(rows: pd.DataFrame, columns: list[str], confidences: np.ndarray, images: Sequence[str]) -> COCO:
    from pycocotools.coco import COCO

    number = {image: index for index, image in enumerate(images)}
    boxes = rows[columns].to_numpy(float)
    sides = boxes[:, 2:] - boxes[:, :2]
    annotations = [
        {
            "id": id,  # from 1: 0 is COCO's mark of what has no match
            "image_id": number[image],
            "category_id": 1,
            "bbox": [*box[:2], *side],
            "area": side.prod(),
            "iscrowd": 0,
            "score": confidence,
        }
        for id, (image, box, side, confidence) in enumerate(
            zip(rows["image"], boxes, sides, confidences, strict=True), start=1
        )
    ]
    coco = COCO()
    listed = [{"id": index} for index in number.values()]
    coco.dataset = {"images": listed, "categories": [{"id": 1}], "annotations": annotations}
    coco.createIndex()
    return coco
