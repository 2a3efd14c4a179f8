"""The verbs on top of single stages: experiments and sweeps, comparisons, searches, audits and exports."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

from lpr.cli.verbs import add_verb
from lpr.paths import DETECTOR_ONNX, MODELS, PSEUDO_LABELS


def add_verbs(verbs: Any) -> None:
    """Add them."""
    experiment = add_verb(
        verbs,
        "experiment",
        "lpr.experiment.run",
        lambda module, options: module.main(options.overrides),
        help="run one experiment, or with -m a sweep, in folders of their own",
        description="Run whole experiments by Hydra, each in a folder under experiments/; what DVC holds is not "
        "touched. The command line is Hydra's, and --resume.",
        example="lpr experiment experiment=original train.epochs=5\n"
        "lpr experiment -m optimizer.learning_rate=0.001,0.002 hydra/launcher=joblib\n"
        "lpr experiment -m optimizer.learning_rate=0.001,0.002 hydra/launcher=joblib --resume",
        notes="-m runs every combination of the values; --resume continues the last run of the same command, without "
        "the jobs that are finished; `lpr experiment --hydra-help` lists Hydra's own options.",
    )
    experiment.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="keys of conf/ and of Hydra")

    compare = add_verb(
        verbs,
        "compare",
        "lpr.experiment.compare",
        lambda module, options: module.run(options.names, options.output, options.baseline),
        help="tabulate a sweep, or compare experiments on the same test images",
        description="Without names, list what can be compared. Given the folder of a sweep, tabulate its jobs. Given "
        "two or more experiments (Git revision, DVC experiment, run folder, sweep job), compare each with the first, "
        "paired on the same test images, with confidence intervals.",
        example="lpr compare HEAD .\nlpr compare experiments/lr --baseline 2",
    )
    compare.add_argument("names", nargs="*", metavar="EXPERIMENT", help="or the folder of one sweep")
    compare.add_argument("--baseline", type=int, metavar="ROW", help="of a sweep: compare the other rows with this one")
    compare.add_argument("--output", type=Path, metavar="FOLDER", help="write the table, the figure and the page here")

    tune = add_verb(
        verbs,
        "tune",
        "lpr.experiment.tune",
        lambda module, options: module.run(options.overrides),
        help="search the space of conf/tuner/ by Keras Tuner → tuning/, conf/experiment/tuned.yaml",
        description="Search over any keys of the configuration. Without overrides, params.yaml is what is tuned. The "
        "same command continues a search that was interrupted.",
        example="lpr tune tuner=hyperband tuner.max_trials=30",
    )
    tune.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="e.g. tuner=bayesian train.epochs=5")

    audit = add_verb(
        verbs,
        "audit",
        "lpr.audit.run",
        lambda module, options: module.run(options.folder),
        help="list the labels that disagree most with the trained detector → reports/audit/",
        description="Write a page and a CSV of plates that are unlabelled, or whose label is spurious, loose, tight or "
        "shifted, and of duplicates across the split, into FOLDER/reports/audit/. Of a sweep over the folds of "
        "split=kfold, each image is audited by the detector that was not trained on it.",
        example="lpr audit\nlpr audit experiments/folds",
    )
    audit.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="experiment or sweep")

    label = add_verb(
        verbs,
        "pseudo-label",
        "lpr.experiment.pseudo_labels",
        lambda module, options: module.run(options.experiment, options.unlabelled, options.detector, options.output),
        help="label the plates that the trained detector finds in training and unlabelled images, for a next training",
        description="Write the training images of an experiment, and unlabelled images, with labels and pseudo-labels: "
        "what an exported detector finds with confidence and the recognizer reads becomes a label, what may or may not "
        "be a plate is ignored. Sources of format=table, in FOLDER/train/SOURCE and FOLDER/held_out/SOURCE.",
        example="lpr pseudo-label vehicles/ --detector models/detector.onnx",
    )
    label.add_argument("unlabelled", nargs="*", metavar="INPUT", help="unlabelled images, folders, patterns")
    label.add_argument(
        "--experiment", type=Path, default=Path(), metavar="FOLDER", help="of the experiment; default: the project"
    )
    label.add_argument("--detector", type=Path, default=DETECTOR_ONNX, metavar="FILE", help="default: %(default)s")
    label.add_argument("--output", type=Path, default=PSEUDO_LABELS, metavar="FOLDER", help="default: %(default)s")

    export = add_verb(
        verbs,
        "export",
        "lpr.pipeline.export",
        _export,
        help="write models/detector.keras for use: detector.onnx, detector.tflite",
        description="Write the trained detector as ONNX and TFLite, and check that their boxes are those of Keras.",
        example="lpr export --output models",
    )
    export.add_argument("--output", type=Path, default=MODELS, metavar="FOLDER", help="default: %(default)s")
    export.add_argument(
        "--int8",
        action="store_true",
        help="also detector.int8.onnx: in 8-bit integers, faster, a quarter of the size; its boxes differ a little",
    )


def _export(module: ModuleType, options: Namespace) -> None:
    from lpr import config

    module.run(config.load(), options.output, int8=options.int8)
