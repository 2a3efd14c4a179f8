"""What an experiment target: the detector, to be read after; or the reader's network alone, on true boxes."""

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
    RECOGNIZER_ONNX,
    SYNTHETIC_RECOGNITIONS,
    SYNTHETIC_SCORES,
)


@dataclass(frozen=True)
class Target:
    """One of the two networks.

    Attributes:
        training: stages, modules of `lpr.stages`, up to its weights.
        scoring: stages from there to its scores.
        history: what has a row an epoch.
        metrics: what says for how many epochs it was trained.
        scores: of it, as `lpr.metrics.statistics.Score` has them.
        models: its weights.
        tables: what else is kept of it.
        sections: of the configuration, that its weights depend on.
        train: key of its training's settings.
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
        models=(RECOGNIZER, RECOGNIZER_ONNX),
        tables=(RECOGNIZER_HISTORY, SYNTHETIC_RECOGNITIONS, DETECTIONS, RECOGNITIONS),
        sections=("split", "recognizer"),
        train="recognizer.train",
    ),
}


NETWORKS = {section for trained in _TARGETS.values() for section in trained.sections}
"""Sections of the configuration that the weights of either depend on."""


def target_of(config: Config) -> Target:
    """What `config.target` names."""
    return _TARGETS[config.target]


def training_of(config: Config) -> Training:
    """How that is trained."""
    training: Training = attrgetter(target_of(config).train)(config)
    return training


def scored(values: dict[str, Any]) -> dict[str, Any]:
    """What of a configuration, of any age, scores depend on: not how it is tracked, nor a network not trained."""
    own = _TARGETS[values.get("target", "detector")].sections
    return {name: value for name, value in values.items() if name in own or name not in UNSCORED}
