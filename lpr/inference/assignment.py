"""The assignment problem, by the Hungarian method: of two sets, pairs with the largest sum of gains."""

from __future__ import annotations

import numpy as np


def best_assignment(gains: np.ndarray) -> list[tuple[int, int]]:
    """Each row with another column, or where there are more rows than columns, each column with another row.

    Shortest augmenting paths with potentials, O(rows² · columns) (Jonker & Volgenant 1987). SciPy has it, too, as
    `linear_sum_assignment`, but is larger than all that `lpr predict` installs.

    Args:
        gains: float (rows, columns), finite.

    Returns:
        (row, column) of each pair, by rising row.
    """
    rows, columns = gains.shape
    if rows > columns:
        return sorted((row, column) for column, row in best_assignment(gains.T))
    start = columns  # a column of no gain, from which each row begins its path
    row_potentials, column_potentials = np.zeros(rows), np.zeros(columns + 1)
    row_of = np.full(columns + 1, -1)
    for row in range(rows):
        row_of[start], column = row, start
        visited = np.zeros(columns + 1, bool)
        distances, before = np.full(columns, np.inf), np.full(columns, start)
        while row_of[column] >= 0:  # until a column is free
            visited[column] = True
            reached = row_of[column]
            costs = -gains[reached] - row_potentials[reached] - column_potentials[:-1]
            nearer = ~visited[:-1] & (costs < distances)
            distances[nearer], before[nearer] = costs[nearer], column
            column = int(np.where(visited[:-1], np.inf, distances).argmin())
            step = distances[column]
            row_potentials[row_of[visited]] += step
            column_potentials[visited] -= step
            distances[~visited[:-1]] -= step
        while column != start:  # along the path, back: each column takes the row of the one before
            row_of[column] = row_of[before[column]]
            column = int(before[column])
    return sorted((int(row), column) for column, row in enumerate(row_of[:-1]) if row >= 0)
