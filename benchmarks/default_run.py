"""The scores of the default run on its test images, once `make repro` has run.

    make repro
    python benchmarks/default_run.py [--output docs/results/default_run.json]

Prints a row in Markdown. A results file keeps the row of the other precision, if it has one: on a CPU with bf16, the
same configuration trains another network.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from checkout import ROOT
from results import add_output, write_results
from tables import markdown

from lpr.paths import METRICS, PROVENANCE

DETECTION = ("mean_iou", "recall@0.5", "recall@0.7")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    precision = json.loads((ROOT / PROVENANCE).read_text())["timings"]["train"]["precision"]
    row = {"precision": precision, **scores(ROOT / METRICS)}
    print(markdown([row]))
    if options.output:
        old = json.loads(options.output.read_text()) if options.output.exists() else {"rows": [], "notes": []}
        rows = [other for other in old["rows"] if other["precision"] != precision]
        rows = sorted([*rows, row], key=lambda one: str(one["precision"]))
        data = "1600 synthetic street scenes, seed 0: 341 plates in 315 test images"
        write_results(options.output, "The default run", data, rows, notes=old["notes"], command="make repro")


def scores(metrics: Path) -> dict[str, Any]:
    """The scores of the test split that the table shows."""
    detection = json.loads((metrics / "detection.json").read_text())["synthetic"]["test"]
    recognition = json.loads((metrics / "recognition.json").read_text())["synthetic"]["test"]
    accuracy = {f"plate_acc, {boxes} boxes": recognition[boxes]["plate_acc"] for boxes in ("true", "predicted")}
    return {name: detection[name] for name in DETECTION} | accuracy


if __name__ == "__main__":
    main()
