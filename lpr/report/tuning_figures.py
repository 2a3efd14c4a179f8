"""Figures of a search: the objective by trial, and by the values of each key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lpr.report.canvas import INK, LINE_COLOURS, new_figure, plain, save, tidy

if TYPE_CHECKING:
    import pandas as pd


def draw_objective(table: pd.DataFrame, objective: str, direction: str, path: Path) -> None:
    """The objective of every trial, the best so far, and the failed trials, as PNG.

    Args:
        table: of `tuning/trials.csv`: trial, status, objective.
        objective: name of the objective.
        direction: `max` or `min`.
        path: of the PNG.
    """
    from matplotlib.ticker import MaxNLocator

    trials = table.assign(number=table["trial"].astype(int)).sort_values("number")
    finished, failed = (trials[trials["status"] == status] for status in ("finished", "failed"))
    best = finished["objective"].cummax() if direction == "max" else finished["objective"].cummin()
    figure = new_figure(9.6, 3.6)
    panel = figure.subplots()
    panel.step(finished["number"], best, where="post", color=LINE_COLOURS[1], linewidth=2, label="best so far")
    panel.plot(finished["number"], finished["objective"], "o", color=LINE_COLOURS[0], markersize=5, label="trial")
    for number in failed["number"]:
        first = number == failed["number"].iloc[0]
        panel.axvline(number, color=INK, linewidth=1, linestyle=":", label="failed" if first else None)
    panel.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    panel.set_xlabel("trial")
    panel.set_ylabel(plain(objective))
    panel.legend(frameon=False)
    tidy(panel)
    save(figure, path)


def draw_keys(table: pd.DataFrame, keys: Sequence[str], logarithmic: Sequence[str], objective: str, path: Path) -> None:
    """The objective of the finished trials by the values of each key, a panel a key, as PNG.

    Args:
        table: of `tuning/trials.csv`: status, objective, and a column a key.
        keys: the panels.
        logarithmic: the keys whose axis is logarithmic.
        objective: name of the objective.
        path: of the PNG.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    finished = table[table["status"] == "finished"]
    columns = min(3, len(keys))
    lines = math.ceil(len(keys) / columns)
    figure = new_figure(3.4 * columns, 2.8 * lines)
    panels = list(figure.subplots(lines, columns, squeeze=False, sharey=True).flat)
    for panel, key in zip(panels, keys, strict=False):
        tried = finished[finished[key].notna()].infer_objects()
        values = tried[key]
        if is_numeric_dtype(values) and not is_bool_dtype(values):
            panel.plot(values, tried["objective"], "o", color=LINE_COLOURS[0], markersize=5)
            if key in logarithmic:
                panel.set_xscale("log")
        else:
            names = sorted(values.astype(str).unique())
            places = [names.index(value) for value in values.astype(str)]
            panel.plot(places, tried["objective"], "o", color=LINE_COLOURS[0], markersize=5)
            panel.set_xticks(range(len(names)), [plain(name) for name in names])
            panel.set_xlim(-0.5, max(0.5, len(names) - 0.5))
        panel.set_title(plain(key), loc="left", fontsize=11, fontweight="bold", color=INK)
        tidy(panel)
    for panel in panels[len(keys) :]:
        panel.set_axis_off()
    for line in range(lines):
        panels[line * columns].set_ylabel(plain(objective))
    save(figure, path)
