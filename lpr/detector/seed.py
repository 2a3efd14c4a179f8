"""The origin's detector: one box a picture, of the picture stretched to a square."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.config import Augment, Config, Loss, SeedDetector
from lpr.data.batches import (
    Examples,
    box_fractions,
    decode_pictures,
    evaluation_batches,
    largest_plates,
    source_weights,
)
from lpr.detector.losses import build_loss, mean_iou

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def build(config: SeedDetector, precision: str, seed: int) -> keras.Model:
    """Pictures, float (n, s, s, 3) in 0–1, to corners, float32 (n, 4): top_x, top_y, bottom_x, bottom_y as fractions.

    Args:
        config: convolutions are spread evenly over the pools, the earlier blocks taking what is left over; the
            filters double after every pool. Without pools there is one block.
        precision: Keras dtype policy of all layers but the last, which stays in float32.
        seed: of the weights and of dropout.
    """
    import keras
    from keras import layers

    blocks = max(config.pools, 1)
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def weights() -> dict[str, Any]:
        return {"dtype": precision, "kernel_initializer": keras.initializers.GlorotUniform(seed=next(seeds))}

    x = inputs = keras.Input((config.image_size, config.image_size, 3), name="picture")
    for block in range(blocks):
        for number in range(config.convs // blocks + (block < config.convs % blocks)):
            name = f"conv{block + 1}_{number + 1}"
            x = layers.Conv2D(config.filters * 2**block, config.kernel_size, padding="same", name=name, **weights())(x)
            if config.batch_norm:
                x = layers.BatchNormalization(name=f"{name}_norm", dtype=precision)(x)
            x = layers.Activation(config.activation, name=f"{name}_{config.activation}", dtype=precision)(x)
        if config.pools:
            x = layers.MaxPooling2D(name=f"pool{block + 1}", dtype=precision)(x)
    x = layers.Flatten(name="flatten", dtype=precision)(x)
    for number, units in enumerate(config.dense, start=1):
        if config.dropout:
            x = layers.Dropout(config.dropout, seed=next(seeds), name=f"dropout{number}", dtype=precision)(x)
        x = layers.Dense(units, activation=config.activation, name=f"dense{number}", **weights())(x)
    corners = layers.Dense(
        4,
        activation="sigmoid",
        name="corners",
        dtype="float32",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
    )(x)
    return keras.Model(inputs, corners, name=config.name)


def load_examples(plates: pd.DataFrame, images: Path, config: Config, scratch: Path) -> Examples:
    """Each picture with its largest plate, which is the one to find; pictures without plates are left out."""
    seen = plates.dropna(subset=BOX_COLUMNS)
    chosen = largest_plates(seen)
    if len(chosen) < len(seen):
        print(f"{len(seen) - len(chosen)} plates are not their picture's largest, which is the one to find")
    paths = [images / name for name in chosen["image"]]
    pictures = decode_pictures(paths, config.detector.image_size, config.train.max_memory_mb, scratch)
    weights = source_weights(chosen, config.train.source_weights)
    return Examples(pictures, box_fractions(chosen), weights=weights)


def training_batches(examples: Examples, config: Config, steps_per_epoch: int, steps: range) -> tf.data.Dataset:
    """See `lpr.data.batches.training_batches`."""
    from lpr.data.batches import training_batches

    assert isinstance(config.augment, Augment)
    train = config.train
    return training_batches(examples, train.batch_size, steps_per_epoch, steps, config.augment, train.seed)


def validation_batches(examples: Examples, config: Config) -> tf.data.Dataset:
    """All pictures once, as they are."""
    return evaluation_batches(examples.pictures, examples.boxes, config.train.batch_size)


def training_loss(config: Loss) -> keras.losses.Loss | Callable[[Any, Any], Any]:
    """Of the corners."""
    return build_loss(config)


def metric() -> keras.metrics.Metric:
    """IoU of the predicted with the true box."""
    import keras

    return keras.metrics.MeanMetricWrapper(mean_iou, name="mean_iou")
