"""The plates of cached images, found by a trained Keras model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.boxes import Detections
from lpr.config import Inference
from lpr.cores import usable_cores
from lpr.detection.families import Family
from lpr.detection.multiscale import Forward, detect

if TYPE_CHECKING:
    import keras

_AHEAD = 32  # images that are decoded ahead of the network, at most: they are large


def detect_plates(model: keras.Model, paths: Sequence[Path], family: Family, settings: Inference) -> list[Detections]:
    """The plates of each image, by falling confidence; boxes in pixels of the image."""
    from tqdm import tqdm

    network = keras_network(model)
    with (
        tqdm(desc="detecting", total=len(paths), unit="image", leave=False) as bar,
        ThreadPoolExecutor(usable_cores()) as pool,
    ):
        found = []
        for start in range(0, len(paths), _AHEAD):
            for image in pool.map(load_image, paths[start : start + _AHEAD]):
                found.append(detect(image, network, family, settings))
                bar.update()
    return found


def keras_network(model: keras.Model) -> Forward:
    """A Keras model, which takes floats in 0–1, as a network that takes uint8 images."""

    def network(images: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_on_batch(images.astype(np.float32) / 255))

    return network


def load_image(path: Path) -> np.ndarray:
    """A cached image: uint8 (h, w, 3) RGB."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
