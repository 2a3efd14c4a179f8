"""Where the plates of photographs are, by a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.config import Inference
from lpr.cores import usable_cores
from lpr.detector.decoding import Plates
from lpr.detector.looks import Network, look

if TYPE_CHECKING:
    import keras

_AHEAD = 32  # pictures that are decoded before they are looked at, at most: they are large


def find_plates(model: keras.Model, paths: Sequence[Path], settings: Inference) -> list[Plates]:
    """The plates of each picture, the most confident first; boxes in the pixels of the picture."""
    from tqdm import tqdm

    network = keras_network(model)
    with (
        tqdm(desc="detecting", total=len(paths), unit="picture", leave=False) as bar,
        ThreadPoolExecutor(usable_cores()) as pool,
    ):
        found = []
        for start in range(0, len(paths), _AHEAD):
            for picture in pool.map(load_picture, paths[start : start + _AHEAD]):
                found.append(look(picture, network, settings))
                bar.update()
    return found


def keras_network(model: keras.Model) -> Network:
    """A Keras model, which takes fractions, as a network that takes pictures."""

    def network(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_on_batch(pictures.astype(np.float32) / 255))

    return network


def load_picture(path: Path) -> np.ndarray:
    """A cached picture: uint8 (h, w, 3) RGB."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
