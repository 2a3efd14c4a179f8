"""The origin's detector: one box a image, of the image stretched to a square."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from lpr.boxes import BOX_COLUMNS, Detections
from lpr.config import Config, Detector, Loss, StandardAugment
from lpr.data.input_pipeline import Examples, box_fractions, decode_images, evaluation_batches, source_weights
from lpr.data.plates import largest_plates
from lpr.nn.losses import build_loss, mean_iou

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


AUGMENTS = ("none", "standard")
INFERENCES = ("stretch",)
HAS_CONFIDENCE = False


class Settings(Detector):
    """The origin's network: convolutions spread over max-pools, then dense layers, then the four corners."""

    name: Literal["regression"]
    image_size_px: Annotated[int, Field(ge=16, le=1024, description="side of the square input, pixels")]
    convs: Annotated[int, Field(ge=1, le=64)]
    pools: Annotated[int, Field(ge=0, le=10)]
    filters: Annotated[int, Field(ge=1, le=1024, description="of the first block; doubled after every pool")]
    kernel_size: Annotated[int, Field(ge=1, le=15)]
    dense: list[Annotated[int, Field(ge=1)]]
    activation: Literal["relu", "elu", "gelu", "silu", "leaky_relu", "tanh"]
    batch_norm: bool
    dropout: Annotated[float, Field(ge=0, lt=1, description="before every dense layer")]

    @model_validator(mode="after")
    def _can_be_built(self) -> Settings:
        if self.pools > self.convs:
            raise ValueError(
                f"detector.pools={self.pools} is more than detector.convs={self.convs}: "
                "every pool follows at least one convolution"
            )
        if self.image_size_px < 2**self.pools:
            raise ValueError(
                f"detector.pools={self.pools} halves the image {self.pools} times, and detector.image_size_px="
                f"{self.image_size_px} cannot be: at most {self.image_size_px.bit_length() - 1} pools"
            )
        return self


def build(settings: Settings, precision: str, seed: int) -> keras.Model:
    """Images, float (n, s, s, 3) in 0–1, to corners, float32 (n, 4): top_x, top_y, bottom_x, bottom_y as fractions.

    Args:
        settings: convolutions are spread evenly over the pools, the earlier blocks taking what is left over; the
            filters double after every pool. Without pools there is one block.
        precision: Keras dtype policy of all layers but the last, which stays in float32.
        seed: of the weights and of dropout.
    """
    import keras
    from keras import layers

    blocks = max(settings.pools, 1)
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def weights() -> dict[str, Any]:
        return {"dtype": precision, "kernel_initializer": keras.initializers.GlorotUniform(seed=next(seeds))}

    x = inputs = keras.Input((settings.image_size_px, settings.image_size_px, 3), name="image")
    for block in range(blocks):
        for number in range(settings.convs // blocks + (block < settings.convs % blocks)):
            name = f"conv{block + 1}_{number + 1}"
            x = layers.Conv2D(
                settings.filters * 2**block, settings.kernel_size, padding="same", name=name, **weights()
            )(x)
            if settings.batch_norm:
                x = layers.BatchNormalization(name=f"{name}_norm", dtype=precision)(x)
            x = layers.Activation(settings.activation, name=f"{name}_{settings.activation}", dtype=precision)(x)
        if settings.pools:
            x = layers.MaxPooling2D(name=f"pool{block + 1}", dtype=precision)(x)
    x = layers.Flatten(name="flatten", dtype=precision)(x)
    for number, units in enumerate(settings.dense, start=1):
        if settings.dropout:
            x = layers.Dropout(settings.dropout, seed=next(seeds), name=f"dropout{number}", dtype=precision)(x)
        x = layers.Dense(units, activation=settings.activation, name=f"dense{number}", **weights())(x)
    corners = layers.Dense(
        4,
        activation="sigmoid",
        name="corners",
        dtype="float32",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
    )(x)
    return keras.Model(inputs, corners, name=settings.name)


def load_examples(plates: pd.DataFrame, image_dir: Path, config: Config, scratch: Path) -> Examples:
    """Each image with its largest plate, which is the one to find; images without plates are left out."""
    seen = plates.dropna(subset=BOX_COLUMNS)
    chosen = largest_plates(seen)
    if len(chosen) < len(seen):
        print(f"{len(seen) - len(chosen)} plates are not their image's largest, which is the one to find")
    paths = [image_dir / name for name in chosen["image"]]
    images = decode_images(paths, config.detector.image_size_px, config.train.max_memory_mb, scratch)
    weights = source_weights(chosen, config.train.source_weights)
    return Examples(images, box_fractions(chosen), weights=weights)


def training_batches(examples: Examples, config: Config, steps_per_epoch: int, steps: range) -> tf.data.Dataset:
    """See `lpr.data.input_pipeline.training_batches`."""
    from lpr.data.input_pipeline import training_batches

    assert isinstance(config.augment, StandardAugment)
    train = config.train
    return training_batches(examples, train.batch_size, steps_per_epoch, steps, config.augment, train.seed)


def validation_batches(examples: Examples, config: Config) -> tf.data.Dataset:
    """All images once, as they are."""
    return evaluation_batches(examples.images, examples.boxes, config.train.batch_size)


def training_loss(config: Loss) -> keras.losses.Loss | Callable[[Any, Any], Any]:
    """Of the corners."""
    return build_loss(config)


def metric() -> keras.metrics.Metric:
    """IoU of the predicted with the true box."""
    import keras

    return keras.metrics.MeanMetricWrapper(mean_iou, name="mean_iou")


def decode(outputs: np.ndarray, height: int, width: int) -> list[Detections]:
    """One plate an image, for better or worse: the box between the two corners, whichever comes first."""
    corners = np.sort(np.asarray(outputs, float).reshape(-1, 2, 2), axis=1).reshape(-1, 1, 4)
    return [Detections(boxes * [width, height, width, height], np.ones(1)) for boxes in corners]


def all_boxes(outputs: np.ndarray, height: int, width: int) -> Detections:
    """The corners as they are."""
    return Detections(outputs * np.array([width, height, width, height]), np.ones(len(outputs)))
