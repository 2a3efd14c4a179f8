"""`lpr VERB`: the command line. Imports nothing heavy."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from lpr import config
from lpr.composition.params import check_fresh, write_params
from lpr.errors import UserError
from lpr.ocr import engines
from lpr.paths import CHECKED, MODELS
from lpr.plates.countries import GRAMMARS

_STAGES = {
    "source": "obtain the annotation JSON of each source → data/sources/",
    "annotate": "annotation JSON → data/plates.csv, data/rejects.csv",
    "download": "image URLs → data/images/, RGB JPEGs",
    "split": "which images train, validate and test → data/split.csv",
    "train": "train the detector → models/",
    "evaluate": "score the detector → reports/predictions.csv, reports/detections.csv, metrics/detection.json",
    "ocr": "read the plates, and score it → reports/recognitions.csv, metrics/recognition.json",
    "report": "reports/index.html, and the wandb run",
    "synthesize-plates": "draw the plates that ocr=recognizer learns from → data/synthetic_plates.npz",
    "label-plates": "find the characters of photographed plates → data/real_plates.npz",
    "train-recognizer": "train the network of ocr=recognizer → models/recognizer.keras",
    "export-recognizer": "calibrate it, and write it for use → models/recognizer.onnx",
    "evaluate-recognizer": "score it on drawn plates that it has not seen → metrics/synthetic_recognition.json",
}


_SAVED = ("csv", "json", "images")
_PREDICT_HELP = """\
Find the plates of images and videos by the detector that `lpr export` wrote, and read them. Into the output's folder
go predictions.csv (a row a plate, pixels; a table that data=table takes), predictions.json (the same, what the frames
of a video vote for, and what could not be read, with the reason) and annotated/ (the images and videos with the
plates drawn on them).
"""
_PREDICT_CODES = """\
exit status: 0 all inputs were read, whether or not they show plates; 1 none could be, or there is no detector or
reader; 2 wrong usage; 3 some inputs could not be read, the others were; 130 interrupted, what was found is kept.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 if it went well, 1 after a message to the user on standard error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["experiment"]:
        # Hydra has a command line of its own: all that follows is for it.
        return importlib.import_module("lpr.experiment.run").main(arguments[1:])
    options = build_parser().parse_args(arguments)
    try:
        return _run(options)
    except UserError as error:
        print(f"lpr {options.verb}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name not in {"tensorflow", "keras"}:
            raise
        print(f"lpr {options.verb}: TensorFlow is missing: pip install 'lpr[cpu]', or 'lpr[gpu]'", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"lpr {options.verb}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.verb == "params":
        write_params(options.overrides)
        print(f"wrote {config.PARAMS}; `dvc repro` runs it")
    elif options.verb == "compare":
        importlib.import_module("lpr.experiment.compare").run(options.names, options.output, options.baseline)
    elif options.verb == "audit":
        importlib.import_module("lpr.audit.run").run(options.folder)
    elif options.verb == "tune":
        importlib.import_module("lpr.experiment.tune").run(options.overrides)
    elif options.verb == "export":
        importlib.import_module("lpr.pipeline.export").run(config.load(), options.output)
    elif options.verb == "predict":
        predict = importlib.import_module("lpr.inference.predict")
        code: int = predict.run(
            options.inputs,
            options.model,
            options.ocr,
            options.grammar,
            options.output,
            options.confidence,
            options.save,
        )
        return code
    elif options.verb == "check":
        check_fresh()
        if options.stamp:
            CHECKED.parent.mkdir(exist_ok=True)
            CHECKED.write_text("params.yaml is what conf/ composes\n")
    else:
        stage = importlib.import_module(f"lpr.pipeline.{options.verb.replace('-', '_')}")
        names = [options.names] if options.verb == "source" else []
        stage.run(config.load(), *names)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """What understands the command line, but for that of `lpr experiment`, which is Hydra's."""
    parser = argparse.ArgumentParser(
        prog="lpr", description="License plate recognition experiments. `dvc repro` runs all the stages in order."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    params = verbs.add_parser("params", help="compose conf/ into params.yaml", description=write_params.__doc__)
    params.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="e.g. experiment=original train.epochs=5")
    check = verbs.add_parser("check", help="is params.yaml what conf/ composes?", description=check_fresh.__doc__)
    check.add_argument("--stamp", action="store_true", help="leave a file that says so, for DVC")
    verbs.add_parser("experiment", help="one experiment, or with -m many, in folders of their own (Hydra's options)")
    compare = verbs.add_parser(
        "compare",
        help="the table of a sweep; or which of several experiments is better, and whether that is real",
        description="Without names: what can be compared. The folder of a sweep: a table of its jobs. Two or more "
        "experiments (Git revision, DVC experiment, run folder, sweep job): paired on the same test images, each "
        "against the first.",
    )
    compare.add_argument("names", nargs="*", metavar="EXPERIMENT", help="or the folder of one sweep")
    compare.add_argument("--baseline", type=int, metavar="ROW", help="of a sweep: hold the others against this row")
    compare.add_argument("--output", type=Path, metavar="FOLDER", help="where table, image and page go")
    audit = verbs.add_parser(
        "audit",
        help="the labels that the trained detector disagrees with most → reports/audit/",
        description="Unlabelled, doubtful, loose, tight and shifted plates, and duplicates across the split, as a page "
        "and a CSV in FOLDER/reports/audit/. A sweep over the folds of split=kfold judges every image by a detector "
        "that did not train on it.",
    )
    audit.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="experiment or sweep")
    tune = verbs.add_parser(
        "tune",
        help="search the space of conf/tuner/ with Keras Tuner → tuning/, conf/experiment/tuned.yaml",
        description="Search over any key of the configuration. Without overrides, params.yaml is what is tuned.",
    )
    tune.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="e.g. tuner=hyperband tuner.max_trials=30")
    export = verbs.add_parser(
        "export",
        help="models/detector.keras → detector.onnx, detector.tflite, for use",
        description="Write the trained detector as ONNX and TFLite, and check that they find what Keras finds.",
    )
    export.add_argument("--output", type=Path, default=MODELS, metavar="FOLDER", help="default: %(default)s")
    _add_predict(verbs)
    for verb, meaning in _STAGES.items():
        stage = verbs.add_parser(verb, help=meaning, description=f"{meaning}. Reads params.yaml.")
        if verb == "source":
            stage.add_argument("names", nargs="*", metavar="NAME", help="of data.sources; all where none is given")
    return parser


def _add_predict(verbs: Any) -> None:
    predict = verbs.add_parser(
        "predict",
        help="find and read the plates of images and videos, by an exported detector",
        description=_PREDICT_HELP,
        epilog=_PREDICT_CODES,
    )
    predict.add_argument("inputs", nargs="+", metavar="INPUT", help="images, videos, folders, patterns such as '*.jpg'")
    predict.add_argument(
        "--model", type=Path, default=MODELS / "detector.onnx", metavar="FILE", help="default: %(default)s"
    )
    predict.add_argument(
        "--ocr",
        choices=(*engines.names(), "none"),
        help="default: that of params.yaml here, else cascade; none leaves the plates unread",
    )
    predict.add_argument(
        "--grammar",
        choices=sorted(GRAMMARS),
        metavar="COUNTRY",
        help=f"whose plates they are: {', '.join(sorted(GRAMMARS))}; default: they may say anything",
    )
    predict.add_argument(
        "--output", type=Path, default=Path("predictions"), metavar="FOLDER", help="default: %(default)s"
    )
    predict.add_argument(
        "--confidence", type=_fraction, metavar="C", help="from which a plate counts, 0–1; default: as exported"
    )
    predict.add_argument(
        "--save",
        type=_saved,
        default=_SAVED,
        metavar="WHAT",
        help=f"of {','.join(_SAVED)}; default: all",
    )


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _saved(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := [what for what in chosen if what not in _SAVED]:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}; choose of {','.join(_SAVED)}")
    return chosen
