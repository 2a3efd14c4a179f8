"""Scores with bootstrap intervals, and tests of whether two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 9999  # scipy's default: odd plus one, so that quantiles fall on resamples
_SEED = 20170620  # of the resampling alone: the same values give the same interval
_MANY = 10_000  # cases or groups
_RESAMPLES_OF_MANY = 999  # which tell the ends of an interval to a fortieth of its width
_BLOCK = 1 << 20  # values that are resampled at a time, which bounds the memory and changes no number


@dataclass(frozen=True)
class Score:
    """A value with its 95 % bootstrap interval [low, high] over `n` cases."""

    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """As in `metrics/*.json`, rounded to six digits."""
        return {key: round(value, 6) if isinstance(value, float) else value for key, value in asdict(self).items()}

    def __str__(self) -> str:
        return f"{self:.3f} (n={self.n})"

    def __format__(self, number: str) -> str:
        """With its interval and without n, every number in the format `number`: `.3f`, or `+.3f` for a difference."""
        return f"{self.value:{number}} [{self.low:{number}}, {self.high:{number}}]" if number else str(self)


def mean_score(values: Sequence[float] | np.ndarray) -> Score | None:
    """The mean of one value per case; None where there are no cases."""
    return ratio_score(values, np.ones(len(values)))


def ratio_score(numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray) -> Score | None:
    """The sum of the numerators over the sum of the denominators, one of each per case; None where that is 0.

    The interval is the percentile bootstrap over cases (Efron & Tibshirani 1993, ch. 13), by `scipy.stats.bootstrap`:
    of `RESAMPLES` resamples, or of 999 where there are more than 10,000 cases.
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
        n_resamples=RESAMPLES if len(above) <= _MANY else _RESAMPLES_OF_MANY,
        batch=max(1, _BLOCK // len(above)),
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Score(value, float(interval.low), float(interval.high), len(above))


def paired_difference(
    differences: Sequence[float] | np.ndarray,
    groups: Sequence[str] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
) -> Score | None:
    """The sum of one difference per case over the sum of their weights; its interval resamples whole groups.

    The cluster bootstrap (Davison & Hinkley 1997, § 3.8), where the plates of one image are a group. `n` counts cases.
    None where there are none.

    Args:
        differences: of each case.
        groups: the group of each case.
        weights: of each case; None: 1 each, so that the result is the mean difference.
    """
    score = ratio_score(*_by_group(differences, groups, weights))
    return None if score is None else replace(score, n=len(differences))


def mcnemar(differences: Sequence[float] | np.ndarray) -> float:
    """The exact p-value of McNemar (1947) that two equally good experiments differ as much, by `scipy.stats.binomtest`.

    Args:
        differences: of each case: 1 where only the one is right, -1 where only the other is, 0 where they are equal.
    """
    from scipy.stats import binomtest

    signs = np.sign(np.asarray(differences, float))
    wins, losses = int((signs > 0).sum()), int((signs < 0).sum())
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def sign_flip(differences: Sequence[float] | np.ndarray, groups: Sequence[str] | np.ndarray) -> float:
    """The p-value of the paired permutation test (Fisher 1935, § 21) on the mean difference, by `scipy.stats`.

    Were the two experiments equally good, the sum of each group's differences could as well have the other sign. All
    choices of signs are tried where they are few, else `RESAMPLES` of them, so that p is no less than 0.0002. Where
    more than 10,000 groups differ, the sum is normally distributed, and p is that of the normal distribution.
    """
    from scipy.stats import permutation_test

    sums, _ = _by_group(differences, groups)
    if len(sums) > _MANY:
        sums = sums[sums != 0]  # whose signs change nothing
    if len(sums) < 2:
        return 1.0
    if len(sums) > _MANY:
        return 2 * NormalDist().cdf(-abs(sums.sum()) / float(np.linalg.norm(sums)))
    return float(
        permutation_test(
            (sums,),
            lambda x, axis: x.sum(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=1000,
            rng=np.random.default_rng(_SEED),
        ).pvalue
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for being several, so that the chance of any false alarm keeps its level (Holm 1979)."""
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected.tolist()


def groups_needed(
    differences: Sequence[float] | np.ndarray,
    groups: Sequence[str] | np.ndarray,
    level: float,
    power: float = 0.8,
    weights: Sequence[float] | np.ndarray | None = None,
) -> float:
    """The number of groups that would show the mean difference, were it the true one; infinity where it is 0.

    The normal approximation (Chow, Shao & Wang 2008, § 3.2): n = ((z(1 - level / 2) + z(power)) · s / mean)², where s
    is the standard deviation between groups; for groups of unequal size, of their linearised ratio (Cochran 1977,
    § 6.4). At least as many as an exact test of signs needs to reach the level at all: 2 · 0.5ⁿ ≤ level.

    Args:
        differences: of each case.
        groups: the group of each case, at least two different ones.
        level: the two-sided error level at which it is to be shown.
        power: the chance of then showing it.
        weights: of each case; None: 1 each.
    """
    sums, sizes = _by_group(differences, groups, weights)
    mean = sums.sum() / sizes.sum()
    if mean == 0:
        return np.inf
    deviation = np.std((sums - mean * sizes) / sizes.mean(), ddof=1)
    z = NormalDist()
    normal = ((z.inv_cdf(1 - level / 2) + z.inv_cdf(power)) * deviation / mean) ** 2
    return float(max(normal, np.log2(2 / level)))


def _by_group(
    values: Sequence[float] | np.ndarray,
    groups: Sequence[str] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The sums of each group's values and weights; without weights, how many values it has."""
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(index, np.asarray(values, float)), np.bincount(index, weights)


def print_scores(scores: dict[str, Any], path: tuple[str, ...] = ()) -> None:
    """Print a line per score, at any depth of `scores`."""
    for name, part in scores.items():
        if isinstance(part, dict) and "low" in part:
            print(f"{' '.join(path):36} {name:18} {Score(**part)}")
        elif isinstance(part, dict):
            print_scores(part, (*path, name))
