"""Scores and their intervals."""

import tracemalloc

import numpy as np
import pytest

from lpr.metrics import statistics
from lpr.metrics.statistics import Score, mean_score, ratio_score, sign_flip


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


def test_the_size_of_a_block_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(300)
    score = mean_score(values)
    monkeypatch.setattr(statistics, "_BLOCK", 7 * 300)
    assert mean_score(values) == score


def test_many_cases_take_little_memory() -> None:
    random = np.random.default_rng(0)
    hits = (random.random(60_000) < 0.8).astype(float)
    tracemalloc.start()
    try:
        score, p = mean_score(hits), sign_flip(hits - random.permutation(hits), np.arange(len(hits)))
        assert tracemalloc.get_traced_memory()[1] < 100e6  # bytes; a thousand resamples at a time would be 480e6
    finally:
        tracemalloc.stop()
    assert score is not None
    spread = 1.96 * np.sqrt(0.8 * 0.2 / 60_000)
    assert (score.low, score.high) == pytest.approx((score.value - spread, score.value + spread), abs=0.2 * spread)
    assert 0.1 < p <= 1


def test_of_many_groups_those_that_do_not_differ_change_no_p_value() -> None:
    differences = np.zeros(20_000)
    differences[:10] = 1
    assert sign_flip(differences, np.arange(20_000)) == sign_flip(np.ones(10), np.arange(10)) == 2 / 2**10


def test_the_p_value_of_many_groups_is_that_of_the_normal_distribution() -> None:
    """A sum of 400 of ±1 in 40,000 groups is two standard deviations."""
    differences = np.repeat([1.0, -1.0], [20_200, 19_800])
    assert sign_flip(differences, np.arange(40_000)) == pytest.approx(0.0455, abs=1e-4)
