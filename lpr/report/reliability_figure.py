"""The reliability diagram: how often things of a confidence are right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.report.canvas import LINE_COLOURS, new_figure, save, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 10


def draw_reliability_diagram(
    judged: Mapping[str, tuple[np.ndarray, np.ndarray]], path: Path, share: str, things: str
) -> None:
    """As PNG: a line each of the share that is right by confidence, in ten bins, and the histograms of the confidences.

    Args:
        judged: name → confidences, in 0–1, (n,), and whether each is right, bool (n,).
        share: what the share is of, for the axis.
        things: what is counted, for the axis.
    """
    from sklearn.calibration import CalibrationDisplay

    figure = new_figure(6.4, 5.6)
    panels: list[Axes] = list(figure.subplots(2, 1, sharex=True, height_ratios=[4, 1]))
    for (name, (confidences, right)), colour in zip(judged.items(), LINE_COLOURS, strict=False):
        if len(confidences):
            CalibrationDisplay.from_predictions(
                right, confidences, n_bins=_BINS, name=name, ax=panels[0], color=colour, marker="o"
            )
    edges = np.linspace(0, 1, _BINS + 1).tolist()
    panels[1].hist(
        [confidences for confidences, _ in judged.values()], edges, color=LINE_COLOURS[: len(judged)], alpha=0.4
    )
    if any(len(confidences) for confidences, _ in judged.values()):
        panels[0].legend(frameon=False, loc="upper left")
    panels[0].set_xlabel("")
    panels[0].set_ylabel(share)
    panels[0].set_ylim(0, 1)
    panels[1].set_xlabel(f"confidence (n={sum(len(confidences) for confidences, _ in judged.values())})")
    panels[1].set_ylabel(things)
    for panel in panels:
        tidy(panel)
    save(figure, path)
