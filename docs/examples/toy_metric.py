"""Metrics: one of detection, which is a mean over plates, and one of recognition, which is a ratio of two sums."""

import pandas as pd

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.metrics.base import DetectionCases, RatioMetric, RecognitionCases


def _centre_error_px(cases: DetectionCases) -> pd.Series:
    """Distance of the two boxes' centres, pixels, by plate; plates without a prediction are left out."""
    found = cases.plates.dropna(subset=PREDICTED_BOX_COLUMNS)
    true, predicted = (found[columns].to_numpy(float) for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    shift = (true[:, :2] + true[:, 2:] - predicted[:, :2] - predicted[:, 2:]) / 2
    return pd.Series((shift**2).sum(axis=1) ** 0.5, found.index)


def _digits_right(cases: RecognitionCases) -> pd.Series:
    pairs = zip(cases.known["text"], cases.known["predicted_text"], strict=True)
    counts = [sum(a == b and a.isdigit() for a, b in zip(true, got, strict=False)) for true, got in pairs]
    return pd.Series(counts, cases.known.index)


CENTRE_ERROR = RatioMetric(
    name="centre_error_px",
    meaning="distance between the centres of the true and the predicted box, pixels; lower is better",
    unit="plate",
    numerators=_centre_error_px,
    higher_is_better=False,
    compared=False,  # which plates count depends on the predictions, so that two experiments cannot be paired by it
)
DIGIT_ACCURACY = RatioMetric(
    name="digit_accuracy",
    meaning="share of the true texts' digits that stand at the same place in the recognized text",
    unit="plate",
    numerators=_digits_right,
    denominators=lambda cases: cases.known["text"].str.count(r"\d"),
)
