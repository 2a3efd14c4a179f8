"""Figures of recognition: the confusion matrix of characters, the reliability diagram, and the worst results.

`recognitions` are rows of `reports/recognitions.csv` with a known true text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein

from lpr.plates.text import CHARACTERS
from lpr.report.canvas import INK, new_figure, plain, save
from lpr.report.reliability_figure import draw_reliability_diagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DELETED, _INSERTED, _OTHER = "deleted", "inserted", "other"


def confusion_matrix(recognitions: pd.DataFrame) -> pd.DataFrame:
    """How often each true character (rows) was recognized as which (columns).

    Characters are aligned by the fewest edits (Levenshtein) from the true to the predicted text. The last row counts
    inserted characters, the last column deleted ones. Characters outside `CHARACTERS` are counted as one, `other`.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for true_text, predicted_text in zip(recognitions["text"], recognitions["predicted_text"], strict=True):
        for edit in Levenshtein.opcodes(true_text, predicted_text):
            true = true_text[edit.src_start : edit.src_end]
            predicted = predicted_text[edit.dest_start : edit.dest_end]
            counts.update(
                {
                    "equal": zip(true, predicted, strict=False),
                    "replace": zip(true, predicted, strict=False),
                    "delete": ((character, _DELETED) for character in true),
                    "insert": ((_INSERTED, character) for character in predicted),
                }[edit.tag]
            )
    known = {*CHARACTERS, _DELETED, _INSERTED}
    cells: Counter[tuple[str, ...]] = Counter()
    for pair, count in counts.items():
        cells[tuple(each if each in known else _OTHER for each in pair)] += count
    others = [_OTHER] if any(_OTHER in cell for cell in cells) else []
    matrix = pd.DataFrame(0, index=[*CHARACTERS, *others, _INSERTED], columns=[*CHARACTERS, *others, _DELETED])
    for (row, column), count in cells.items():
        matrix.loc[row, column] = count
    return matrix


def draw_confusions(recognitions: pd.DataFrame, path: Path) -> None:
    """The confusion matrix as PNG, shaded by the share of each true character, with the counts of errors.

    Not scikit-learn's `ConfusionMatrixDisplay`: with 36 characters it prints 1369 counts, nearly all of them 0, and has
    the same labels for rows and columns.
    """
    counts = confusion_matrix(recognitions)
    shares = (counts / np.maximum(counts.sum(axis=1).to_numpy()[:, None], 1)).to_numpy()
    figure = new_figure(10.5, 10)
    panel: Axes = figure.subplots()
    panel.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)  # the root makes single errors visible
    for row, column in np.argwhere(counts.to_numpy() > 0):
        if counts.index[row] != counts.columns[column]:
            panel.text(column, row, str(counts.iat[row, column]), ha="center", va="center", fontsize=7, color="#d55e00")
    panel.set_xticks(range(len(counts.columns)), counts.columns, fontsize=8)
    panel.set_yticks(range(len(counts.index)), counts.index, fontsize=8)
    panel.xaxis.tick_top()
    panel.tick_params(axis="x", labelrotation=90 if len(counts.columns) > 60 else 0)
    panel.set_xlabel("predicted character", color=INK)
    panel.set_ylabel("true character", color=INK)
    panel.set_title(
        f"{int(counts.to_numpy().sum())} characters of {len(recognitions)} plates; numbers: counts of errors",
        loc="left",
        fontsize=11,
        color=INK,
    )
    save(figure, path)


def draw_reliability(recognitions: pd.DataFrame, path: Path) -> None:
    """The reliability diagram of the texts, as PNG."""
    correct = (recognitions["text"] == recognitions["predicted_text"]).to_numpy()
    judged = {"OCR engine": (recognitions["confidence"].to_numpy(float), correct)}
    draw_reliability_diagram(judged, path, "accuracy (share of exact texts)", "plates")


def draw_worst(crops: Sequence[np.ndarray], recognitions: pd.DataFrame, path: Path, title: str) -> None:
    """The crops with true text, predicted text and confidence, as PNG.

    Args:
        crops: uint8 (h, w, 3) RGB each.
        recognitions: a row a crop.
        path: of the PNG.
        title: of the figure.
    """
    columns = min(6, max(1, len(crops)))
    lines = max(1, math.ceil(len(crops) / columns))
    figure = new_figure(max(4.8, 2.2 * columns), 0.6 + 1.4 * lines)
    panels: list[Axes] = list(figure.subplots(lines, columns, squeeze=False).flat)
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, color=INK)
    for panel in panels:
        panel.set_axis_off()
    for panel, crop, row in zip(panels, crops, recognitions.to_dict("records"), strict=False):
        panel.imshow(
            np.asarray(Image.fromarray(crop).resize((240, max(40, round(240 * crop.shape[0] / crop.shape[1])))))
        )
        panel.set_title(
            f"{plain(str(row['text']))}\n{plain(str(row['predicted_text'])) or '—'} ({row['confidence']:.2f})",
            fontsize=8,
            color=INK,
            pad=3,
            family="monospace",
        )
    save(figure, path)


def choose_worst(recognitions: pd.DataFrame, count: int) -> pd.DataFrame:
    """Up to `count` wrong results, those with the most edits first, and of equally many those of highest confidence."""
    wrong = recognitions[(recognitions["text"] != "") & (recognitions["text"] != recognitions["predicted_text"])]
    return wrong.sort_values(["edits", "confidence"], ascending=False, kind="stable").head(count)
