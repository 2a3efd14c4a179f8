"""Calibrated confidences."""

import numpy as np

from lpr.metrics.calibration import Calibration, calibrate, fit_calibration


def test_overconfident_values_are_corrected() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.05, 0.95, 4000)
    odds = np.log(true / (1 - true))
    overconfident = 1 / (1 + np.exp(-(2.5 * odds + 1)))
    found = fit_calibration(overconfident, rng.random(4000) < true)
    assert np.abs(calibrate(overconfident, found) - true).max() < 0.05


def test_where_everything_was_correct_confidences_stay() -> None:
    assert fit_calibration(np.array([0.9, 0.8]), np.array([True, True])) == Calibration()
    np.testing.assert_allclose(calibrate(np.array([0.2, 0.9]), Calibration()), [0.2, 0.9])
