"""COCO's average precision (Lin et al. 2014, arXiv:1405.0312), matched by pycocotools, with its bootstrap interval."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lpr.boxes import BOX_COLUMNS, MAX_BOXES_PER_IMAGE, PREDICTED_BOX_COLUMNS
from lpr.metrics.base import DetectionCases, Unit
from lpr.metrics.statistics import CONFIDENCE, Score

if TYPE_CHECKING:
    import pandas as pd
    from pycocotools.coco import COCO

_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_RESAMPLES = 999  # fewer than a mean has: each goes through all predictions
_SEED = 20170620  # of the resampling alone


@dataclass
class AveragePrecision:
    """Average precision of plates of any size, of at most `MAX_BOXES_PER_IMAGE` predictions an image.

    It is no mean over cases, so experiments are not compared by it.

    Attributes:
        thresholds: how many of COCO's ten IoU thresholds it is averaged over, from 0.5 on.
    """

    name: str
    meaning: str
    thresholds: int
    unit: Unit = "image"
    higher_is_better: bool = True
    headline: str | None = None

    def score(self, cases: DetectionCases) -> Score | None:
        """By the percentile bootstrap over images, of which those without any plate in the resample are left out."""
        if cases.plates.empty:
            return None
        matches = match_predictions(cases.plates, cases.predictions, cases.images["image"].tolist())
        matches = replace(matches, hits=matches.hits[: self.thresholds])
        n, random = len(matches.plates), np.random.default_rng(_SEED)
        counts = [np.ones(n, int), *(np.bincount(random.integers(n, size=n), minlength=n) for _ in range(_RESAMPLES))]
        value, *resampled = [matches.precision(one).mean() for one in counts if one @ matches.plates]
        low, high = np.percentile(resampled, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
        return Score(float(value), float(low), float(high), n)

    def per_case(self, cases: DetectionCases) -> None:  # noqa: ARG002
        """Nothing."""
        return


@dataclass(frozen=True)
class Matches:
    """Which predictions match a plate.

    Attributes:
        hits: bool (t, k), at each of COCO's ten IoU thresholds or the first of them, the most confident prediction
            first.
        owner: int (k,), the index of each prediction's image.
        plates: int (n,), the number of true plates of each image.
    """

    hits: np.ndarray
    owner: np.ndarray
    plates: np.ndarray

    def precision(self, counts: np.ndarray) -> np.ndarray:
        """Precision, interpolated at COCO's 101 recalls and averaged: (t,), one per threshold.

        Args:
            counts: int (n,), how often each image is in the sample: ones for all as they are. At least one image of the
                sample must have a plate.
        """
        weights = counts[self.owner]
        true = np.cumsum(self.hits * weights, axis=1)
        precision = true / np.maximum(np.cumsum(weights), 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        padded = np.pad(envelope, [(0, 0), (0, 1)])  # 0 at recalls that are not reached
        places = [np.searchsorted(recall, _RECALLS) for recall in true / (counts @ self.plates)]
        return np.take_along_axis(padded, np.array(places), axis=1).mean(axis=1)


def match_predictions(plates: pd.DataFrame, predictions: pd.DataFrame, images: Sequence[str]) -> Matches:
    """As COCO does: the most confident prediction first, each takes the free plate that it overlaps most.

    Args:
        plates: image, and the true box; a row a plate, at least one.
        predictions: rows of `reports/predictions.csv`, of any confidence.
        images: the names of all images, those without plates included.
    """
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        truth = _coco(plates, BOX_COLUMNS, np.ones(len(plates)), images)
        predicted = _coco(predictions, PREDICTED_BOX_COLUMNS, predictions["confidence"].to_numpy(float), images)
        evaluation = COCOeval(truth, predicted, "bbox")
        evaluation.params.iouThrs, evaluation.params.maxDets = _THRESHOLDS, [MAX_BOXES_PER_IMAGE]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
    matched = [one for one in evaluation.evalImgs if one is not None]
    per_image = np.zeros(len(images), int)
    for one in matched:
        per_image[one["image_id"]] = len(one["gtIds"])
    order = np.argsort(-np.concatenate([one["dtScores"] for one in matched]), kind="stable")
    hits = np.concatenate([one["dtMatches"] for one in matched], axis=1) > 0
    owner = np.repeat([one["image_id"] for one in matched], [len(one["dtScores"]) for one in matched])
    return Matches(hits[:, order], owner[order], per_image)


def _coco(rows: pd.DataFrame, columns: list[str], confidences: np.ndarray, images: Sequence[str]) -> COCO:
    from pycocotools.coco import COCO

    number = {image: index for index, image in enumerate(images)}
    boxes = rows[columns].to_numpy(float)
    sides = boxes[:, 2:] - boxes[:, :2]
    annotations = [
        {
            "id": id,  # from 1: for COCO, 0 means no match
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
