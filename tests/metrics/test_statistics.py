"""Scores and their intervals."""

import numpy as np
import pytest

from lpr.metrics.statistics import Score, mean_score, ratio_score


def test_the_interval_is_that_of_the_normal_approximation_for_many_cases() -> None:
    hits = np.array([1.0] * 800 + [0.0] * 200)
    score = mean_score(hits)
    assert score is not None
    spread = 1.96 * np.sqrt(0.8 * 0.2 / 1000)
    assert (score.value, score.n) == (0.8, 1000)
    assert (score.low, score.high) == pytest.approx((0.8 - spread, 0.8 + spread), abs=0.002)


def test_the_same_values_give_the_same_interval() -> None:
    assert mean_score([0.2, 0.5, 0.9]) == mean_score([0.2, 0.5, 0.9])


def test_a_ratio_weighs_its_cases() -> None:
    score = ratio_score([1, 0, 3], [10, 10, 5])
    assert score is not None
    assert score.value == pytest.approx(4 / 25)
    assert score.low < score.value < score.high


def test_nothing_has_no_score() -> None:
    assert mean_score([]) is None
    assert ratio_score([1], [0]) is None


def test_one_case_and_equal_cases_have_no_spread() -> None:
    assert mean_score([0.5]) == Score(0.5, 0.5, 0.5, 1)
    assert mean_score([1.0, 1.0, 1.0]) == Score(1.0, 1.0, 1.0, 3)
