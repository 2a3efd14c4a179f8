"""A detector's test scores over the folds of a sweep: every image of a k-fold source is tested once.

    lpr experiment -m experiment=best … split=kfold split.folds=5 split.fold=0,1,2,3,4 hydra.sweep.dir=SWEEP
    python benchmarks/folds.py SWEEP [--output docs/results/best_folds.json]

Prints a row per data set, in Markdown. Of a source that the folds share out, their test images are put together, and
intervals are 95 % bootstrap ones over its plates or images. Of a source that is never trained on, every fold's
detector is tested on all images: the mean of their scores, and ± their standard deviation.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from results import add_output, write_results
from tables import markdown

from lpr import config
from lpr.boxes import BOX_COLUMNS
from lpr.data.plates import read_split
from lpr.data.tables import read_table
from lpr.metrics import table as metric_table
from lpr.metrics.base import DetectionCases, Metric
from lpr.metrics.detection import SourceByBoxes, sources_by_boxes
from lpr.paths import PREDICTIONS


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    here, sweep = Path.cwd(), options.sweep
    jobs = sorted(path.parents[1] for path in (here / sweep).glob("*/metrics/detection.json"))
    folds: list[dict[str, SourceByBoxes]] = []
    for job in jobs:
        os.chdir(job)
        folds.append(read_tested())
        settings = config.load()
    metrics = metric_table.load(settings.metrics).detection
    confidence_threshold = settings.inference.confidence_threshold
    print(f"{len(jobs)} folds of {sweep}")
    rows = [row([fold[name] for fold in folds], name, confidence_threshold, metrics) for name in sorted(folds[0])]
    print(markdown(rows))
    if options.output:
        data = f"{len(jobs)} folds; n counts plates or images"
        write_results(here / options.output, "Test scores over the folds of a sweep", data, rows)


def read_tested() -> dict[str, SourceByBoxes]:
    """The test images of the experiment in this folder, by source and, where there are two, by kind of true boxes."""
    rows, predictions = read_split(), read_table(PREDICTIONS)
    images, plates = rows.drop_duplicates("image"), rows.dropna(subset=BOX_COLUMNS)
    tested = {
        str(source): SourceByBoxes(
            plates[plates["source"] == source], predictions[predictions["source"] == source], part
        )
        for source, part in images[images["split"] == "test"].groupby("source")
    }
    for name, one in sources_by_boxes(plates, predictions, images).items():
        tested[name] = SourceByBoxes(one.plates, one.predictions, one.images[one.images["split"] == "test"])
    return tested


def row(
    folds: list[SourceByBoxes], name: str, confidence_threshold: float, metrics: Sequence[Metric[DetectionCases]]
) -> dict[str, Any]:
    """A row of the table: the data set, and a cell for each metric."""
    names = [set(fold.images["image"]) for fold in folds]
    if len(folds) > 1 and names[0] & names[1]:
        each: list[dict[str, Any]] = [fold.scores(confidence_threshold, metrics)["test"] for fold in folds]
        values = [np.array([scores[metric.name]["value"] for scores in each]) for metric in metrics]
        cells = {
            metric.name: {"value": value.mean(), "deviation": value.std(ddof=1), "n": each[0][metric.name]["n"]}
            for metric, value in zip(metrics, values, strict=True)
        }
        return {"test images": name, **cells}
    parts = [
        [part[part["image"].isin(tested)] for part in (fold.plates, fold.predictions, fold.images)]
        for fold, tested in zip(folds, names, strict=True)
    ]
    together = SourceByBoxes(*(pd.concat(part) for part in zip(*parts, strict=True)))
    scores: dict[str, Any] = together.scores(confidence_threshold, metrics)["test"]
    return {"test images": name, **{metric.name: scores[metric.name] for metric in metrics}}


if __name__ == "__main__":
    main()
