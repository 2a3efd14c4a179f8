"""The plates of an experiment, joined from its tables `plates.csv`, `images.csv` and `split.csv`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lpr.paths import IMAGES_CSV, PLATES, SPLIT

if TYPE_CHECKING:
    import pandas as pd


def read_placed_plates(root: Path = Path()) -> pd.DataFrame:
    """The plates of the cached images: a row a plate, `lpr.data.placement.PLACED_COLUMNS`, boxes in pixels.

    An image without plates has one row, whose box is NaN. What is ignored is left out.

    Args:
        root: of the project, or an experiment's folder, which is laid out like it.
    """
    return _read(root)[0]


def read_split(root: Path = Path()) -> pd.DataFrame:
    """`read_placed_plates` with a column `split`: train, validation or test. Images that were left out are missing."""
    return read_split_and_ignored(root)[0]


def read_split_and_ignored(root: Path = Path()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`read_split`, and the boxes that are neither plates nor background: a row a box, `PLACED_COLUMNS`."""
    from lpr.data.tables import read_table

    plates, ignored = _read(root)
    splits = read_table(root / SPLIT)[["image", "split"]]
    return plates.merge(splits, on="image", validate="many_to_one"), ignored


def _read(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The plates and what is ignored."""
    from lpr.data.placement import place_boxes
    from lpr.data.tables import read_table

    placed = place_boxes(read_table(root / PLATES), read_table(root / IMAGES_CSV))
    ignored = placed["ignored"]
    return placed[~ignored].reset_index(drop=True), placed[ignored].reset_index(drop=True)


def largest_plates(plates: pd.DataFrame) -> pd.DataFrame:
    """The largest plate of each image, a row an image, in order of appearance: the target of a one-box detector."""
    area = (plates["bottom_x"] - plates["top_x"]) * (plates["bottom_y"] - plates["top_y"])
    chosen = plates.assign(area=area).sort_values("area", ascending=False, kind="stable").drop_duplicates("image")
    return chosen.sort_index().drop(columns="area").reset_index(drop=True)
