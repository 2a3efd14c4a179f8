"""Confidences of an exported detector: calibrated, and the threshold from which a detection counts as a plate.

Both are fitted on validation images: of the detections with a confidence of 0.9, nine in ten are plates; and the
threshold is that of the largest F1, the harmonic mean of precision and recall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpr.boxes import Detections
from lpr.metrics.calibration import Calibration, calibrate, fit_calibration


@dataclass(frozen=True)
class ValidationDetections:
    """What a detector found in the validation images.

    Attributes:
        confidences: of its boxes, as the network gives them, in 0–1, (k,).
        correct: whether each is a plate's (IoU ≥ 0.5, a plate once), bool (k,).
        plates: the number of true plates.
    """

    confidences: np.ndarray
    correct: np.ndarray
    plates: int


def fit(found: ValidationDetections) -> tuple[Calibration, float]:
    """The calibration, and the threshold for calibrated confidences, in 0–1.

    Of calibrated confidences, the threshold of the largest F1 is half of that F1 (Lipton et al. 2014,
    arXiv:1402.1892). F1 hardly changes around it, so that the threshold at which it happens to be largest in a hundred
    images says little. That one is taken where all detections are right, or none is: then nothing can be calibrated.
    """
    calibration = fit_calibration(found.confidences, found.correct)
    confidences = calibrate(found.confidences, calibration)
    largest, threshold = largest_f1(confidences, found.correct, found.plates)
    return calibration, threshold if calibration == Calibration() else round(largest / 2, 3)


def largest_f1(confidences: np.ndarray, correct: np.ndarray, plates: int) -> tuple[float, float]:
    """The largest F1 of any threshold, and that threshold, midway between the last confidence that counts and the next.

    Args:
        confidences: in 0–1, (k,), k at least 1.
        correct: bool (k,).
        plates: the number of true plates.
    """
    order = np.argsort(-confidences, kind="stable")
    ranked = confidences[order]
    f1 = 2 * np.cumsum(correct[order]) / (np.arange(1, len(ranked) + 1) + plates)
    best = int(np.argmax(f1))
    following = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float(f1[best]), round(float(ranked[best] + following) / 2, 3)


def calibrated(found: Detections, calibration: Calibration | None) -> Detections:
    """With calibrated confidences; unchanged without a calibration."""
    return Detections(found.boxes, calibrate(found.confidences, calibration)) if calibration else found
