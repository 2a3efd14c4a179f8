"""How well plates were read."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lpr.plate_text import fold
from lpr.statistics import mean_score, ratio_score


def score_readings(readings: pd.DataFrame) -> dict[str, Any]:
    """Scores of `reports/readings.csv`, as `metrics/reading.json` has them: `{source: {split: {boxes: scores}}}`.

    `plates` is the number read. Over those whose true text is known, and absent where none is:
    `plate_acc`, the fraction read exactly; `plate_acc_folded`, the same with O as 0 and I as 1 on both sides, which
    many plates print alike; `cer`, the character error rate: edits (Levenshtein) over characters of the true texts;
    and where a grammar chose otherwise than the reader, `plate_acc_as_read`, the first without it.
    """
    scores: dict[str, Any] = {}
    for key, group in readings.groupby(["source", "split", "boxes"]):
        source, split, boxes = map(str, key)
        known = group[group["text"] != ""]
        edits = known["edits"].to_numpy(float)
        folded = known["text"].map(fold) == known["reading"].map(fold)
        chosen = (group["as_read"] != group["reading"]).any()
        figures = {
            "plate_acc": mean_score(edits == 0),
            "plate_acc_folded": mean_score(folded.to_numpy(float)),
            "cer": ratio_score(edits, known["text"].str.len().to_numpy(float)),
            "plate_acc_as_read": mean_score((known["text"] == known["as_read"]).to_numpy(float)) if chosen else None,
        }
        scores.setdefault(source, {}).setdefault(split, {})[boxes] = {
            "plates": len(group),
            **{name: figure.as_dict() for name, figure in figures.items() if figure is not None},
        }
    return scores
