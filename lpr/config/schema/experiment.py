"""One whole experiment: all sections of the configuration."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from lpr.config.schema.augment import Augment
from lpr.config.schema.base import Section, Seed
from lpr.config.schema.data import Data
from lpr.config.schema.detector import AnyDetector
from lpr.config.schema.inference import Inference
from lpr.config.schema.metrics import Metrics
from lpr.config.schema.ocr import AnyOcr
from lpr.config.schema.recognizer import Recognizer
from lpr.config.schema.split import Split
from lpr.config.schema.tracking import Tracking
from lpr.config.schema.training import Loss, Optimizer, Train
from lpr.config.schema.tuner import Tuner

UNSCORED = ("code", "inputs", "recognizer", "tracking", "tuner", "weights")
"""Sections that no score of an experiment depends on, or that follow from other sections."""


class Config(Section):
    """One whole experiment."""

    target: Literal["detector", "recognizer"] = Field(description="network that `lpr experiment` and `lpr tune` train")
    seed: Seed = Field(description="random seed of everything: sections take theirs from it")
    inputs: list[dict[str, str]] = Field(
        description="local files of the sources, on which DVC stages depend; composed from `data`, not to be set"
    )
    weights: dict[str, str] = Field(
        description="weights that a training starts from and that an OCR engine has, on which DVC stages depend; "
        "composed from `train` and `ocr`, not to be set"
    )
    code: dict[str, str] = Field(
        description="files or folders of the plug-ins' code, on which DVC stages depend; composed, not to be set"
    )
    data: Data
    split: Split = Field(description="which images train, validate and test")
    detector: AnyDetector
    augment: Augment = Field(description="random changes of the training images")
    optimizer: Optimizer
    loss: Loss
    train: Train
    inference: Inference = Field(description="how the trained detector is run on an image")
    recognizer: Recognizer
    ocr: AnyOcr
    metrics: Metrics
    tracking: Tracking
    tuner: Tuner = Field(description="how `lpr tune` searches, over which keys, and for the best of which score")

    @model_validator(mode="after")
    def _sections_fit(self) -> Config:
        names = [source.name for source in self.data.sources]
        real = self.recognizer.real_sources
        for key, named in (
            ("train.source_weights", self.train.source_weights or {}),
            ("train.box_weights", self.train.box_weights or {}),
            ("recognizer.real_sources", real if isinstance(real, list) else []),
        ):
            for name in named:
                if name not in names:
                    raise ValueError(f"{key}: data.sources has no {name!r}; it has {', '.join(names)}")
        if (self.target == "recognizer") != (self.tuner.objective == "char_acc"):
            raise ValueError(
                f"tuner.objective={self.tuner.objective} is no score of what target={self.target} trains: a "
                "recognizer is tuned for char_acc, a detector for val_mean_iou or val_loss"
            )
        validated = self.split.validation > 0 or any(source.role == "validation" for source in self.data.sources)
        if self.train.early_stopping_patience is not None and not validated:
            raise ValueError(
                "train.early_stopping_patience needs validation images, and split.validation is 0: "
                "set split.validation, or train.early_stopping_patience=null"
            )
        return self

    def as_dict(self) -> dict[str, Any]:
        """Plain containers, as `params.yaml` has them."""
        return self.model_dump(by_alias=True)
