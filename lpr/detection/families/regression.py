"""Direct regression of one box an image, which is stretched to a square: the network that this project began with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from lpr.boxes import BOX_COLUMNS, Detections
from lpr.config import Config, Detector, Loss, StandardAugment
from lpr.errors import UserError
from lpr.nn.losses import build_loss, mean_iou

if TYPE_CHECKING:
    import keras
    import pandas as pd
    import tensorflow as tf

    from lpr.data.input_pipeline import Examples

AUGMENTS = ("none", "standard")
INFERENCES = ("stretch",)
HAS_CONFIDENCE = False


class Settings(Detector):
    """Convolutions and max-pools, then dense layers, then the corners of one box."""

    name: Literal["regression"]
    image_size_px: Annotated[int, Field(ge=16, le=1024)]
    convs: Annotated[int, Field(ge=1, le=64)] = Field(
        description="number of convolutions, spread evenly over the blocks between the pools"
    )
    pools: Annotated[int, Field(ge=0, le=10)] = Field(description="number of max-pools, each of which halves the image")
    filters: Annotated[int, Field(ge=1, le=1024)] = Field(
        description="filters of the convolutions of the first block; doubled after every pool"
    )
    kernel_size: Annotated[int, Field(ge=1, le=15)] = Field(description="side of the convolutions' kernels, pixels")
    dense: list[Annotated[int, Field(ge=1)]] = Field(
        description="units of each hidden dense layer before the four outputs"
    )
    activation: Literal["relu", "elu", "gelu", "silu", "leaky_relu", "tanh"] = Field(
        description="activation of the convolutions and hidden dense layers"
    )
    batch_norm: bool = Field(description="whether each convolution is followed by batch normalization")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of the inputs of every hidden dense layer that is dropped in training"
    )

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

    The convolutions are distributed evenly over blocks, each of which ends with a pool; the remainder goes to the first
    ones. Filters double after every pool. Without pools there is one block.
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


def load_examples(
    plates: pd.DataFrame,
    ignored: pd.DataFrame,  # noqa: ARG001
    image_dir: Path,
    config: Config,
    scratch: Path,
) -> Examples:
    """Each image, stretched to a square, with the largest of its plates; images without plates are left out.

    Background teaches this family nothing, so that nothing has to be ignored.
    """
    from lpr.data.input_pipeline import Examples, box_fractions, decode_images, source_weights
    from lpr.data.plates import largest_plates

    if config.train.box_weights:
        raise UserError(
            "train.box_weights needs detector=centernet: detector=regression learns nothing but boxes; "
            "train.source_weights shows loosely annotated images less often"
        )
    boxed = plates.dropna(subset=BOX_COLUMNS)
    chosen = largest_plates(boxed)
    if len(chosen) < len(boxed):
        print(f"{len(boxed) - len(chosen)} plates are left out: the detector is trained on an image's largest alone")
    paths = [image_dir / name for name in chosen["image"]]
    images = decode_images(paths, config.detector.image_size_px, config.train.max_memory_mb, scratch)
    weights = source_weights(chosen, config.train.source_weights)
    return Examples(images, box_fractions(chosen), weights=weights)


def training_batches(
    examples: Examples, config: Config, steps_per_epoch: int, steps: range, share: slice = slice(None)
) -> tf.data.Dataset:
    """Augmented images, and their boxes, float32 (n, 4) as fractions; see `lpr.augment.standard`."""
    from lpr.data.input_pipeline import training_batches

    assert isinstance(config.augment, StandardAugment)
    train = config.train
    return training_batches(examples, train.batch_size, steps_per_epoch, steps, config.augment, train.seed, share)


def validation_batches(examples: Examples, config: Config) -> tf.data.Dataset:
    """All images once."""
    from lpr.data.input_pipeline import evaluation_batches

    return evaluation_batches(examples, config.train.batch_size)


def training_loss(config: Loss) -> keras.losses.Loss | Callable[[Any, Any], Any]:
    """The loss of the boxes."""
    return build_loss(config)


def metric() -> keras.metrics.Metric:
    """Mean IoU of the predicted with the true box."""
    import keras

    return keras.metrics.MeanMetricWrapper(mean_iou, name="mean_iou")


def decode(outputs: np.ndarray, height: int, width: int) -> list[Detections]:
    """One plate an image: the box between two opposite corners, in either order."""
    corners = np.sort(np.asarray(outputs, float).reshape(-1, 2, 2), axis=1).reshape(-1, 1, 4)
    return [Detections(boxes * ([width, height] * 2), np.ones(1)) for boxes in corners]


def all_boxes(outputs: np.ndarray, height: int, width: int) -> Detections:
    """The corners, not ordered."""
    return Detections(outputs * np.array([width, height] * 2), np.ones(len(outputs)))
