"""Images of how plates were read: which characters were taken for which, how far confidences hold, the worst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein

from lpr.plates.text import CHARACTERS
from lpr.report.canvas import INK, LINE_COLOURS, new_figure, plain, save, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MISSED, _ADDED = "missed", "added"
_BINS = 10


def confusions(readings: pd.DataFrame) -> pd.DataFrame:
    """How often each true character (rows) was read as which (columns), over readings whose `text` is known.

    What the fewest edits (Levenshtein) from text to reading replace, leave out or put in; the last row counts
    characters that are not there, the last column those that were missed.
    """
    rows, columns = [*CHARACTERS, _ADDED], [*CHARACTERS, _MISSED]
    counts = pd.DataFrame(0, index=rows, columns=columns)
    for text, reading in zip(readings["text"], readings["reading"], strict=True):
        for edit in Levenshtein.opcodes(text, reading):
            true, read = text[edit.src_start : edit.src_end], reading[edit.dest_start : edit.dest_end]
            pairs = {
                "equal": zip(true, read, strict=False),
                "replace": zip(true, read, strict=False),
                "delete": ((character, _MISSED) for character in true),
                "insert": ((_ADDED, character) for character in read),
            }[edit.tag]
            for row, column in pairs:
                counts.loc[row, column] += 1
    return counts


def draw_confusions(readings: pd.DataFrame, path: Path) -> None:
    """The confusions as PNG: a row a true character, shaded by how often it was read as each; numbers where wrong."""
    counts = confusions(readings)
    shares = (counts / np.maximum(counts.sum(axis=1).to_numpy()[:, None], 1)).to_numpy()
    figure = new_figure(10.5, 10)
    panel: Axes = figure.subplots()
    panel.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts.to_numpy() > 0):
        if counts.index[row] != counts.columns[column]:
            panel.text(column, row, str(counts.iat[row, column]), ha="center", va="center", fontsize=7, color="#d55e00")
    panel.set_xticks(range(len(counts.columns)), counts.columns, fontsize=8)
    panel.set_yticks(range(len(counts.index)), counts.index, fontsize=8)
    panel.xaxis.tick_top()
    panel.tick_params(axis="x", labelrotation=90 if len(counts.columns) > 60 else 0)
    panel.set_xlabel("read as", color=INK)
    panel.set_ylabel("character on the plate", color=INK)
    panel.set_title(
        f"{int(counts.to_numpy().sum())} characters of {len(readings)} plates; numbers: how many were read otherwise",
        loc="left",
        fontsize=11,
        color=INK,
    )
    save(figure, path)


def draw_reliability(readings: pd.DataFrame, path: Path) -> None:
    """As PNG, how many of the readings of about the same confidence are right, with the number of readings below."""
    sure, right = readings["confidence"].to_numpy(float), (readings["text"] == readings["reading"]).to_numpy()
    figure = new_figure(6.4, 5.6)
    panels: list[Axes] = list(figure.subplots(2, 1, sharex=True, height_ratios=[4, 1]))
    edges = np.linspace(0, 1, _BINS + 1)
    places = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    filled = [place for place in range(_BINS) if (places == place).any()]
    panels[0].plot([0, 1], [0, 1], color="#9aa0a8", linewidth=1, linestyle=":", label="what they say")
    panels[0].plot(
        [sure[places == place].mean() for place in filled],
        [right[places == place].mean() for place in filled],
        marker="o",
        color=LINE_COLOURS[0],
        label="what is right",
    )
    panels[0].set_ylabel("share of readings that are right")
    panels[0].set_ylim(0, 1)
    panels[0].legend(frameon=False)
    panels[1].hist(sure, edges.tolist(), color=LINE_COLOURS[0], alpha=0.4)
    panels[1].set_xlabel(f"confidence of a reading (n={len(readings)})")
    panels[1].set_ylabel("readings")
    for panel in panels:
        tidy(panel)
    save(figure, path)


def draw_worst(crops: Sequence[np.ndarray], readings: pd.DataFrame, path: Path, title: str) -> None:
    """PlateCrops, uint8 (h, w, 3), with their texts and what was read, a row of `readings` each, as PNG."""
    columns = min(6, max(1, len(crops)))
    lines = max(1, math.ceil(len(crops) / columns))
    figure = new_figure(max(4.8, 2.2 * columns), 0.6 + 1.4 * lines)
    panels: list[Axes] = list(figure.subplots(lines, columns, squeeze=False).flat)
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, color=INK)
    for panel in panels:
        panel.set_axis_off()
    for panel, crop, row in zip(panels, crops, readings.to_dict("records"), strict=False):
        panel.imshow(
            np.asarray(Image.fromarray(crop).resize((240, max(40, round(240 * crop.shape[0] / crop.shape[1])))))
        )
        panel.set_title(
            f"{plain(str(row['text']))}\n{plain(str(row['reading'])) or '—'} ({row['confidence']:.2f})",
            fontsize=8,
            color=INK,
            pad=3,
            family="monospace",
        )
    save(figure, path)


def worst(readings: pd.DataFrame, count: int) -> pd.DataFrame:
    """The wrong readings of known texts, those with the most edits first, and of these the surest."""
    wrong = readings[(readings["text"] != "") & (readings["text"] != readings["reading"])]
    return wrong.sort_values(["edits", "confidence"], ascending=False, kind="stable").head(count)
