"""How many plates of one's own it takes to fine-tune the recognizer.

    python benchmarks/own_plates.py ROOT WORK [--shares 0.12 0.24 0.6] [--output docs/results/own_plates.json]

ROOT is the folder of the data sets. For each share of Dataturks' images, `lpr experiment
experiment=finetune_recognizer` is run in a folder below WORK. The test images are the same: two fifths of all, no
near-duplicates and no plates of the training images among them. Prints a row for each, in Markdown: the plates that
were trained on, the exact texts of the test plates in their true boxes without a grammar, by the shipped weights (0
plates) and by the fine-tuned ones, each with a 95 % bootstrap interval, and the minutes of the experiment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import chdir
from pathlib import Path
from typing import Any

from checkout import ROOT
from ocr_engines import engine_config, read_plates, text_scores
from results import add_output, metric, write_results
from tables import markdown

from lpr.boxes import BOX_COLUMNS
from lpr.data.plates import read_split
from lpr.ocr import engines
from lpr.paths import METRICS, RECOGNIZER_ONNX, SCRATCH

TEST = 0.4


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.12, 0.24, 0.6])
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    sets, work = options.root.resolve() / "dataturks", options.work.resolve()
    rows: list[dict[str, Any]] = []
    for share in options.shares:
        folder = work / f"share_{share:g}"
        minutes = fine_tune(sets, folder, share)
        with chdir(folder):
            if not rows:
                rows.append({"plates of one's own": 0} | scores("recognizer"))
            trained = json.loads((METRICS / "recognizer_training.json").read_text())["real_plates"]
            tuned = scores(f"recognizer:weights={folder / RECOGNIZER_ONNX}")
        rows.append({"plates of one's own": trained} | tuned | {"time": metric(minutes, unit="min")})
    print(markdown(rows))
    if options.output:
        write_results(
            options.output, "The recognizer, fine-tuned on plates of one's own", "Dataturks, true boxes", rows
        )


def fine_tune(sets: Path, folder: Path, share: float) -> float:
    """Run the experiment; the minutes that it took."""
    started = time.monotonic()
    split = f"split.train={share:g} split.test={TEST:g} split.validation={1 - TEST - share:g}".split()
    data = [
        "data=annotated",
        f"data.annotations={sets / 'Indian_Number_plates.json'}",
        f"data.image_root={sets / 'mirror'}",
        f"data.texts={sets / 'plate_text.csv'}",
        f"data.boxes={sets / 'tight_boxes.csv'}",
    ]
    command = [sys.executable, "-m", "lpr", "experiment", "experiment=finetune_recognizer", *data, *split]
    subprocess.run([*command, f"hydra.run.dir={folder}"], cwd=ROOT, env=os.environ, check=True)
    return (time.monotonic() - started) / 60


def scores(name: str) -> dict[str, Any]:
    """Of an engine, on the test plates of the experiment in the current folder."""
    plates = read_split()
    plates = plates[(plates["text"] != "") & (plates["split"] == "test")].reset_index(drop=True)
    config = engine_config(name)
    found, _ = read_plates(engines.create(config, SCRATCH), plates, BOX_COLUMNS, config.margin, name)
    return text_scores(plates, [text.text for text in found])


if __name__ == "__main__":
    main()
