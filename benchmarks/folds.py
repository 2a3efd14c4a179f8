"""A detector's test scores over the folds of a sweep: every image of a k-fold source is tested once.

    lpr experiment -m experiment=best … split=kfold split.folds=5 split.fold=0,1,2,3,4 hydra.sweep.dir=SWEEP
    python benchmarks/folds.py SWEEP

Prints a row a data set, in Markdown. Of a source that the folds share out, their test sides are put together, and
intervals are 95 % bootstrap ones over its plates or images. Of a source that is never trained on, every fold's
detector has looked at all: the mean of their scores, and ± their standard deviation.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from tabulate import tabulate

from lpr.boxes import BOX_COLUMNS
from lpr.config import PARAMS
from lpr.data.plates import read_split
from lpr.data.tables import read_table
from lpr.metrics.detection import Labels, by_label
from lpr.metrics.statistics import Score
from lpr.paths import PREDICTIONS

SCORES = ("mean_iou", "recall@0.5", "recall@0.7", "AP50", "AP50:95", "false_positives_per_image")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path)
    here, sweep = Path.cwd(), parser.parse_args().sweep
    jobs = sorted(path.parents[1] for path in (here / sweep).glob("*/metrics/detection.json"))
    folds: list[dict[str, Labels]] = []
    for job in jobs:
        os.chdir(job)
        folds.append(tested())
        confidence = yaml.safe_load(PARAMS.read_text())["inference"]["confidence"]
    print(f"{len(jobs)} folds of {sweep}")
    rows = [row([fold[name] for fold in folds], name, confidence) for name in sorted(folds[0])]
    print(tabulate(rows, ["test images", "plates", *SCORES], "github", disable_numparse=True))


def tested() -> dict[str, Labels]:
    """What the experiment in this folder was tested on, by source and, where there are two kinds, by kind of label."""
    rows, found = read_split(), read_table(PREDICTIONS)
    images, plates = rows.drop_duplicates("image"), rows.dropna(subset=BOX_COLUMNS)
    labels = {
        str(source): Labels(plates[plates["source"] == source], found[found["source"] == source], part)
        for source, part in images[images["split"] == "test"].groupby("source")
    }
    for name, one in by_label(plates, found, images).items():
        labels[name] = Labels(one.plates, one.found, one.images[one.images["split"] == "test"])
    return labels


def row(folds: list[Labels], name: str, confidence: float) -> list[str]:
    """A row of the table."""
    names = [set(fold.images["image"]) for fold in folds]
    if len(folds) > 1 and names[0] & names[1]:
        each: list[dict[str, Any]] = [fold.scores(confidence)["test"] for fold in folds]
        values = {key: np.array([scores[key]["value"] for scores in each]) for key in SCORES}
        told = [f"{values[key].mean():.3f} ±{values[key].std(ddof=1):.3f}" for key in SCORES]
        return [name, str(each[0]["mean_iou"]["n"]), *told]
    parts = [
        [part[part["image"].isin(seen)] for part in (fold.plates, fold.found, fold.images)]
        for fold, seen in zip(folds, names, strict=True)
    ]
    together = Labels(*(pd.concat(part) for part in zip(*parts, strict=True)))
    scores: dict[str, Any] = together.scores(confidence)["test"]
    told = [f"{Score(**scores[key]):.3f}" for key in SCORES]
    return [name, str(scores["mean_iou"]["n"]), *told]


if __name__ == "__main__":
    main()
