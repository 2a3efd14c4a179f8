"""Where the labels and a trained detector disagree, a row a finding.

A finding is a disagreement, not a verdict: the label is wrong, or the detector is. A person who looks at it can tell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS, pairwise_iou

FINDING_COLUMNS = [
    *["image", "source", "split", "plate", "kind", "severity"],
    *[*BOX_COLUMNS, *PREDICTED_BOX_COLUMNS, "confidence", "iou", "other_image", "reason", "url"],
]

# Chosen by looking at what they list of the training images of Dataturks, cars433 and Indonesia.
TOUCH = 0.2  # of the smaller of two boxes that must lie in the other one for them to be about the same plate
SURE = 0.5  # quantile of the confidences of the predictions that agree with labels, from which a prediction is sure
UNSEEN = 0.1  # below this confidence, nothing is seen
AGREEMENT = 0.5  # IoU from which label and prediction agree
SPECK = 0.1  # IoU below which only a sure prediction says anything of a label: others are letters within a plate
RESIZED = 1.5  # times the area, from which a box is another size rather than in another place
HUGE = 0.5  # of the image's area
SLIVER_PX = 3  # a box with a shorter side shows no plate


def match(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Each label beside the prediction that is about the same plate, if there is one.

    Of a image's labels and predictions that touch, those are paired whose confidence × IoU has the largest sum.

    Args:
        labels: a row a plate with its true box, pixels.
        predictions: rows of `reports/predictions.csv`.

    Returns:
        The labels with the predicted box and its `confidence` and `iou`; without one, no box, and 0 in both. `seen` is
        the confidence of the surest prediction that touches the label, paired with it or not.
    """
    from scipy.optimize import linear_sum_assignment

    found = dict(iter(predictions.groupby("image")))
    beside = np.full((len(labels), 7), np.nan)
    beside[:, 4:] = 0
    for image, rows in labels.reset_index(drop=True).groupby("image"):
        if image not in found:
            continue
        part = found[image]
        overlap, inside = _overlaps(_boxes(rows, BOX_COLUMNS), _boxes(part, PREDICTED_BOX_COLUMNS))
        touching = np.where(inside >= TOUCH, part["confidence"].to_numpy(float), 0)
        beside[rows.index, 6] = touching.max(axis=1)
        gain = overlap * touching
        for label, prediction in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if gain[label, prediction] > 0:
                values = part.iloc[prediction][[*PREDICTED_BOX_COLUMNS, "confidence"]]
                beside[rows.index[label], :6] = [*values, overlap[label, prediction]]
    columns = [*PREDICTED_BOX_COLUMNS, "confidence", "iou", "seen"]
    return labels.reset_index(drop=True).join(pd.DataFrame(beside, columns=columns).round(6))


def find_wrong_labels(matches: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The labels that the detector does not see, or sees elsewhere, larger or smaller.

    Args:
        matches: of `match`.
        confidence: from which a prediction counts as a plate.

    Returns:
        Rows of `FINDING_COLUMNS`, at most one a label. Severity is, for `doubtful`, 1 − the confidence with which a
        plate is seen there, or that confidence where another label fits the plate; for the others, confidence ×
        (1 − IoU).
    """
    sure = sure_confidence(matches)
    rows = []
    for row in matches.to_dict("records"):
        if finding := _judge(row, confidence, sure):
            kind, severity, reason = finding
            rows.append({**row, "kind": kind, "severity": round(severity, 6), "reason": reason})
    return pd.DataFrame(rows, columns=FINDING_COLUMNS)


def find_missing_labels(labels: pd.DataFrame, matches: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions that touch no label, of those that are as sure as the sure ones on labels.

    Args:
        labels: a row a plate, and a row without a box for a image that is said to show none.
        matches: of `match`.
        predictions: rows of `reports/predictions.csv`.

    Returns:
        Rows of `FINDING_COLUMNS`. Severity is the confidence.
    """
    sure = sure_confidence(matches)
    boxes = dict(iter(labels.dropna(subset=BOX_COLUMNS).groupby("image")))
    urls = labels.drop_duplicates("image").set_index("image")["url"]
    rows = []
    for row in predictions[predictions["confidence"] >= sure].to_dict("records"):
        labelled = boxes.get(row["image"])
        predicted = np.array([[row[column] for column in PREDICTED_BOX_COLUMNS]], float)
        if labelled is not None and (_overlaps(_boxes(labelled, BOX_COLUMNS), predicted)[1] >= TOUCH).any():
            continue
        there = "the image is said to show no plate" if labelled is None else "no label is there"
        rows.append(
            {
                **row,
                "kind": "missing",
                "severity": row["confidence"],
                "iou": 0.0,
                "reason": f"a plate is seen, {_size(predicted[0])} px, and {there}",
                "url": urls[row["image"]],
            }
        )
    return pd.DataFrame(rows, columns=FINDING_COLUMNS)


def sure_confidence(matches: pd.DataFrame) -> float:
    """From which a prediction is sure: half of those that agree with labels are. NaN where none does."""
    return float(matches.loc[matches["iou"] >= AGREEMENT, "confidence"].quantile(SURE))


def _judge(row: dict[Any, Any], confidence: float, sure: float) -> tuple[str, float, str] | None:
    """Kind, severity and reason; None for a label that the detector agrees with, or cannot judge."""
    true, predicted = (np.array([row[c] for c in columns], float) for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    sides = true[2:] - true[:2]
    share = float(sides.clip(0).prod() / (row["width"] * row["height"]))
    if (sides < SLIVER_PX).any():
        return "doubtful", 1.0, f"no plate fits into {_size(true)} px: corners swapped, or outside the image?"
    seen, own = row["seen"], row["confidence"]
    if row["iou"] >= AGREEMENT and own >= UNSEEN:
        return None
    judged = own > 0 and own >= (confidence if row["iou"] >= SPECK else sure)
    if not judged and (seen < UNSEEN or share > HUGE):
        what = "little" if seen else "nothing"
        covered = f", {100 * share:.0f} % of the image" if share > HUGE else ""
        return "doubtful", 1 - seen, f"{what} is seen in its {_size(true)} px{covered}"
    if own == 0 and seen >= confidence:
        reason = f"the plate that is seen here fits another label better; a second label of {_size(true)} px?"
        return "doubtful", seen, reason
    if not judged:
        return None
    severity = own * (1 - row["iou"])
    ratio = float(sides.prod() / (predicted[2:] - predicted[:2]).prod())
    if ratio >= RESIZED:
        return "loose", severity, f"{_times(ratio)} the area of the plate that is seen: {_sides(true, predicted, 1)}"
    if ratio <= 1 / RESIZED:
        return "tight", severity, f"{_times(ratio)} the area of the plate that is seen: {_sides(true, predicted, -1)}"
    return "shifted", severity, f"about as large as the plate that is seen, but {_shift(true, predicted)}"


def _times(ratio: float) -> str:
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.2g} ×"


def _sides(true: np.ndarray, predicted: np.ndarray, sign: int) -> str:
    """How far the label reaches beyond the prediction (sign 1), or stops short of it (−1), on the sides that matter."""
    beyond = sign * (true - predicted) * [-1, -1, 1, 1]
    names = ("left", "top", "right", "bottom")
    parts = [
        f"{value:.0f} px at the {name}" for value, name in zip(beyond, names, strict=True) if value >= beyond.max() / 4
    ]
    return ("reaches beyond it by " if sign > 0 else "leaves out ") + ", ".join(parts)


def _shift(true: np.ndarray, predicted: np.ndarray) -> str:
    moved = ((true[:2] + true[2:]) - (predicted[:2] + predicted[2:])) / 2
    size = predicted[2:] - predicted[:2]
    if (np.abs(moved) < size / 10).all():
        wide, high = (true[2:] - true[:2]) / size
        return f"{wide:.2g} × as wide and {high:.2g} × as high"
    directions = [("left", "right")[int(moved[0] > 0)], ("up", "down")[int(moved[1] > 0)]]
    parts = [
        f"{distance:.0f} px {direction}"
        for distance, direction in zip(np.abs(moved), directions, strict=True)
        if distance >= np.abs(moved).max() / 4
    ]
    return "moved " + " and ".join(parts)


def _size(box: np.ndarray) -> str:
    return f"{box[2] - box[0]:.0f} × {box[3] - box[1]:.0f}"


def _boxes(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    return rows[columns].to_numpy(float)


def _overlaps(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every pair of (n, 4) and (m, 4) boxes, (n, m): IoU, and the share of the smaller that lies in the other."""
    overlap = pairwise_iou(a, b)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    total, smaller = np.add.outer(*areas), np.minimum.outer(*areas)
    intersection = overlap / (1 + overlap) * total
    return overlap, np.divide(intersection, smaller, out=np.zeros_like(overlap), where=smaller > 0)
