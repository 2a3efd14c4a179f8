"""What each part of `experiment=best` is worth: the same, shorter training with one part taken away or changed.

    python benchmarks/ablation.py FOLDER [VARIANT …]

FOLDER is as conf/data/photographs.yaml says. Runs `lpr experiment experiment=development data=development` once a
variant, one after the other, into experiments/ablation/ below the working folder, goes on where it was stopped, and
prints a Markdown table: the scores per data set, and the paired differences of mean IoU from the first variant, with
95 % bootstrap intervals over pictures. None of the data sets is a test set of `experiment=best`. One training a
variant: two equal trainings with other seeds differ, too (`another seed`). Rows 2 to 5 go from the origin's network to
the first row.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from lpr.data.tables import read_table
from lpr.experiment.comparison import compare, plate_scores

RUNS = Path("experiments") / "ablation"
_ORIGIN = ("experiment=seed", "data=development", "split.train=0.55", "split.validation=0", "split.test=0.45")
_NOTHING_DRAWN = ("augment.paste_replace=0", "augment.paste_add=0", "augment.distractors=0")
_NOWHERE_ELSE = ("augment.mosaic=0", "augment.elsewhere=0")
# What is changed of experiment=development data=development.
VARIANTS: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "network of the origin": _ORIGIN,
    "centre detector, views around plates": ("inference.looks=1", *_NOWHERE_ELSE, *_NOTHING_DRAWN),
    "… and drawn plates pasted": ("inference.looks=1", *_NOWHERE_ELSE),
    "… and mosaics, views of other places": ("inference.looks=1",),
    "another seed": ("train.seed=1",),
    "no mosaics": ("augment.mosaic=0",),
    "no drawn plates pasted": _NOTHING_DRAWN,
    "no views of other places": ("augment.elsewhere=0",),
    "no turning, no perspective": ("augment.rotate=0", "augment.perspective=0"),
    "no shadow, blur, noise, JPEG": ("augment.shadow=0", "augment.blur=0", "augment.noise=0", "augment.jpeg=0"),
    "CIoU": ("loss=ciou",),
    "drawn scenes, too": ("data=development_and_scenes", "train.source_weights={scenes: 0.25}"),
    "three looks": ("inference.looks=3",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("variants", nargs="*", choices=[*VARIANTS, []], metavar="VARIANT", help=", ".join(VARIANTS))
    options = parser.parse_args()
    names = options.variants or list(VARIANTS)
    for name in names:
        run(name, options.folder.resolve())
    baseline = plates(names[0])
    compared = compare(baseline, [plates(name) for name in names[1:]])
    differences = {
        (name, one.source): one.difference
        for name, part in zip(names[1:], compared, strict=True)
        for one in part
        if one.metric == "mean_iou"
    }
    rows = [
        [
            name,
            f"`{' '.join(VARIANTS[name])}`" if VARIANTS[name] else "",
            source,
            *cells(scores, differences.get((name, source))),
        ]
        for name in names
        for source, scores in tested(name).items()
    ]
    scored = ["plates", "mean IoU", "difference", "AP50", "AP50:95", "false plates"]
    heads = ["", "what is changed", "pictures of", *scored]
    print(tabulate(rows, heads, "github", disable_numparse=True))


def run(name: str, folder: Path) -> None:
    """Train and score a variant, where that is not done."""
    if (RUNS / name / "finished.json").is_file():
        return
    print(f"{name} …", file=sys.stderr, flush=True)
    chosen = {"experiment": "development", "data": "development", "data.root": str(folder), "tracking": "off"}
    chosen |= {"reader.splits": "[validation]", "hydra.run.dir": f"'{RUNS / name}'"}  # there is none: nothing is read
    chosen |= dict(change.split("=", 1) for change in VARIANTS[name])
    overrides = [f"{key}={value}" for key, value in chosen.items()]
    subprocess.run([sys.executable, "-m", "lpr", "experiment", *overrides], check=True)


def plates(name: str) -> pd.DataFrame:
    """The variant's scores, plate by plate."""
    return plate_scores(read_table(RUNS / name / "reports" / "detections.csv"), None)


def tested(name: str) -> dict[str, Any]:
    """The variant's test scores by data set."""
    scores = json.loads((RUNS / name / "metrics" / "detection.json").read_text())
    return {source: scores[source]["test"] for source in ("dataturks", "cars433", "indonesia")}


def cells(scores: dict[str, Any], difference: Any) -> list[str]:
    """Count, scores, and the difference in words."""
    told = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]" if difference else ""
    values = [f"{scores[key]['value']:.3f}" for key in ("AP50", "AP50:95", "false_plates")]
    return [str(scores["mean_iou"]["n"]), f"{scores['mean_iou']['value']:.3f}", told, *values]


if __name__ == "__main__":
    main()
