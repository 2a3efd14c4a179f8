"""How well plates were read."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rapidfuzz.distance import Levenshtein

from lpr.metrics.statistics import mean_score, ratio_score
from lpr.plates.text import fold


def score_recognitions(readings: pd.DataFrame) -> dict[str, Any]:
    """Scores of `reports/recognitions.csv`, as `metrics/recognition.json` has them: `{source: {split: {boxes: scores}}}`.

    `plates` is the number read. Over those whose true text is known, and absent where none is:
    `plate_acc`, the fraction read exactly; `plate_acc_folded`, the same with O as 0 and I as 1 on both sides, which
    many plates print alike; `cer`, the character error rate: edits (Levenshtein) over characters of the true texts;
    and where a grammar chose otherwise than the reader, `plate_acc_without_grammar`, the first without it.
    """
    scores: dict[str, Any] = {}
    for key, group in readings.groupby(["source", "split", "boxes"]):
        source, split, boxes = map(str, key)
        known = group[group["text"] != ""]
        each = figures(known["text"], known["reading"])
        chosen = (group["text_before_grammar"] != group["reading"]).any()
        found = {
            "plate_acc": mean_score(each["exact"].to_numpy()),
            "plate_acc_folded": mean_score(each["folded"].to_numpy()),
            "cer": ratio_score(each["edits"].to_numpy(), each["characters"].to_numpy()),
            "plate_acc_without_grammar": mean_score((known["text"] == known["text_before_grammar"]).to_numpy(float))
            if chosen
            else None,
        }
        scores.setdefault(source, {}).setdefault(split, {})[boxes] = {
            "plates": len(group),
            **{name: score.as_dict() for name, score in found.items() if score is not None},
        }
    return scores


def figures(texts: pd.Series, readings: pd.Series) -> pd.DataFrame:
    """Of each reading, as floats: 1 where it is `exact`; 1 where it is `folded`, with O as 0 and I as 1 on both sides;
    how many `edits` (Levenshtein) part it from the true text, and the `characters` of that.
    """
    edits = [Levenshtein.distance(*pair) for pair in zip(texts, readings, strict=True)]
    return pd.DataFrame(
        {
            "exact": texts == readings,
            "folded": texts.map(fold) == readings.map(fold),
            "edits": pd.Series(edits, texts.index, float),
            "characters": texts.str.len(),
        }
    ).astype(float)
