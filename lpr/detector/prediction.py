"""Where the plates of photographs are, by a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.cores import usable_cores
from lpr.detector.decoding import Plates, decode_centers, decode_corners

if TYPE_CHECKING:
    import keras

_BATCH_SIZE = 32  # of predictions; it changes nothing but memory


def find_plates(model: keras.Model, paths: Sequence[Path]) -> list[Plates]:
    """The plates of each picture, the most confident first; boxes in the pixels of the picture."""
    from tqdm import tqdm

    found: list[Plates] = []
    with (
        tqdm(desc="detecting", total=len(paths), unit="picture", leave=False) as bar,
        ThreadPoolExecutor(usable_cores()) as pool,
    ):
        load = partial(load_picture, family=model.name, size=model.input_shape[1])
        for start in range(0, len(paths), _BATCH_SIZE):
            part = paths[start : start + _BATCH_SIZE]
            pictures, scales = zip(*pool.map(load, part), strict=True)
            outputs = np.asarray(model.predict_on_batch(np.stack(pictures).astype(np.float32) / 255))
            decoded = decode_corners(outputs) if model.name == "seed" else decode_centers(outputs)
            found += [Plates(one.boxes * scale, one.confidences) for one, scale in zip(decoded, scales, strict=True)]
            bar.update(len(part))
    return found


def load_picture(path: Path, family: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture as a network of the family sees it, uint8 (size, size, 3), and the pixels of 1.0 in its output (4,)."""
    from PIL import Image

    from lpr.data.views import letterbox

    with Image.open(path) as picture:
        width, height = picture.size
        picture.draft("RGB", (2 * size, 2 * size))
        if family == "seed":
            stretched = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
            return np.asarray(stretched), np.array([width, height, width, height], float)
        return letterbox(np.asarray(picture.convert("RGB")), size)[0], np.full(4, max(width, height), float)
