"""One reading of several looks at the same plate: what they find is put together by a vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.ocr.recognizer.decoding import FLOOR, Characters

_SAME_IOU = 0.4  # of boxes that are of one character


def weighted_boxes_fusion(looks: Sequence[Characters]) -> Characters:
    """The characters of several looks, whose boxes are in the same frame.

    A character's confidence is the mean of the looks', 0 where one has no such box; which it is and where, the mean of
    what they say, by their confidences. After "Weighted boxes fusion" (Solovyev et al. 2019, arXiv:1910.13302).
    """
    if len(looks) == 1:
        return looks[0]
    boxes, confidences, chances = (
        np.concatenate([getattr(look, part) for look in looks]) for part in ("boxes", "confidences", "chances")
    )
    order = np.argsort(-confidences, kind="stable")
    same = pairwise_iou(boxes, boxes) > _SAME_IOU
    left = np.ones(len(order), bool)
    groups: list[np.ndarray] = []
    for first in order:
        if left[first]:
            groups.append(np.flatnonzero(same[first] & left))
            left[groups[-1]] = False
    shares = np.zeros((len(groups), len(order)))  # of each box in the vote of each group
    for share, group in zip(shares, groups, strict=True):
        share[group] = confidences[group]
    sure = shares.sum(axis=1) / len(looks)
    shares /= shares.sum(axis=1, keepdims=True)
    kept = [place for place in np.argsort(-sure, kind="stable") if sure[place] >= FLOOR]
    return Characters(shares[kept] @ boxes, sure[kept], shares[kept] @ chances)
