"""The networks: a detector is a Keras model and how to read a box off its output.

Every network here maps pictures, float (n, s, s, 3) in 0–1, to one box a picture, float32 (n, 4): top_x, top_y,
bottom_x, bottom_y as fractions of the picture's sides.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lpr.config import SeedDetector

if TYPE_CHECKING:
    import keras


def build_detector(config: SeedDetector, precision: str, seed: int) -> keras.Model:
    """The origin's network, composed by counts.

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


def save_detector(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file that two equal models have byte for byte: no dates in it. Atomic."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"unfinished-{path.name}")
    model.save(temporary, include_optimizer=False)
    with zipfile.ZipFile(temporary) as archive:
        parts = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(parts["metadata.json"])
    parts["metadata.json"] = json.dumps(metadata | {"date_saved": "1980-01-01@00:00:00"}).encode()
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    os.replace(temporary, path)
