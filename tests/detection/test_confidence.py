"""The threshold of a detector, chosen by what it finds in a few images."""

import numpy as np

from lpr.detection.confidence import ValidationDetections, fit, largest_f1
from lpr.metrics.calibration import Calibration, calibrate


def found(count: int, rng: np.random.Generator) -> ValidationDetections:
    """Detections of which more are right than their confidences say."""
    confidences = rng.beta(0.6, 0.9, count)
    correct = rng.random(count) < calibrate(confidences, Calibration(slope=2.0, offset=1.5))
    return ValidationDetections(confidences, correct, int(correct.sum() * 1.1))


def f1(of: ValidationDetections, calibration: Calibration, threshold: float) -> float:
    kept = calibrate(of.confidences, calibration) >= threshold
    return float(2 * of.correct[kept].sum() / (kept.sum() + of.plates))


def test_a_threshold_chosen_by_few_detections_serves_others_better_than_the_best_of_these_few() -> None:
    rng = np.random.default_rng(0)
    others = found(50_000, rng)
    lost, lost_by_the_best = [], []
    for few in (found(120, rng) for _ in range(60)):
        calibration, threshold = fit(few)
        possible, _ = largest_f1(others.confidences, others.correct, others.plates)
        _, best = largest_f1(calibrate(few.confidences, calibration), few.correct, few.plates)
        lost.append(possible - f1(others, calibration, threshold))
        lost_by_the_best.append(possible - f1(others, calibration, best))
    assert np.mean(lost) < 0.01
    assert np.mean(lost) < np.mean(lost_by_the_best) / 2


def test_where_all_are_right_the_threshold_lets_all_pass() -> None:
    confidences = np.array([0.9, 0.31, 0.3])
    calibration, threshold = fit(ValidationDetections(confidences, np.ones(3, bool), 3))
    assert calibration == Calibration()
    assert threshold <= 0.3
