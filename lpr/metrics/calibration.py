"""Calibrated confidences: of the texts with a confidence of 0.9, nine in ten are right.

Platt scaling: "Probabilistic outputs for support vector machines" (Platt 1999), applied to log odds.
"""

from __future__ import annotations

import numpy as np

from lpr.config import Section

_EPSILON = 1e-6  # least distance of a confidence from 0 and 1, whose log odds are infinite


class Calibration(Section):
    """A line: the calibrated log odds are `slope` times the uncalibrated ones, plus `offset`."""

    slope: float = 1.0
    offset: float = 0.0


def calibrate(confidences: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Calibrated confidences, in 0–1, of uncalibrated ones, in 0–1."""
    calibrated: np.ndarray = 1 / (1 + np.exp(-(calibration.slope * _log_odds(confidences) + calibration.offset)))
    return calibrated


def fit_calibration(confidences: np.ndarray, correct: np.ndarray) -> Calibration:
    """The calibration of greatest likelihood; that which changes nothing where all or none is correct.

    Args:
        confidences: in 0–1, (n,).
        correct: bool (n,).
    """
    from sklearn.linear_model import LogisticRegression

    if correct.all() or not correct.any():
        return Calibration()
    line = LogisticRegression(C=1e6).fit(_log_odds(confidences)[:, None], correct)
    return Calibration(slope=round(float(line.coef_[0, 0]), 4), offset=round(float(line.intercept_[0]), 4))


def _log_odds(confidences: np.ndarray) -> np.ndarray:
    clipped = np.clip(np.asarray(confidences, float), _EPSILON, 1 - _EPSILON)
    return np.log(clipped / (1 - clipped))
