"""Which predictions match a plate, as COCO matches them, by pycocotools (Lin et al. 2014, arXiv:1405.0312)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lpr.boxes import BOX_COLUMNS, MAX_BOXES_PER_IMAGE, PREDICTED_BOX_COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from pycocotools.coco import COCO

_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)


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
        weights, plates = counts[self.owner], counts @ self.plates
        so_far = np.maximum(np.cumsum(weights), 1)
        return np.array([_interpolated(weights[hits], so_far[hits], plates) for hits in self._places])

    @cached_property
    def _places(self) -> list[np.ndarray]:
        """The predictions that match a plate, at each threshold."""
        return [np.flatnonzero(hits) for hits in self.hits]


def _interpolated(weights: np.ndarray, so_far: np.ndarray, plates: int) -> float:
    """Precision at COCO's recalls, averaged, from the predictions that match alone: between two of them, it falls.

    Args:
        weights: how often each of them is in the sample.
        so_far: how many predictions, matching or not, are there up to each of them.
        plates: of the sample.
    """
    true = np.cumsum(weights)
    envelope = np.maximum.accumulate((true / so_far)[::-1])[::-1]
    reached = np.searchsorted(true / plates, _RECALLS)
    return float(np.append(envelope, 0)[reached].mean())  # 0 at recalls that are not reached


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
