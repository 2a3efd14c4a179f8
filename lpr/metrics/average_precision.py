"""COCO's average precision (Lin et al. 2014, arXiv:1405.0312); with its bootstrap interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lpr.metrics.base import DetectionCases, Unit
from lpr.metrics.statistics import CONFIDENCE, Score

_RESAMPLES = 999  # fewer than a mean has: each goes through all predictions
_SEED = 20170620  # of the resampling alone


@dataclass
class AveragePrecision:
    """Average precision of plates of any size, of at most `MAX_BOXES_PER_IMAGE` predictions an image.

    It is no mean over cases, so experiments are not compared by it.

    Attributes:
        thresholds: how many of COCO's ten IoU thresholds it is averaged over, from 0.5 on.
    """

    name: str
    meaning: str
    thresholds: int
    unit: Unit = "image"
    higher_is_better: bool = True
    headline: str | None = None

    def score(self, cases: DetectionCases) -> Score | None:
        """By the percentile bootstrap over images, of which those without any plate in the resample are left out."""
        if cases.plates.empty:
            return None
        matches = replace(cases.matches, hits=cases.matches.hits[: self.thresholds])
        n, random = len(matches.plates), np.random.default_rng(_SEED)
        counts = (np.bincount(random.integers(n, size=n), minlength=n) for _ in range(_RESAMPLES))
        value = matches.precision(np.ones(n, int)).mean()
        resampled = [matches.precision(one).mean() for one in counts if one @ matches.plates]
        low, high = np.percentile(resampled, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
        return Score(float(value), float(low), float(high), n)

    def per_case(self, cases: DetectionCases) -> None:  # noqa: ARG002
        """Nothing."""
        return
