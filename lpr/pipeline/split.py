"""Assign every cached image to train, validation or test: `data/split.csv`."""

from typing import Any

from lpr.config import Config
from lpr.data.plates import read_placed_plates
from lpr.data.split import split_images
from lpr.data.tables import write_json, write_table
from lpr.paths import IMAGE_CACHE, METRICS, SPLIT


def run(config: Config) -> None:
    """Split the images, and count the near-duplicates across this split and across a random one."""
    table, counts = split_images(read_placed_plates(), IMAGE_CACHE, config.data.sources, config.split)
    write_table(table, SPLIT)
    write_json(counts, METRICS / "split.json")
    for name, part in table.groupby("source", sort=False):
        print(f"{name}: " + ", ".join(f"{count} {split}" for split, count in part["split"].value_counts().items()))
    print(f"this split leaks: {_in_words(counts['leakage'])}")
    print(f"a random one would leak: {_in_words(counts['leakage_of_random_split'])}")


def _in_words(leakage: Any) -> str:
    return ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in leakage.items())
