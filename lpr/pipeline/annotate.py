"""Annotations of all sources → `data/plates.csv`, and what cannot be used → `data/rejects.csv`."""

import pandas as pd

from lpr.config import Config
from lpr.data.annotations import ANNOTATIONS, read_annotations
from lpr.data.tables import write_json, write_table
from lpr.paths import METRICS, PLATES, REJECTS, SOURCES


def run(config: Config) -> None:
    """Make one table of the plates of all sources."""
    found = {
        source.name: read_annotations(SOURCES / source.name / ANNOTATIONS, source.name, config.data.plate_labels)
        for source in config.data.sources
    }
    write_table(pd.concat([each.plates for each in found.values()], ignore_index=True), PLATES)
    write_table(pd.concat([each.rejects for each in found.values()], ignore_index=True), REJECTS)
    write_json({name: each.counts for name, each in found.items()}, METRICS / "annotate.json")
    for name, each in found.items():
        print(f"{name}: " + ", ".join(f"{count} {what}" for what, count in each.counts.items()))
        if each.other_labels:
            listed = ", ".join(f"{label} ({count}×)" for label, count in each.other_labels.items())
            print(
                f"{name}: not plates by their labels: {listed}; if some are, name the labels of all: data.plate_labels"
            )
        if each.other_characters:
            listed = ", ".join(f"{character} ({count}×)" for character, count in each.other_characters.items())
            print(
                f"{name}: {each.counts['texts_beyond_latin']} of {each.counts['texts']} texts have characters other "
                f"than A–Z and 0–9: {listed}. They are kept; the OCR engines that come with lpr recognize none of "
                "them, so that these plates count as read wrong"
            )
    if any(len(each.rejects) for each in found.values()):
        print(f"what was rejected, and why: {REJECTS}")
