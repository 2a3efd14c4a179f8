"""The assignment problem, compared with SciPy's solution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from lpr.inference.assignment import best_assignment


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
@pytest.mark.parametrize("columns", [1, 3, 5, 12])
@pytest.mark.parametrize("levels", [2, 1000], ids=["many ties", "few ties"])
def test_the_sum_is_the_largest_and_each_is_paired_once(rows: int, columns: int, levels: int) -> None:
    rng = np.random.default_rng(rows * columns)
    for _ in range(20):
        gains = rng.integers(-levels, levels, (rows, columns)) / levels
        pairs = best_assignment(gains)
        assert len(pairs) == min(rows, columns)
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        assert sum(gains[pair] for pair in pairs) == pytest.approx(
            gains[linear_sum_assignment(gains, maximize=True)].sum()
        )


def test_the_best_pair_gives_way_to_a_better_sum() -> None:
    assert best_assignment(np.array([[1.0, 0.9], [0.9, 0.0]])) == [(0, 1), (1, 0)]


def test_of_nothing_no_pair_is_made() -> None:
    assert best_assignment(np.zeros((0, 3))) == []
    assert best_assignment(np.zeros((3, 0))) == []
