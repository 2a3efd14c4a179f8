"""Scores with their uncertainty: every figure the project reports is a `Score`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 9999  # scipy's default: odd plus one, so that quantiles fall on resamples
_SEED = 20170620  # of the resampling alone: the same values give the same interval


@dataclass(frozen=True)
class Score:
    """A figure with its 95 % bootstrap interval [low, high] over `n` cases."""

    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """As it stands in `metrics/*.json`, rounded to six digits."""
        return {key: round(value, 6) if isinstance(value, float) else value for key, value in asdict(self).items()}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"


def mean_score(values: Sequence[float] | np.ndarray) -> Score | None:
    """The mean of one value a case; None where there are no cases."""
    return ratio_score(values, np.ones(len(values)))


def ratio_score(numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray) -> Score | None:
    """The sum of the numerators over the sum of the denominators, one of each a case, as CER has it.

    The interval is the percentile bootstrap over cases (Efron & Tibshirani 1993, ch. 13), by `scipy.stats.bootstrap`.
    """
    from scipy.stats import bootstrap

    above, below = np.asarray(numerators, float), np.asarray(denominators, float)
    if len(above) == 0 or below.sum() == 0:
        return None
    value = float(above.sum() / below.sum())
    if len(above) == 1:
        return Score(value, value, value, 1)
    interval = bootstrap(
        (above, below),
        lambda a, b, axis: a.sum(axis=axis) / np.maximum(b.sum(axis=axis), np.finfo(float).tiny),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1000,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Score(value, float(interval.low), float(interval.high), len(above))
