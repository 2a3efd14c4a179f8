"""Confidences that mean what they say."""

import numpy as np

from lpr.ocr.recognizer.calibration import Calibration, calibrated, fit


def test_an_overconfident_reader_is_taken_at_less_than_its_word() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.05, 0.95, 4000)
    odds = np.log(true / (1 - true))
    said = 1 / (1 + np.exp(-(2.5 * odds + 1)))
    found = fit(said, rng.random(4000) < true)
    assert np.abs(calibrated(said, found) - true).max() < 0.05


def test_where_nothing_was_wrong_confidences_stay_as_they_are() -> None:
    assert fit(np.array([0.9, 0.8]), np.array([True, True])) == Calibration()
    np.testing.assert_allclose(calibrated(np.array([0.2, 0.9]), Calibration()), [0.2, 0.9])
