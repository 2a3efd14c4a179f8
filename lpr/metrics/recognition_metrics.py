"""The metrics of recognition that come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lpr.metrics.base import Metric, RatioMetric, RecognitionCases
from lpr.plates.text import fold

if TYPE_CHECKING:
    import pandas as pd


def _equal(cases: RecognitionCases) -> pd.Series:
    return cases.known["text"] == cases.known["predicted_text"]


def _equal_folded(cases: RecognitionCases) -> pd.Series:
    return cases.known["text"].map(fold) == cases.known["predicted_text"].map(fold)


def _edits(cases: RecognitionCases) -> pd.Series:
    import pandas as pd
    from rapidfuzz.distance import Levenshtein

    known = cases.known
    pairs = zip(known["text"], known["predicted_text"], strict=True)
    return pd.Series([Levenshtein.distance(*pair) for pair in pairs], known.index, float)


def _equal_without_grammar(cases: RecognitionCases) -> pd.Series:
    """Of no plate, where the grammar left every text as it was."""
    changed = (cases.plates["text_before_grammar"] != cases.plates["predicted_text"]).any()
    known = cases.known if changed else cases.known.head(0)
    return known["text"] == known["text_before_grammar"]


PLATE_ACC = RatioMetric(
    name="plate_acc",
    meaning="share of plates whose text is recognized exactly",
    unit="plate",
    numerators=_equal,
    headline="plates read",
)
PLATE_ACC_FOLDED = RatioMetric(
    name="plate_acc_folded",
    meaning="the same, where O counts as 0 and I as 1, which many plates print alike",
    unit="plate",
    numerators=_equal_folded,
    compared=False,
)
CER = RatioMetric(
    name="cer",
    meaning=(
        "character error rate: wrong, missing and surplus characters (Levenshtein distance) over the characters of the "
        "true texts; lower is better"
    ),
    unit="plate",
    numerators=_edits,
    denominators=lambda cases: cases.known["text"].str.len(),
    higher_is_better=False,
)
PLATE_ACC_WITHOUT_GRAMMAR = RatioMetric(
    name="plate_acc_without_grammar",
    meaning="plate_acc of the texts before a country's grammar chose among candidates, where it changed any",
    unit="plate",
    numerators=_equal_without_grammar,
    compared=False,
)
METRICS: tuple[Metric[RecognitionCases], ...] = (PLATE_ACC, PLATE_ACC_FOLDED, CER, PLATE_ACC_WITHOUT_GRAMMAR)
