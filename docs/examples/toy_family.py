"""A detector family: a small network that predicts the centre and the size of one box an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from lpr.boxes import Detections
from lpr.config import Detector

# Data, loss and metric are those of another family with one box an image; each of them can be a function of one's own.
from lpr.detection.families.regression import load_examples, metric, training_batches, training_loss, validation_batches

if TYPE_CHECKING:
    import keras

__all__ = ["load_examples", "metric", "training_batches", "training_loss", "validation_batches"]

AUGMENTS = ("none", "standard")
INFERENCES = ("stretch",)
HAS_CONFIDENCE = False


class Settings(Detector):
    """Keys of the section `detector` with this family: the common ones, and one of its own."""

    filters: Annotated[int, Field(ge=1, le=256)]


def build(settings: Settings, precision: str, seed: int) -> keras.Model:
    """Images, float (n, s, s, 3) in 0–1, to corners as fractions of the image's sides, float32 (n, 4)."""
    import keras
    from keras import layers, ops

    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((settings.image_size_px, settings.image_size_px, 3), name="image")
    for block in range(3):
        x = layers.Conv2D(settings.filters * 2**block, 3, 2, "same", activation="relu", dtype=precision)(x)
    x = layers.Flatten(dtype=precision)(x)
    centre = layers.Dense(2, "sigmoid", dtype="float32")(x)
    half = layers.Dense(2, "sigmoid", dtype="float32")(x) / 2
    return keras.Model(inputs, ops.concatenate([centre - half, centre + half], axis=-1), name=settings.name)


def decode(outputs: np.ndarray, height: int, width: int) -> list[Detections]:
    """One box an image, in pixels, with a confidence of 1."""
    return [Detections(corners[None] * ([width, height] * 2), np.ones(1)) for corners in np.asarray(outputs, float)]


def all_boxes(outputs: np.ndarray, height: int, width: int) -> Detections:
    """The same boxes, all together."""
    return Detections(outputs * np.array([width, height] * 2), np.ones(len(outputs)))
