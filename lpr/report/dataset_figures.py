"""The figure of a data set: what sizes, places and texts its plates have.

Equal tables give equal bytes (`lpr.report.canvas`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.report.canvas import INK, LINE_COLOURS, new_figure, save, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 30
_CELLS = 24  # of an image's width and height, in the figure of positions
_LONGEST_TEXT = 16  # characters; longer texts are counted with it


def draw_data_set(plates: pd.DataFrame, images: pd.DataFrame, path: Path) -> None:
    """Histograms of plates' widths, aspect ratios, positions, number an image and text lengths, and of image sizes.

    Args:
        plates: a row a plate: image, width and height of the image, box (pixels) and text; without images' empty rows.
        images: a row an image: width and height in pixels.
        path: of the PNG.
    """
    left, top, right, bottom = plates[BOX_COLUMNS].to_numpy(float).T
    sides = plates[["width", "height"]].to_numpy(float).T
    figure = new_figure(11.4, 6.2)
    panels: list[Axes] = list(figure.subplots(2, 3).flat)

    _histogram(panels[0], right - left, "plate width [px]")
    _histogram(panels[1], (right - left) / (bottom - top), "aspect ratio, width / height")
    panels[2].hist2d(
        (left + right) / 2 / sides[0],
        (top + bottom) / 2 / sides[1],
        bins=_CELLS,
        range=[[0, 1], [0, 1]],
        cmap="Blues",
        cmin=0.5,
    )
    panels[2].invert_yaxis()
    panels[2].set_xlabel("centre of the plate, of the image's width")
    panels[2].set_ylabel("of its height")
    sizes = images.groupby(["width", "height"]).size().reset_index(name="images")
    area = 12 + 240 * sizes["images"] / sizes["images"].max()
    panels[3].scatter(sizes["width"], sizes["height"], area, color=LINE_COLOURS[0], alpha=0.5, linewidths=0)
    panels[3].set_xlabel("image width [px]")
    panels[3].set_ylabel("image height [px]")
    _bars(panels[4], plates.groupby("image").size().to_numpy(int), "plates an image, of images with plates", "images")
    lengths = plates.loc[plates["text"] != "", "text"].str.len().clip(upper=_LONGEST_TEXT).to_numpy(int)
    _bars(panels[5], lengths, "characters of a text", "plates")
    for panel in panels:
        tidy(panel)
    save(figure, path)


def _histogram(panel: Axes, values: np.ndarray, label: str) -> None:
    """Of positive values, on a logarithmic scale, with their median."""
    from matplotlib.ticker import LogLocator

    if len(values):
        low, high = float(values.min()), max(float(values.max()), float(values.min()) * 1.1)
        panel.hist(values, np.geomspace(low, high, _BINS).tolist(), color=LINE_COLOURS[0])
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter("")
        panel.axvline(float(np.median(values)), color=INK, linewidth=1, linestyle=":", label="median")
        panel.legend(frameon=False)
    else:
        panel.set(xticks=[], yticks=[])
    panel.set_xlabel(label)
    panel.set_ylabel("plates")


def _bars(panel: Axes, values: np.ndarray, label: str, unit: str) -> None:
    """How often each whole number is among the values."""
    from matplotlib.ticker import MaxNLocator

    numbers, counts = np.unique(values, return_counts=True)
    if len(numbers):
        panel.bar(numbers, counts, color=LINE_COLOURS[0])
        panel.set_xlim(numbers[0] - 1, numbers[-1] + 1)
        panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    else:
        panel.set(xticks=[], yticks=[])
    panel.set_xlabel(label)
    panel.set_ylabel(unit)
