"""The figure of a sweep: the test scores of every row with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lpr.report.canvas import INK, LINE_COLOURS, new_figure, plain, save, tidy

if TYPE_CHECKING:
    import pandas as pd


def draw_sweep(table: pd.DataFrame, labels: Sequence[str], metrics: Sequence[str], path: Path) -> None:
    """A row of panels for each test set, a panel for each metric, a line for each row of the sweep, as PNG.

    Args:
        table: of `sweep.csv`: row (from 1), source, metric, value, low, high.
        labels: of the rows, the best first.
        metrics: the panels, in this order.
        path: of the PNG.
    """
    sources = sorted(table["source"].unique())
    shown = [metric for metric in metrics if (table["metric"] == metric).any()]
    figure = new_figure(3.2 + 3.2 * len(shown), len(sources) * (0.9 + 0.28 * len(labels)))
    panels = figure.subplots(len(sources), len(shown), squeeze=False, sharey=True)
    for line, source in zip(panels, sources, strict=True):
        for panel, metric in zip(line, shown, strict=True):
            part = table[(table["source"] == source) & (table["metric"] == metric)]
            best = part[part["row"] == 1]
            if len(best):
                panel.axvspan(best["low"].iloc[0], best["high"].iloc[0], color=LINE_COLOURS[0], alpha=0.10, linewidth=0)
            reach = [part["value"] - part["low"], part["high"] - part["value"]]
            panel.errorbar(
                part["value"], part["row"], xerr=reach, fmt="o", color=LINE_COLOURS[0], capsize=3, markersize=5
            )
            panel.set_title(plain(f"{source}: {metric}"), loc="left", fontsize=11, fontweight="bold", color=INK)
            panel.set_xlim(min(0, 1.05 * part["low"].min()), max(1, 1.05 * part["high"].max()))
            tidy(panel)
        line[0].set_yticks(range(1, len(labels) + 1), [plain(label) for label in labels])
        line[0].set_ylim(len(labels) + 0.5, 0.5)
    save(figure, path)
