"""A detector made by hand, which finds white plates in dark images to the pixel; and such images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.composition.params import write_params
from lpr.config import Config
from lpr.nn.saving import save_model
from lpr.paths import DETECTOR

if TYPE_CHECKING:
    import keras

CELL, WIDTH, HEIGHT = 8, 40, 24  # of the network's output, and of a plate in its input: pixels
SETTINGS = [
    *("experiment=none", "detector=centernet", "augment=random_crops", "loss=giou", "tracking=off", "train.threads=1"),
    "inference=multiscale",
    "inference.scales=1",
    "inference.image_size_px=160",
    "inference.confidence_threshold=0.5",
]


def build_finder(wild: float = 0.0) -> keras.Model:
    """A network of the family centernet: confidence is the brightness of the plate-sized window around a cell, whose
    box is that window.

    Args:
        wild: standard deviation of weights by which the boxes depend on the pixels, too; with millions, float32 is not
            exact to a hundredth of a pixel.
    """
    import keras
    from keras import layers

    inputs = keras.Input((None, None, 3), name="image")
    cells = layers.AveragePooling2D(CELL)(inputs)
    logits = layers.Conv2D(1, (HEIGHT // CELL, WIDTH // CELL), padding="same")
    sides = layers.Conv2D(4, 3, padding="same")
    model = keras.Model(inputs, layers.Concatenate()([logits(cells), sides(cells)]), name="centernet")
    kernel, _ = logits.get_weights()
    logits.set_weights([np.full_like(kernel, 20 / kernel.size), np.array([-14])])  # 6 for white, −14 for black
    kernel, _ = sides.get_weights()
    half = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT]) / 2 / CELL
    sides.set_weights([np.random.default_rng(0).normal(0, wild, kernel.shape), half])
    return model


def draw(*places: tuple[int, int], scale: int = 1, width: int = 160, height: int = 96) -> np.ndarray:
    """A dark image with plates whose upper left corners are at these cells; everything `scale` times as large."""
    image = np.random.default_rng(0).integers(0, 30, (height * scale, width * scale, 3), dtype=np.uint8)
    for column, row in places:
        left, top = column * CELL * scale, row * CELL * scale
        image[top : top + HEIGHT * scale, left : left + WIDTH * scale] = 255
    return image


def box(place: tuple[int, int], scale: int = 1) -> list[float]:
    """The box of the plate that `draw` puts there: top_x, top_y, bottom_x, bottom_y."""
    left, top = place[0] * CELL * scale, place[1] * CELL * scale
    return [left, top, left + WIDTH * scale, top + HEIGHT * scale]


def trained_project(model: keras.Model, settings: list[str]) -> Config:
    """Write what a training leaves into the current folder, which has the project's conf/."""
    save_model(model, Path(DETECTOR))
    return write_params(settings)
