"""The stages of `dvc.yaml` and `recognizer/dvc.yaml`, a verb each: `lpr.pipeline.VERB` run with `params.yaml`."""

from __future__ import annotations

from argparse import Namespace
from types import ModuleType
from typing import Any

from lpr.cli.verbs import add_verb

_STAGES = {
    "source": "write the annotations of each source as JSON lines → data/sources/",
    "annotate": "make one table of the plates of all sources → data/plates.csv, data/rejects.csv",
    "download": "fetch the images and store them as RGB JPEGs → data/images/",
    "split": "assign the images to train, validation and test → data/split.csv",
    "train": "train the detector → models/detector.keras, reports/history.csv",
    "evaluate": "score the detector → reports/predictions.csv, reports/detections.csv, metrics/detection.json",
    "ocr": "recognize the texts of the plates and score them → reports/recognitions.csv, metrics/recognition.json",
    "report": "write reports/index.html and reports/provenance.json, and mirror the run to wandb",
    "synthesize-plates": "draw the plates that the recognizer is trained on → data/synthetic_plates.npz",
    "label-plates": "locate the characters of plates of real images → data/real_plates.npz",
    "train-recognizer": "train the recognizer, the network of ocr=recognizer → models/recognizer.keras",
    "export-recognizer": "calibrate the recognizer and write it for use → models/recognizer.onnx, recognizer.int8.onnx",
    "evaluate-recognizer": "score the recognizer on held-out synthetic plates → metrics/synthetic_recognition.json",
}


def add_verbs(verbs: Any) -> None:
    """Add them."""
    for verb, meaning in _STAGES.items():
        stage = add_verb(
            verbs,
            verb,
            f"lpr.pipeline.{verb.replace('-', '_')}",
            _run,
            help=meaning,
            description=f"{meaning[0].upper()}{meaning[1:]}. Reads params.yaml; `dvc repro` runs it when it is due.",
            example=f"lpr {verb}" if verb != "source" else "lpr source\nlpr source synthetic",
        )
        if verb == "source":
            stage.add_argument("names", nargs="*", metavar="NAME", help="of data.sources; all where none is given")


def _run(module: ModuleType, options: Namespace) -> None:
    from lpr import config

    module.run(config.load(), *([options.names] if "names" in options else []))
