"""What each part of a training is worth: the same, shorter training with one part left out or changed.

    python benchmarks/ablation.py detector|recognizer FOLDER [VARIANT …] [--output FILE]

FOLDER is as conf/data/real_images.yaml describes. Runs `lpr experiment` once a variant, one after the other, into
experiments/ablation/ below the working folder, continues where it was stopped, and prints a Markdown table: the scores
per data set, and the paired differences from the first variant, with 95 % bootstrap intervals over images. There is one
training a variant, and two trainings that differ in their seed alone differ in their scores, too (`another seed`).

The detector: `experiment=development data=development`, differences of mean IoU; none of the data sets is a test set of
`experiment=best`. Rows 2 to 5 go from `experiment=original` to the first row.

The recognizer: a small network that was trained on plain crops (straight, sharp, in even light) is trained further, on
crops as they are or without one of their parts; differences of plate_acc on true boxes, over all plates whose text is
known. Real crops are those of the training split of a usual split, and are scored on its test split alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import add_output, write_results
from tables import markdown

from lpr.experiment.results import load
from lpr.experiment.run import FINISHED
from lpr.metrics.comparison import CaseScores, compare
from lpr.paths import METRICS, RECOGNIZER

RUNS = Path("experiments") / "ablation"


@dataclass(frozen=True)
class Ablation:
    """The ablation of one network.

    Attributes:
        fixed: overrides of every training.
        variants: further overrides by the variant's name; the first variant is the baseline.
        sources: data sets that are tested.
        file: has the scores.
        scores: keys of the scores shown, below data set and split; differences are those of the first.
        begin: further overrides of a training with whose weights all variants begin; None: they begin with random ones.
    """

    fixed: tuple[str, ...]
    variants: dict[str, tuple[str, ...]]
    sources: tuple[str, ...]
    file: Path
    scores: tuple[str, ...]
    begin: tuple[str, ...] | None = None


_ORIGINAL = ("experiment=original", "data=development", "split.train=0.55", "split.validation=0", "split.test=0.45")
_NO_SYNTHETIC_PLATES = ("augment.p_paste_over=0", "augment.p_paste_extra=0", "augment.p_hard_negative=0")
_CROPS_AROUND_PLATES = ("augment.p_mosaic=0", "augment.p_background=0")
_DETECTOR: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "experiment=original": _ORIGINAL,
    "CenterNet, crops around plates": ("inference.scales=1", *_CROPS_AROUND_PLATES, *_NO_SYNTHETIC_PLATES),
    "… and synthetic plates pasted": ("inference.scales=1", *_CROPS_AROUND_PLATES),
    "… and mosaics, crops of the background": ("inference.scales=1",),
    "another seed": ("train.seed=1",),
    "no mosaics": ("augment.p_mosaic=0",),
    "no synthetic plates pasted": _NO_SYNTHETIC_PLATES,
    "no crops of the background": ("augment.p_background=0",),
    "no rotation, no perspective": ("augment.max_rotation_deg=0", "augment.max_perspective=0"),
    "no shadow, blur, noise, JPEG": ("augment.p_shadow=0", "augment.p_blur=0", "augment.p_noise=0", "augment.p_jpeg=0"),
    "CIoU": ("loss=ciou",),
    "synthetic scenes, too": ("data=development_and_synthetic", "train.source_weights={scenes: 0.25}"),
    "three scales": ("inference.scales=3",),
}


def _without(*keys: str) -> tuple[str, ...]:
    """Overrides that set keys of the recognizer's crops to 0."""
    return tuple(f"recognizer.crops.{key}=0" for key in keys)


_STRAIGHT = _without("max_yaw_deg", "max_pitch_deg", "max_roll_deg", "p_rotate", "p_warp")
_TIGHT = _without("p_loose_box", "p_no_plate")
_EVEN_LIGHT = _without("p_light", "p_colour", "p_grey", "p_night", "p_shadow", "p_glare")
_SHARP = _without("p_degraded", "p_blur", "p_noise", "p_resize", "p_sharpen", "p_jpeg")
_USUAL_SPLIT = ("split.train=0.7", "split.validation=0.1", "split.test=0.2")
_LARGE = ("recognizer.crops.letter_height_range_px=[28,56]",)
_RECOGNIZER: dict[str, tuple[str, ...]] = {
    "as they are": (),
    "another seed": ("recognizer.train.seed=1",),
    "no rotation, no warping": _STRAIGHT,
    "no loose boxes, no boxes without a plate": _TIGHT,
    "even light": _EVEN_LIGHT,
    "no blur, noise, resizing, sharpening, JPEG": _SHARP,
    "no small letters": _LARGE,
    "a tenth of the plates": ("recognizer.synthetic_plates=300",),
    "real crops, too": ("recognizer.real_sources=[dataturks]", *_USUAL_SPLIT),
}
ABLATIONS = {
    "detector": Ablation(
        # There is no validation split: no plate goes through OCR.
        fixed=("experiment=development", "data=development", "ocr.splits=[validation]"),
        variants=_DETECTOR,
        sources=("dataturks", "cars433", "indonesia"),
        file=METRICS / "detection.json",
        scores=("mean_iou", "AP50", "AP50:95", "false_positives_per_image"),
    ),
    "recognizer": Ablation(
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
        variants=_RECOGNIZER,
        sources=("dataturks", "openalpr_eu"),
        file=METRICS / "recognition.json",
        scores=("true/plate_acc", "true/plate_acc_folded", "true/cer"),
        begin=(*_STRAIGHT, *_TIGHT, *_EVEN_LIGHT, *_SHARP, *_LARGE, "recognizer.train.epochs=16"),
    ),
}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=ABLATIONS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    add_output(parser)
    return parser


def main() -> None:
    parser = build_parser()
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
    rows = score_rows(ablation, runs, names)
    print(markdown(rows))
    if options.output:
        title = f"What each part of the {options.network}'s training is worth"
        write_results(options.output, title, " ".join(ablation.fixed), rows)


def run(folder: Path, overrides: list[str]) -> None:
    """Train and score one variant, unless that is done; of two overrides of a key, the later counts."""
    if (folder / FINISHED).is_file():
        return
    print(f"{folder.name} …", file=sys.stderr, flush=True)
    chosen = dict(override.split("=", 1) for override in [*overrides, f"hydra.run.dir='{folder}'"])
    arguments = [f"{key}={value}" for key, value in chosen.items()]
    subprocess.run([sys.executable, "-m", "lpr", "experiment", *arguments], check=True)


def score_rows(ablation: Ablation, runs: Path, names: list[str]) -> list[dict[str, Any]]:
    """A row a variant and data set: its scores, and the difference of the first score from the first variant's."""
    compared = compare(case_scores(runs / names[0]), [case_scores(runs / name) for name in names[1:]])
    differences = {
        (name, one.source): one.difference
        for name, part in zip(names[1:], compared, strict=True)
        for one in part
        if one.metric == ablation.scores[0]
    }
    rows = []
    for name in names:
        scores = json.loads((runs / name / ablation.file).read_text())
        for source in ablation.sources:
            row: dict[str, Any] = {
                "variant": name,
                "overrides": " ".join(ablation.variants[name]),
                "test images": source,
            }
            row |= {key: at(scores[source]["test"], key) for key in ablation.scores}
            if difference := differences.get((name, source)):
                row[f"difference of {ablation.scores[0]}"] = {**difference.as_dict(), "signed": True}
            rows.append(row)
    return rows


def at(scores: dict[str, Any], path: str) -> dict[str, Any]:
    """The value below the keys of a path, which are separated by slashes."""
    for key in path.split("/"):
        scores = scores[key]
    return scores


def case_scores(run: Path) -> dict[str, CaseScores]:
    """A variant's scores of each test case."""
    return load(str(run), Path()).case_scores()


if __name__ == "__main__":
    main()
