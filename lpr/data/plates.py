"""The plates of an experiment, joined from its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lpr.paths import IMAGES_CSV, PLATES, SPLIT

if TYPE_CHECKING:
    import pandas as pd


def read_placed_plates(root: Path = Path()) -> pd.DataFrame:
    """The plates of the cached images, boxes in the pixels of these; a image without plates has a row without.

    Args:
        root: of the project, or an experiment's folder, which is laid out like it.
    """
    from lpr.data.placement import place_boxes
    from lpr.data.tables import read_table

    return place_boxes(read_table(root / PLATES), read_table(root / IMAGES_CSV))


def read_split(root: Path = Path()) -> pd.DataFrame:
    """The same, each row with its side: train, validation or test."""
    from lpr.data.tables import read_table

    sides = read_table(root / SPLIT)[["image", "split"]]
    return read_placed_plates(root).merge(sides, on="image", validate="many_to_one")


def largest_plates(plates: pd.DataFrame) -> pd.DataFrame:
    """The largest plate of each image, a row a image, in order of appearance: what a one-box detector learns."""
    area = (plates["bottom_x"] - plates["top_x"]) * (plates["bottom_y"] - plates["top_y"])
    chosen = plates.assign(area=area).sort_values("area", ascending=False, kind="stable").drop_duplicates("image")
    return chosen.sort_index().drop(columns="area").reset_index(drop=True)
