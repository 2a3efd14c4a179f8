"""Optimizer, loss, and how long a network is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lpr.config.schema.base import Count, Fraction, LocalPath, Positive, Section, Seed


class Optimizer(Section):
    """Keras's optimizer and its arguments."""

    name: Literal["adam", "sgd"] = Field(description="Adam (Kingma & Ba 2015), or SGD with Nesterov momentum")
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(
        description="learning rate, the highest of the schedule"
    )
    beta_1: Annotated[float, Field(ge=0, lt=1)] = Field(description="adam: decay of the first moment; sgd: momentum")
    beta_2: Annotated[float, Field(ge=0, lt=1)] = Field(description="adam: decay of the second moment; sgd: no effect")
    epsilon: Positive = Field(description="adam: added to the denominator for numerical stability; sgd: no effect")
    clip_norm: Positive | None = Field(
        description="largest norm of the whole gradient, above which it is scaled; null: none"
    )


class Loss(Section):
    """What the box coordinates, in fractions of the image's sides, are trained to minimise."""

    name: Literal["mse", "mae", "huber", "giou", "ciou"] = Field(description="option of the group `loss`")
    delta: Positive = Field(
        description="huber: error at which the square turns into a line, in fractions of the side; others: no effect"
    )


class Training(Section):
    """How long, in what steps and how precisely a network is trained."""

    epochs: Count = Field(
        description="number of epochs, each ending with a row of the history and, if any, a validation"
    )
    batch_size: Count = Field(description="images a batch")
    steps_per_epoch: Count | None = Field(description="batches an epoch; null: as many as have every image once")
    schedule: Literal["constant", "cosine"] = Field(
        description="learning rate over the training: constant, or falling to 0 along a cosine"
    )
    warmup_epochs: Annotated[int, Field(ge=0)] = Field(
        description="epochs at the start in which the learning rate rises linearly from 0; needs schedule=cosine"
    )
    precision: Literal["auto", "float32", "mixed_bfloat16"] = Field(
        description="number format of the training; auto: mixed_bfloat16 where the CPU has instructions for it"
    )
    threads: Count | None = Field(description="threads of TensorFlow; null: one a core")
    seed: Seed = Field(description="random seed of the weights, the order of the images and the augmentation")

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
        description="leave out training and validation images with a plate for which the `boxes` file of their source, "
        "if it has one, has no box"
    )
    source_weights: dict[str, Positive] | None = Field(
        description="source name → how often an epoch has each of its images, 1 where not named; null: 1 for all"
    )
    box_weights: dict[str, Fraction] | None = Field(
        description="source name → weight of its boxes' sides in the loss, 0–1, for loosely drawn boxes: 0 teaches "
        "where plates are, and nothing of their sides; 1 where not named; null: 1 for all; detector=centernet only"
    )
    init_weights: Annotated[str | None, LocalPath()] = Field(
        description="`.keras` file of a detector whose weights the training starts from; null: random ones"
    )
    keep: Literal["best", "last"] = Field(
        description="epoch whose weights are kept: that of the best validation score, or the last; without validation "
        "images, the last"
    )
    early_stopping_patience: Count | None = Field(
        description="epochs without a better validation score after which the training stops; null: it never does"
    )
    max_memory_mb: Count = Field(
        description="largest size of the decoded images in memory, MiB; a larger set is kept in a file on disk"
    )
