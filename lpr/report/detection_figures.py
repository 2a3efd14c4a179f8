"""Figures of detection: training curves, the IoU histogram, and images with their boxes.

Equal tables and images give equal bytes (`lpr.report.canvas`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.report.canvas import INK, LINE_COLOURS, new_figure, plain, save, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Which = Literal["worst", "median", "best"]
Box = tuple[float, float, float, float]

# Of the palette of Okabe & Ito (2008), distinguishable by colour-blind people. True boxes are also solid and predicted
# ones dashed, so that colour is not the only difference.
TRUE_COLOUR = "#00c48c"
PREDICTED_COLOUR = "#ff9d00"
BASELINE_COLOUR = "#56b4e9"  # of a second predicted box, dotted
_Dash = tuple[int, int]  # length and gap, in line widths
_DASHED: _Dash = (4, 2)
_DOTTED: _Dash = (1, 2)


def choose_rows(detections: pd.DataFrame, which: Which, count: int) -> pd.DataFrame:
    """Up to `count` rows of `reports/detections.csv` with the lowest, middle or highest IoU, the extreme first.

    Equal IoUs are ordered by image and plate, so that the choice is the same every time.
    """
    ranked = detections.sort_values(["iou", "image", "plate"], ascending=which != "best")
    start = max(0, (len(ranked) - count) // 2) if which == "median" else 0
    return ranked.iloc[start : start + count]


def choose_cases(detections: pd.DataFrame, worst: int, median: int, best: int) -> dict[Which, pd.DataFrame]:
    """The rows of `choose_rows` for all three, none of them twice.

    Where there are at most `worst + median + best` rows, all of them are "worst".
    """
    if len(detections) <= worst + median + best:
        return {"worst": choose_rows(detections, "worst", len(detections))}
    rest = (len(detections) - median) // 2  # below and above the middle rows
    return {
        "worst": choose_rows(detections, "worst", min(worst, rest)),
        "median": choose_rows(detections, "median", median),
        "best": choose_rows(detections, "best", min(best, rest)),
    }


def boxes_of(row: Mapping[Any, Any]) -> tuple[Box, Box]:
    """The true and the predicted box of a row of `reports/detections.csv`, pixels of the cached image."""
    true, predicted = ([float(row[column]) for column in columns] for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    return (true[0], true[1], true[2], true[3]), (predicted[0], predicted[1], predicted[2], predicted[3])


def draw_boxes(image: Image.Image, true: Box, predicted: Box, width: int) -> Image.Image:
    """The image with both boxes (in its pixels), reduced to at most `width` pixels, and twice as many in height."""
    return _draw(image, [(true, TRUE_COLOUR, None), (predicted, PREDICTED_COLOUR, _DASHED)], width)


def draw_disagreement(image: Image.Image, true: Box, baseline: Box, other: Box, width: int) -> Image.Image:
    """The same with the predicted boxes of two experiments: the baseline's dotted, the other's dashed."""
    lines = [(true, TRUE_COLOUR, None), (baseline, BASELINE_COLOUR, _DOTTED), (other, PREDICTED_COLOUR, _DASHED)]
    return _draw(image, lines, width)


def draw_labels(image: Image.Image, plates: Sequence[Box], ignored: Sequence[Box], width: int) -> Image.Image:
    """The same with the boxes of plates, solid, and those that are ignored, dashed."""
    lines: list[tuple[Box, str, _Dash | None]] = [(box, TRUE_COLOUR, None) for box in plates]
    return _draw(image, [*lines, *((box, PREDICTED_COLOUR, _DASHED) for box in ignored)], width)


def _draw(image: Image.Image, boxes: Sequence[tuple[Box, str, _Dash | None]], width: int) -> Image.Image:
    """Draw each box in its colour and with its dash; None: solid."""
    scale = min(1.0, width / image.width, 2 * width / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    drawn = image.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    canvas = ImageDraw.Draw(drawn)
    line = max(1, round(drawn.width / 240))
    for box, colour, pattern in boxes:
        if not all(map(math.isfinite, box)):  # no prediction, or of a network that diverged
            continue
        left, right = sorted(round(min(max(x * scale, 0), drawn.width - 1)) for x in box[::2])
        top, bottom = sorted(round(min(max(y * scale, 0), drawn.height - 1)) for y in box[1::2])
        edges = (
            (left, top, right, top),
            (right, top, right, bottom),
            (left, bottom, right, bottom),
            (left, top, left, bottom),
        )
        for edge in edges:
            canvas.line(edge, "#000000", line + 2)
            for dash in _dashes(edge, pattern[0] * line, pattern[1] * line) if pattern else [edge]:
                canvas.line(dash, colour, line)
    return drawn


def draw_history(history: pd.DataFrame, path: Path) -> None:
    """Loss and mean IoU by epoch, of `reports/history.csv`, as PNG; missing columns are left out."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(9.6, 3.6)
    panels: list[Axes] = list(figure.subplots(1, 2))
    for panel, title, columns in (
        (panels[0], "loss", {"loss": "training", "val_loss": "validation"}),
        (panels[1], "mean IoU", {"mean_iou": "training", "val_mean_iou": "validation"}),
    ):
        for (column, label), colour, style in zip(columns.items(), LINE_COLOURS, ("-", "--"), strict=False):
            if column in history:
                marker = "o" if len(history) == 1 else ""
                panel.plot(
                    history["epoch"], history[column], style, marker=marker, color=colour, label=label, linewidth=2
                )
        panel.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
        tidy(panel)
        if panel.lines:
            panel.legend(frameon=False)
    if (history["loss"] > 0).all():
        panels[0].set_yscale("log")
    panels[1].set_ylim(0, 1)
    save(figure, path)


def draw_iou_histogram(detections: pd.DataFrame, path: Path) -> None:
    """The histogram of IoU over plates as PNG: a panel a source, a colour a split."""
    sources = sorted(detections["source"].unique())
    columns = min(2, max(1, len(sources)))
    rows = max(1, math.ceil(len(sources) / columns))
    figure = new_figure(9.6 if columns == 2 else 7.2, 0.4 + 3.0 * rows)
    panels: list[Axes] = list(figure.subplots(rows, columns, squeeze=False).flat)
    bins = np.linspace(0, 1, 21).tolist()
    for panel, source in zip(panels, sources, strict=False):
        of_source = detections[detections["source"] == source]
        for split, colour in zip(("train", "validation", "test"), LINE_COLOURS, strict=False):
            values = of_source.loc[of_source["split"] == split, "iou"].to_numpy(float)
            if len(values) == 0:
                continue
            weights = np.full(len(values), 1 / len(values))
            label = f"{split} (n={len(values)})"
            panel.hist(values, bins, weights=weights, histtype="stepfilled", color=colour, alpha=0.15)
            panel.hist(values, bins, weights=weights, histtype="step", color=colour, linewidth=2, label=label)
        panel.axvline(0.5, color=INK, linewidth=1, linestyle=":")
        panel.set_title(plain(source), loc="left", fontsize=11, fontweight="bold", color=INK)
        panel.set_xlim(0, 1)
        panel.set_xlabel("IoU of the predicted with the true box")
        panel.set_ylabel("share of plates")
        panel.legend(frameon=False, loc="upper left")
        tidy(panel)
    for panel in panels[len(sources) :]:
        panel.set_axis_off()
    save(figure, path)


def draw_contact_sheet(detections: pd.DataFrame, images: Path, path: Path, title: str) -> None:
    """Up to 24 images with true and predicted box and IoU, in the order of the rows, as PNG.

    Args:
        detections: rows of `reports/detections.csv`, such as those of `choose_rows`.
        images: the folder of the cached images.
        path: of the PNG.
        title: of the figure.
    """
    rows = detections.head(24).to_dict("records")
    columns = min(6, max(1, len(rows)))
    lines = max(1, math.ceil(len(rows) / columns))
    figure = new_figure(max(4.8, 2.2 * columns), 0.7 + 2.0 * lines)
    panels: list[Axes] = list(figure.subplots(lines, columns, squeeze=False).flat)
    figure.suptitle(
        f"{plain(title)}  —  true box solid green, predicted box dashed orange",
        x=0.01,
        ha="left",
        fontsize=11,
        color=INK,
    )
    for panel in panels:
        panel.set_axis_off()
    for panel, row in zip(panels, rows, strict=False):
        with Image.open(images / str(row["image"])) as image:
            panel.imshow(np.asarray(draw_boxes(image, *boxes_of(row), width=320)))
        text = f" {plain(str(row['text']))}" if row["text"] else ""
        panel.set_title(f"IoU {row['iou']:.2f}{text}", fontsize=8, color=INK, pad=3)
    save(figure, path)


def _dashes(edge: tuple[int, int, int, int], length: int, gap: int) -> list[tuple[int, int, int, int]]:
    """A horizontal or vertical edge cut into dashes, pixels."""
    left, top, right, bottom = edge
    if left != right:
        return [(x, top, min(x + length, right), top) for x in range(left, right, length + gap)]
    return [(left, y, left, min(y + length, bottom)) for y in range(top, bottom, length + gap)]
