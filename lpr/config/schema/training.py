"""Optimizer, loss, and how long a network is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lpr.config.schema.base import Count, Positive, Section, Seed


class Optimizer(Section):
    """Keras's optimizer of that name, and its arguments."""

    name: Literal["adam", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    beta_1: Annotated[float, Field(ge=0, lt=1, description="sgd: momentum")]
    beta_2: Annotated[float, Field(ge=0, lt=1)]
    epsilon: Positive
    clip_norm: Positive | None


class Loss(Section):
    """What the corners (fractions of the image's side) are trained to minimise."""

    name: Literal["mse", "mae", "huber", "giou", "ciou"]
    delta: Positive = Field(description="huber: where the square turns into a line")


class Training(Section):
    """How long, in what steps and how precisely a network is trained."""

    epochs: Count
    batch_size: Count
    steps_per_epoch: Count | None
    schedule: Literal["constant", "cosine"]
    warmup_epochs: Annotated[int, Field(ge=0)]
    precision: Literal["auto", "float32", "mixed_bfloat16"]
    threads: Count | None
    seed: Seed

    @model_validator(mode="after")
    def _warmup_fits(self) -> Training:
        if self.warmup_epochs and self.schedule == "constant":
            raise ValueError("warmup_epochs needs schedule=cosine: a constant rate has no warm-up")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs={self.warmup_epochs} leaves nothing of epochs={self.epochs}")
        return self


class Train(Training):
    """The detector's training."""

    only_override_boxes: bool = Field(
        description="leave out images whose plates data.boxes should have had, and has not"
    )
    source_weights: dict[str, Positive] | None = Field(
        description="source → how often an epoch shows its images; else once"
    )
    early_stopping_patience: Count | None
    max_memory_mb: Count
