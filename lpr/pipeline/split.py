"""Assign every cached image to train, validation or test: `data/split.csv`."""

from typing import Any

import pandas as pd

from lpr.config import Config
from lpr.data.plates import read_placed_plates
from lpr.data.split import split_images
from lpr.data.tables import read_table, write_json, write_table
from lpr.paths import IMAGE_CACHE, METRICS, PLATES, SPLIT


def run(config: Config) -> None:
    """Split the images, and count the near-duplicates across this split and across a random one."""
    table, counts = split_images(_plates(), IMAGE_CACHE, config.data.sources, config.split)
    write_table(table, SPLIT)
    write_json(counts, METRICS / "split.json")
    for name, part in table.groupby("source", sort=False):
        print(f"{name}: " + ", ".join(f"{count} {split}" for split, count in part["split"].value_counts().items()))
    if named := counts.get("group_by"):
        print(f"split.group_by={config.split.group_by}: {in_words(named)}")
    print(f"this split leaks: {in_words(counts['leakage'])}")
    print(f"a random one would leak: {in_words(counts['leakage_of_random_split'])}")


def _plates() -> pd.DataFrame:
    urls = read_table(PLATES)[["image", "url"]].drop_duplicates("image")
    return read_placed_plates().merge(urls, on="image", validate="many_to_one")


def in_words(leakage: Any) -> str:
    """Counts, such as those of `metrics/split.json`, in words."""
    return ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in leakage.items())
