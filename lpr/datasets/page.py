"""The page of `lpr data check`: what a set holds, with plots, samples, and images that seem to show the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.data.originals import Original, visit_originals
from lpr.files import replaced
from lpr.report.dataset_figures import draw_data_set
from lpr.report.detection_figures import Box, draw_labels
from lpr.report.page import jpeg, png, template

if TYPE_CHECKING:
    from lpr.datasets.findings import Findings
    from lpr.datasets.reading import DataSet, DataSets

_SAMPLES = 24  # images spread over the set
_SMALLEST = 6  # images with the smallest plates
_IMAGE_PX = 420
_ROWS = 200  # of a table


def write_page(data_set: DataSet, sets: DataSets, findings: Findings, path: Path) -> None:
    """Write the page, one file that needs no network, of a size that does not grow with the set.

    Args:
        data_set: the set.
        sets: where its images are.
        findings: what it holds.
        path: of the page.
    """
    galleries = {
        "Samples": _spread(findings.images["image"].tolist(), _SAMPLES),
        "The smallest plates": _smallest(findings.plates),
    }
    names = {name for chosen in galleries.values() for name in chosen}
    names |= {name for pair in findings.pairs for name in pair.images}
    urls = data_set.annotations.plates.drop_duplicates("image").set_index("image")["url"]
    drawn = _draw(names, data_set, sets, findings.plates)
    with tempfile.TemporaryDirectory() as folder:
        figure = Path(folder) / "figure.png"
        boxes = findings.plates[~findings.plates["ignored"]].dropna(subset=BOX_COLUMNS)
        draw_data_set(boxes, findings.images, figure)
        plots = png(figure)
    page = template("dataset.html.j2").render(
        data_set=data_set,
        counts=data_set.annotations.counts,
        facts={name: words.split("\n") for name, words in findings.facts.items()},
        plots=plots,
        galleries={
            title: [_card(name, findings, drawn, urls) for name in chosen] for title, chosen in galleries.items()
        },
        pairs=findings.pairs,
        drawn=drawn,
        tables={
            "Rejected": _table(findings.rejects, ["line", "url", "reason"]),
            "Images that are not available": _table(findings.failures, ["url", "reason"]),
        },
    )
    with replaced(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _spread(names: Sequence[str], count: int) -> list[str]:
    """At most `count` of the names, at equal distances."""
    return [names[place] for place in np.unique(np.linspace(0, len(names) - 1, count).round().astype(int)) if names]


def _smallest(plates: pd.DataFrame) -> list[str]:
    """Images with the smallest plates, the smallest first."""
    boxes = plates[~plates["ignored"]].dropna(subset=BOX_COLUMNS)
    widths = boxes["bottom_x"] - boxes["top_x"]
    return boxes.loc[widths.sort_values(kind="stable").index, "image"].drop_duplicates().head(_SMALLEST).tolist()


def _draw(names: set[str], data_set: DataSet, sets: DataSets, plates: pd.DataFrame) -> dict[str, str]:
    """The images of these names with their boxes, as data URIs; read again, one after another."""

    def draw(original: Original) -> tuple[str, str]:
        rows = plates[plates["image"] == original.name].dropna(subset=BOX_COLUMNS)
        plain, ignored = (_boxes(rows[rows["ignored"] == value]) for value in (False, True))
        return original.name, jpeg(draw_labels(original.image, plain, ignored, _IMAGE_PX))

    listed = data_set.annotations.plates
    return dict(visit_originals(listed[listed["image"].isin(names)], sets.data, sets.folder, draw)[2])


def _boxes(rows: pd.DataFrame) -> list[Box]:
    return [(box[0], box[1], box[2], box[3]) for box in rows[BOX_COLUMNS].to_numpy(float).tolist()]


def _card(name: str, findings: Findings, drawn: dict[str, str], urls: pd.Series) -> dict[str, Any]:
    plates = findings.plates[findings.plates["image"] == name]
    boxes = plates[~plates["ignored"]].dropna(subset=BOX_COLUMNS)
    sides = [
        f"{row['bottom_x'] - row['top_x']:.0f}×{row['bottom_y'] - row['top_y']:.0f}" for _, row in boxes.iterrows()
    ]
    size = plates[["width", "height"]].iloc[0].tolist()
    return {
        "image": drawn[name],
        "name": urls[name],
        "size": f"{size[0]}×{size[1]}",
        "plates": [f"{text or '–'} {side} px" for text, side in zip(boxes["text"], sides, strict=True)],
    }


def _table(frame: pd.DataFrame, columns: list[str]) -> dict[str, Any]:
    return {
        "columns": columns,
        "rows": frame[columns].head(_ROWS).to_numpy().tolist(),
        "hidden": max(0, len(frame) - _ROWS),
    }
