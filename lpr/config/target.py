"""What an experiment trains: the detector, or the recognizer."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from lpr.config import UNSCORED, Config, Training
from lpr.paths import (
    DETECTIONS,
    DETECTOR,
    HISTORY,
    METRICS,
    PREDICTIONS,
    RECOGNITIONS,
    RECOGNIZER,
    RECOGNIZER_HISTORY,
    RECOGNIZER_INT8,
    RECOGNIZER_ONNX,
    SYNTHETIC_RECOGNITIONS,
    SYNTHETIC_SCORES,
)


@dataclass(frozen=True)
class Target:
    """One of the two networks: how it is trained and scored, and the files of that.

    Attributes:
        training: stages, modules of `lpr.pipeline`, up to its weights.
        scoring: stages from its weights to its scores.
        history: the table with a row an epoch.
        metrics: the file with the number of epochs.
        scores: the files with its scores, as `lpr.metrics.statistics.Score` has them.
        models: the files with its weights.
        tables: the tables that are kept of a run.
        sections: the sections of the configuration that its weights depend on.
        train: the key of its `Training`.
    """

    training: tuple[str, ...]
    scoring: tuple[str, ...]
    history: Path
    metrics: Path
    scores: tuple[Path, ...]
    models: tuple[Path, ...]
    tables: tuple[Path, ...]
    sections: tuple[str, ...]
    train: str


_TARGETS = {
    "detector": Target(
        training=("split", "train"),
        scoring=("evaluate", "ocr"),
        history=HISTORY,
        metrics=METRICS / "training.json",
        scores=(METRICS / "detection.json", METRICS / "recognition.json"),
        models=(DETECTOR,),
        tables=(HISTORY, PREDICTIONS, DETECTIONS, RECOGNITIONS),
        sections=("split", "detector", "augment", "optimizer", "loss", "train"),
        train="train",
    ),
    "recognizer": Target(
        training=("split", "synthesize_plates", "label_plates", "train_recognizer"),
        scoring=("export_recognizer", "evaluate_recognizer", "ocr"),
        history=RECOGNIZER_HISTORY,
        metrics=METRICS / "recognizer_training.json",
        scores=(SYNTHETIC_SCORES, METRICS / "recognition.json"),
        models=(RECOGNIZER, RECOGNIZER_ONNX, RECOGNIZER_INT8),
        tables=(RECOGNIZER_HISTORY, SYNTHETIC_RECOGNITIONS, DETECTIONS, RECOGNITIONS),
        sections=("split", "recognizer"),
        train="recognizer.train",
    ),
}


NETWORKS = {section for target in _TARGETS.values() for section in target.sections}
"""The sections of the configuration that the weights of at least one of them depend on."""


def target_of(config: Config) -> Target:
    """The network that `config.target` names."""
    return _TARGETS[config.target]


def training_of(config: Config) -> Training:
    """The settings of the training of `target_of(config)`."""
    training: Training = attrgetter(target_of(config).train)(config)
    return training


def scored(values: dict[str, Any]) -> dict[str, Any]:
    """The sections that scores depend on: without tracking and tuning, and without those of the other network.

    Args:
        values: a configuration as plain containers, perhaps of an earlier version of the schema.
    """
    own = _TARGETS[values.get("target", "detector")].sections
    return {name: value for name, value in values.items() if name in own or name not in UNSCORED}
