"""Characters of several crops of one plate, fused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.ocr.recognizer.decoding import CONFIDENCE_FLOOR, Characters

_SAME_IOU = 0.4  # boxes that overlap more are of one character


def weighted_boxes_fusion(crops: Sequence[Characters]) -> Characters:
    """The characters of several crops, whose boxes are in the same pixels, fused.

    The confidence of a character is the mean over the crops, 0 where one has no such box; its box and probabilities are
    means, weighted by confidence; the regions' probabilities are means over the crops. After "Weighted boxes fusion"
    (Solovyev et al. 2019, arXiv:1910.13302).
    """
    if len(crops) == 1:
        return crops[0]
    boxes, confidences, probabilities = (
        np.concatenate([getattr(crop, part) for crop in crops]) for part in ("boxes", "confidences", "probabilities")
    )
    order = np.argsort(-confidences, kind="stable")
    same = pairwise_iou(boxes, boxes) > _SAME_IOU
    remaining = np.ones(len(order), bool)
    clusters: list[np.ndarray] = []
    for first in order:
        if remaining[first]:
            clusters.append(np.flatnonzero(same[first] & remaining))
            remaining[clusters[-1]] = False
    weights = np.zeros((len(clusters), len(order)))  # of each box in the mean of each cluster
    for row, cluster in zip(weights, clusters, strict=True):
        row[cluster] = confidences[cluster]
    fused = weights.sum(axis=1) / len(crops)
    weights /= weights.sum(axis=1, keepdims=True)
    kept = [index for index in np.argsort(-fused, kind="stable") if fused[index] >= CONFIDENCE_FLOOR]
    regions = np.mean([crop.regions for crop in crops], axis=0)
    return Characters(weights[kept] @ boxes, fused[kept], weights[kept] @ probabilities, regions)
