"""What each part is worth: the same, shorter training with one part taken away or changed.

    python benchmarks/ablation.py detector|reader FOLDER [VARIANT …]

FOLDER is as conf/data/images.yaml says. Runs `lpr experiment` once a variant, one after the other, into
experiments/ablation/ below the working folder, goes on where it was stopped, and prints a Markdown table: the scores
per data set, and the paired differences from the first variant, with 95 % bootstrap intervals over images. One
training a variant: two equal trainings with other seeds differ, too (`another seed`).

The detector: `experiment=development data=development`, differences of mean IoU; none of the data sets is a test set of
`experiment=best`. Rows 2 to 5 go from the origin's network to the first row.

The reader: a small network that has learned to read plain crops (straight, sharp, in even light) learns on, by crops as
they are or without one of their parts; differences of exact readings on true boxes, of all plates whose text is known.
Real crops are of the training side of a usual split, and score on its test side alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from lpr.experiment.results import load
from lpr.experiment.run import FINISHED
from lpr.metrics.comparison import compare
from lpr.paths import METRICS, RECOGNIZER

RUNS = Path("experiments") / "ablation"


@dataclass(frozen=True)
class Ablation:
    """Of one network.

    Attributes:
        fixed: what is chosen of every training.
        variants: what is changed of it.
        sources: data sets that are tested.
        file: of the scores.
        scores: keys of those shown, below data set and test side; the first is the one that differences are of.
        begin: what is changed of a training whose weights all begin with; None: they begin with fresh ones.
    """

    fixed: tuple[str, ...]
    variants: dict[str, tuple[str, ...]]
    sources: tuple[str, ...]
    file: Path
    scores: tuple[str, ...]
    begin: tuple[str, ...] | None = None


_ORIGIN = ("experiment=original", "data=development", "split.train=0.55", "split.validation=0", "split.test=0.45")
_NOTHING_DRAWN = ("augment.p_paste_over=0", "augment.p_paste_extra=0", "augment.p_hard_negative=0")
_NOWHERE_ELSE = ("augment.p_mosaic=0", "augment.p_background=0")
_DETECTOR: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "network of the origin": _ORIGIN,
    "centre detector, views around plates": ("inference.scales=1", *_NOWHERE_ELSE, *_NOTHING_DRAWN),
    "… and drawn plates pasted": ("inference.scales=1", *_NOWHERE_ELSE),
    "… and mosaics, views of other places": ("inference.scales=1",),
    "another seed": ("train.seed=1",),
    "no mosaics": ("augment.p_mosaic=0",),
    "no drawn plates pasted": _NOTHING_DRAWN,
    "no views of other places": ("augment.p_background=0",),
    "no turning, no perspective": ("augment.max_rotation_deg=0", "augment.max_perspective=0"),
    "no shadow, blur, noise, JPEG": ("augment.p_shadow=0", "augment.p_blur=0", "augment.p_noise=0", "augment.p_jpeg=0"),
    "CIoU": ("loss=ciou",),
    "drawn scenes, too": ("data=development_and_synthetic", "train.source_weights={scenes: 0.25}"),
    "three looks": ("inference.scales=3",),
}
_STRAIGHT = tuple(f"recognizer.crops.{key}=0" for key in ("yaw", "pitch", "roll", "tilted", "bent"))
_TIGHT = tuple(f"recognizer.crops.{key}=0" for key in ("loose", "empty"))
_EVEN_LIGHT = tuple(f"recognizer.crops.{key}=0" for key in ("light", "colour", "grey", "night", "shadow", "glare"))
_SHARP = tuple(f"recognizer.crops.{key}=0" for key in ("poor", "blur", "noise", "resized", "sharpened", "jpeg"))
_USUAL_SPLIT = ("split.train=0.7", "split.validation=0.1", "split.test=0.2")
_LARGE = ("recognizer.crops.letter_height_range_px=[28,56]",)
_READER: dict[str, tuple[str, ...]] = {
    "as they are": (),
    "another seed": ("recognizer.train.seed=1",),
    "none turned, bent or leaning": _STRAIGHT,
    "no loose or empty boxes": _TIGHT,
    "even light": _EVEN_LIGHT,
    "no blur, noise, shrinking, sharpening, JPEG": _SHARP,
    "no small letters": _LARGE,
    "a tenth of the plates": ("recognizer.synthetic_plates=300",),
    "real crops, too": ("recognizer.real_sources=[dataturks]", *_USUAL_SPLIT),
}
ABLATIONS = {
    "detector": Ablation(
        # There is no validation side: nothing is read.
        fixed=("experiment=development", "data=development", "ocr.splits=[validation]"),
        variants=_DETECTOR,
        sources=("dataturks", "cars433", "indonesia"),
        file=METRICS / "detection.json",
        scores=("mean_iou", "AP50", "AP50:95", "false_positives_per_image"),
    ),
    "reader": Ablation(
        fixed=(
            "experiment=recognizer",
            "data=real_images",
            "split.train=0.05",
            "split.validation=0",
            "split.test=0.95",
            "recognizer.stem_channels=8",
            "recognizer.fpn_channels=24",
            "recognizer.stage_depths=[1,1,1,1]",
            "recognizer.input_shapes_px=[[64,160]]",
            "recognizer.synthetic_plates=3000",
            "recognizer.held_out_plates=300",
            "recognizer.train.epochs=8",
        ),
        variants=_READER,
        sources=("dataturks", "openalpr_eu"),
        file=METRICS / "recognition.json",
        scores=("true/plate_acc", "true/plate_acc_folded", "true/cer"),
        begin=(*_STRAIGHT, *_TIGHT, *_EVEN_LIGHT, *_SHARP, *_LARGE, "recognizer.train.epochs=16"),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=ABLATIONS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    options = parser.parse_args()
    ablation, runs = ABLATIONS[options.network], RUNS / options.network
    names = options.variants or list(ablation.variants)
    if unknown := sorted(set(names) - set(ablation.variants)):
        parser.error(f"{', '.join(unknown)}: the variants are {', '.join(ablation.variants)}")
    fixed = [*ablation.fixed, f"data.root={options.folder.resolve()}", "tracking=off"]
    if ablation.begin:
        run(runs / "begin", [*fixed, *ablation.begin])
        fixed.append(f"recognizer.init_weights={(runs / 'begin' / RECOGNIZER).resolve()}")
    for name in names:
        run(runs / name, [*fixed, *ablation.variants[name]])
    print(table(ablation, runs, names))


def run(folder: Path, overrides: list[str]) -> None:
    """Train and score, where that is not done; of two settings of a key, the later counts."""
    if (folder / FINISHED).is_file():
        return
    print(f"{folder.name} …", file=sys.stderr, flush=True)
    chosen = dict(override.split("=", 1) for override in [*overrides, f"hydra.run.dir='{folder}'"])
    arguments = [f"{key}={value}" for key, value in chosen.items()]
    subprocess.run([sys.executable, "-m", "lpr", "experiment", *arguments], check=True)


def table(ablation: Ablation, runs: Path, names: list[str]) -> str:
    """A row a variant and data set, in Markdown."""
    compared = compare(plates(runs / names[0]), [plates(runs / name) for name in names[1:]])
    differences = {
        (name, one.source): one.difference
        for name, part in zip(names[1:], compared, strict=True)
        for one in part
        if one.metric == ablation.scores[0]
    }
    rows = []
    for name in names:
        scores = json.loads((runs / name / ablation.file).read_text())
        changed = f"`{' '.join(ablation.variants[name])}`" if ablation.variants[name] else ""
        for source in ablation.sources:
            shown = [at(scores[source]["test"], key) for key in ablation.scores]
            difference = differences.get((name, source))
            told = f"{difference:+.3f}" if difference else ""
            rows.append([name, changed, source, shown[0]["n"], told, *(f"{score['value']:.3f}" for score in shown)])
    heads = ["", "what is changed", "images of", "n", f"difference of {ablation.scores[0]}", *ablation.scores]
    return tabulate(rows, heads, "github", disable_numparse=True)


def at(scores: dict[str, Any], path: str) -> dict[str, Any]:
    """What stands below the keys of a path."""
    for key in path.split("/"):
        scores = scores[key]
    return scores


def plates(run: Path) -> pd.DataFrame:
    """A variant's scores, plate by plate."""
    return load(str(run), Path()).plates


if __name__ == "__main__":
    main()
