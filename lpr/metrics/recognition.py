"""The scores of recognized texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lpr.metrics.base import Metric, RecognitionCases
from lpr.metrics.recognition_metrics import METRICS


def score_recognitions(
    recognitions: pd.DataFrame, metrics: Sequence[Metric[RecognitionCases]] = METRICS
) -> dict[str, Any]:
    """`metrics/recognition.json`: `{source: {split: {boxes: scores}}}` of rows of `reports/recognitions.csv`.

    `plates` is the number of rows. The metrics are over those whose true text is known, and absent where none is.
    """
    scores: dict[str, Any] = {}
    for key, rows in recognitions.groupby(["source", "split", "boxes"]):
        source, split, boxes = map(str, key)
        named = {metric.name: metric.score(RecognitionCases(rows)) for metric in metrics}
        scores.setdefault(source, {}).setdefault(split, {})[boxes] = {
            "plates": len(rows),
            **{name: score.as_dict() for name, score in named.items() if score is not None},
        }
    return scores
