"""Confidences that mean what they say: of the readings that are sure to 0.9, nine in ten are right.

Platt scaling: "Probabilistic outputs for support vector machines" (Platt 1999), on the logarithm of the odds.
"""

from __future__ import annotations

import numpy as np

from lpr.config import Section

_EDGE = 1e-6  # of a confidence from 0 and 1, whose odds have no logarithm


class Calibration(Section):
    """The logarithm of the right odds is `slope` times that of the odds said, and `offset` more."""

    slope: float = 1.0
    offset: float = 0.0


def calibrated(confidences: np.ndarray, by: Calibration) -> np.ndarray:
    """Confidences in 0–1 → in 0–1."""
    right: np.ndarray = 1 / (1 + np.exp(-(by.slope * _log_odds(confidences) + by.offset)))
    return right


def fit(confidences: np.ndarray, right: np.ndarray) -> Calibration:
    """The calibration under which what was right (n,) is likeliest; none where all or nothing was.

    Args:
        confidences: in 0–1, (n,).
        right: bool (n,).
    """
    from sklearn.linear_model import LogisticRegression

    if right.all() or not right.any():
        return Calibration()
    line = LogisticRegression(C=1e6).fit(_log_odds(confidences)[:, None], right)
    return Calibration(slope=round(float(line.coef_[0, 0]), 4), offset=round(float(line.intercept_[0]), 4))


def _log_odds(confidences: np.ndarray) -> np.ndarray:
    inside = np.clip(np.asarray(confidences, float), _EDGE, 1 - _EDGE)
    return np.log(inside / (1 - inside))
