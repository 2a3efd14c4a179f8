"""What an experiment trains: the detector, to be read after; or the reader's network alone, on true boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from lpr.config import UNSCORED, Config, Training
from lpr.stages.files import (
    DETECTIONS,
    DETECTOR,
    DRAWN_READINGS,
    DRAWN_SCORES,
    HISTORY,
    METRICS,
    PREDICTIONS,
    READER,
    READER_HISTORY,
    READER_ONNX,
    READINGS,
)


@dataclass(frozen=True)
class Trained:
    """One of the two networks.

    Attributes:
        training: stages, modules of `lpr.stages`, up to its weights.
        scoring: stages from there to its scores.
        history: what has a row an epoch.
        metrics: what says for how many epochs it was trained.
        scores: of it, as `lpr.statistics.Score` has them.
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


_TRAINED = {
    "detector": Trained(
        training=("split", "train"),
        scoring=("evaluate", "read"),
        history=HISTORY,
        metrics=METRICS / "training.json",
        scores=(METRICS / "detection.json", METRICS / "reading.json"),
        models=(DETECTOR,),
        tables=(HISTORY, PREDICTIONS, DETECTIONS, READINGS),
        sections=("split", "detector", "augment", "optimizer", "loss", "train"),
        train="train",
    ),
    "reader": Trained(
        training=("split", "draw_plates", "label_plates", "train_reader"),
        scoring=("export_reader", "evaluate_reader", "read"),
        history=READER_HISTORY,
        metrics=METRICS / "reader_training.json",
        scores=(DRAWN_SCORES, METRICS / "reading.json"),
        models=(READER, READER_ONNX),
        tables=(READER_HISTORY, DRAWN_READINGS, DETECTIONS, READINGS),
        sections=("split", "recognizer"),
        train="recognizer.train",
    ),
}


NETWORKS = {section for trained in _TRAINED.values() for section in trained.sections}
"""Sections of the configuration that the weights of either depend on."""


def trained_by(config: Config) -> Trained:
    """What `config.trains` names."""
    return _TRAINED[config.trains]


def training_of(config: Config) -> Training:
    """How that is trained."""
    training: Training = attrgetter(trained_by(config).train)(config)
    return training


def scored(values: dict[str, Any]) -> dict[str, Any]:
    """What of a configuration, of any age, scores depend on: not how it is tracked, nor a network not trained."""
    own = _TRAINED[values.get("trains", "detector")].sections
    return {name: value for name, value in values.items() if name in own or name not in UNSCORED}


def run_stages(names: Iterable[str], config: Config) -> None:
    """Run these stages in the current folder, one after another."""
    for name in names:
        import_module(f"lpr.stages.{name}").run(config)
