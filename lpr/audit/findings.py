"""Where the labels and the predictions of a trained detector differ, a row a finding.

A finding names a difference, not its cause: the label may be wrong, or the detector. A person has to check the image.
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

# All thresholds were chosen by checking the findings in the training images of Dataturks, cars433 and Indonesia.
COVERAGE_THRESHOLD = 0.2  # intersection over the smaller box, from which label and prediction overlap
HIGH_CONFIDENCE_QUANTILE = 0.5  # of the confidences of correct predictions, from which a confidence is high
MIN_CONFIDENCE = 0.1  # predictions below it are ignored
IOU_THRESHOLD = 0.5  # from which label and prediction agree
LOW_IOU_THRESHOLD = 0.1  # below it only a prediction of high confidence counts; others are letters within a plate
AREA_RATIO_THRESHOLD = 1.5  # from which a box has the wrong size rather than the wrong position
LARGE_AREA_FRACTION = 0.5  # of the image's area, above which a label is too large for a plate
MIN_SIDE_PX = 3  # a label with a shorter side can hold no plate


def match_predictions(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Each label with the prediction for the same plate, if there is one.

    In each image, overlapping labels and predictions are assigned one to one so that the sum of confidence × IoU is
    the largest.

    Args:
        labels: a row a plate with its true box, pixels.
        predictions: rows of `reports/predictions.csv`.

    Returns:
        The labels with the predicted box and its `confidence` and `iou`; without a prediction, NaN and 0 in both.
        `max_confidence` is the highest confidence of all predictions that overlap the label, assigned to it or not.
    """
    from scipy.optimize import linear_sum_assignment

    predictions_of = dict(iter(predictions.groupby("image")))
    matched = np.full((len(labels), 7), np.nan)
    matched[:, 4:] = 0
    for image, rows in labels.reset_index(drop=True).groupby("image"):
        if image not in predictions_of:
            continue
        part = predictions_of[image]
        iou, coverage = _overlaps(_boxes(rows, BOX_COLUMNS), _boxes(part, PREDICTED_BOX_COLUMNS))
        confidences = np.where(coverage >= COVERAGE_THRESHOLD, part["confidence"].to_numpy(float), 0)
        matched[rows.index, 6] = confidences.max(axis=1)
        gain = iou * confidences
        for label, prediction in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if gain[label, prediction] > 0:
                values = part.iloc[prediction][[*PREDICTED_BOX_COLUMNS, "confidence"]]
                matched[rows.index[label], :6] = [*values, iou[label, prediction]]
    columns = [*PREDICTED_BOX_COLUMNS, "confidence", "iou", "max_confidence"]
    return labels.reset_index(drop=True).join(pd.DataFrame(matched, columns=columns).round(6))


def find_wrong_labels(matches: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The labels without a prediction, and those whose prediction lies elsewhere, is larger or smaller.

    Args:
        matches: of `match_predictions`.
        confidence: from which a prediction counts as a plate.

    Returns:
        Rows of `FINDING_COLUMNS`, at most one a label. Severity is, for `spurious`, 1 − the highest confidence of a
        prediction on the label, or that confidence where another label matches the prediction better; for the others,
        confidence × (1 − IoU).
    """
    high_confidence = high_confidence_threshold(matches)
    rows = []
    for row in matches.to_dict("records"):
        if finding := _classify(row, confidence, high_confidence):
            kind, severity, reason = finding
            rows.append({**row, "kind": kind, "severity": round(severity, 6), "reason": reason})
    return pd.DataFrame(rows, columns=FINDING_COLUMNS)


def find_missing_labels(labels: pd.DataFrame, matches: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of high confidence (`high_confidence_threshold`) that overlap no label.

    Args:
        labels: a row a plate, and a row without a box for an image that is labelled as having none.
        matches: of `match_predictions`.
        predictions: rows of `reports/predictions.csv`.

    Returns:
        Rows of `FINDING_COLUMNS`. Severity is the confidence.
    """
    high_confidence = high_confidence_threshold(matches)
    labels_of = dict(iter(labels.dropna(subset=BOX_COLUMNS).groupby("image")))
    urls = labels.drop_duplicates("image").set_index("image")["url"]
    rows = []
    for row in predictions[predictions["confidence"] >= high_confidence].to_dict("records"):
        labelled = labels_of.get(row["image"])
        predicted = np.array([[row[column] for column in PREDICTED_BOX_COLUMNS]], float)
        if labelled is not None:
            _, coverage = _overlaps(_boxes(labelled, BOX_COLUMNS), predicted)
            if (coverage >= COVERAGE_THRESHOLD).any():
                continue
        where = "in an image labelled as having none" if labelled is None else "where there is no label"
        rows.append(
            {
                **row,
                "kind": "missing",
                "severity": row["confidence"],
                "iou": 0.0,
                "reason": f"a plate is predicted, {_size(predicted[0])} px, {where}",
                "url": urls[row["image"]],
            }
        )
    return pd.DataFrame(rows, columns=FINDING_COLUMNS)


def high_confidence_threshold(matches: pd.DataFrame) -> float:
    """The confidence that half of the predictions reach which agree with a label; NaN where none agrees."""
    correct = matches.loc[matches["iou"] >= IOU_THRESHOLD, "confidence"]
    return float(correct.quantile(HIGH_CONFIDENCE_QUANTILE))


def _classify(row: dict[Any, Any], confidence: float, high_confidence: float) -> tuple[str, float, str] | None:
    """Kind, severity and reason; None for a label that agrees with its prediction, or has none that counts."""
    true, predicted = (np.array([row[c] for c in columns], float) for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    sides = true[2:] - true[:2]
    area_fraction = float(sides.clip(0).prod() / (row["width"] * row["height"]))
    if (sides < MIN_SIDE_PX).any():
        return "spurious", 1.0, f"a box of {_size(true)} px can hold no plate: corners swapped, or outside the image?"
    highest, own = row["max_confidence"], row["confidence"]
    if row["iou"] >= IOU_THRESHOLD and own >= MIN_CONFIDENCE:
        return None
    counts = own > 0 and own >= (confidence if row["iou"] >= LOW_IOU_THRESHOLD else high_confidence)
    if not counts and (highest < MIN_CONFIDENCE or area_fraction > LARGE_AREA_FRACTION):
        size = f"{_size(true)} px"
        if area_fraction > LARGE_AREA_FRACTION:
            size += f", {100 * area_fraction:.0f} % of the image"
        what = f"no prediction of more than {highest:.2f} confidence" if highest else "no prediction"
        return "spurious", 1 - highest, f"{what} overlaps this label of {size}"
    if own == 0 and highest >= confidence:
        reason = f"the plate predicted here matches another label better; a second label, of {_size(true)} px?"
        return "spurious", highest, reason
    if not counts:
        return None
    severity = own * (1 - row["iou"])
    ratio = float(sides.prod() / (predicted[2:] - predicted[:2]).prod())
    if ratio >= AREA_RATIO_THRESHOLD:
        return "loose", severity, f"{_times(ratio)} the area of the prediction: {_edges(true, predicted, 1)}"
    if ratio <= 1 / AREA_RATIO_THRESHOLD:
        return "tight", severity, f"{_times(ratio)} the area of the prediction: {_edges(true, predicted, -1)}"
    return "shifted", severity, f"about as large as the prediction, but {_shift(true, predicted)}"


def _times(ratio: float) -> str:
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.2g} ×"


def _edges(true: np.ndarray, predicted: np.ndarray, sign: int) -> str:
    """By how much the label extends beyond the prediction (sign 1), or falls short of it (−1), where that is most."""
    beyond = sign * (true - predicted) * [-1, -1, 1, 1]
    names = ("left", "top", "right", "bottom")
    parts = [
        f"{value:.0f} px at the {name}" for value, name in zip(beyond, names, strict=True) if value >= beyond.max() / 4
    ]
    return ("extends beyond it by " if sign > 0 else "leaves out ") + ", ".join(parts)


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
    return "shifted " + " and ".join(parts)


def _size(box: np.ndarray) -> str:
    return f"{box[2] - box[0]:.0f} × {box[3] - box[1]:.0f}"


def _boxes(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    return rows[columns].to_numpy(float)


def _overlaps(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """IoU, and intersection over the smaller area, of every pair of (n, 4) and (m, 4) boxes, each (n, m)."""
    overlap = pairwise_iou(a, b)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    total, smaller = np.add.outer(*areas), np.minimum.outer(*areas)
    intersection = overlap / (1 + overlap) * total
    return overlap, np.divide(intersection, smaller, out=np.zeros_like(overlap), where=smaller > 0)
