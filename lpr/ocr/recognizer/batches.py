"""From plates to the batches of crops that the reader's network is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Recognizer
from lpr.cores import usable_cores
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.plates.text import CHARACTERS
from lpr.synthesis.crops import draw_crop, draw_empty
from lpr.synthesis.lettered_plates import LetteredPlate

if TYPE_CHECKING:
    import tensorflow as tf

_ANY = 0.1  # of the crops of a shape show any plate, since a box may be far from the plate's own proportions


def crop_batches(
    plates: Sequence[LetteredPlate], photographed: Sequence[LetteredPlate], config: Recognizer, steps: range
) -> tf.data.Dataset:
    """Batches of crops, float32 (b, h, w, 3) in 0–1, and their characters, float32 (b, m, 5), for the given steps.

    A character is its box, as fractions of the crop, and its place in `CHARACTERS`; all zero where there are fewer than
    m. All crops of a batch have one of `config.input_shapes_px`, each as often as it suits the plates. A batch is a function of
    (seed, step), a crop of (seed, step, place in the batch), and so is the plate that it shows.

    Args:
        photographed: which `config.p_real` of the crops show in place of the others, if there are any.
    """
    import tensorflow as tf

    most = max(len(plate.text) for plate in (*plates, *photographed))
    shapes = [nearest_shape(config.input_shapes_px, *plate.size) for plate in plates]
    drawn, real = _by_shape(plates, config), _by_shape(photographed, config)
    pool = ThreadPoolExecutor(usable_cores())

    def example(step: int, place: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([config.train.seed, step, place])
        if rng.random() < config.crops.p_no_plate:
            return draw_empty(*shape, rng, config.crops), np.zeros((most, 5), np.float32)
        kind, every = (real, photographed) if real and rng.random() < config.p_real else (drawn, plates)
        some = kind[shape] if shape in kind and rng.random() >= _ANY else every
        plate = some[int(rng.integers(len(some)))]
        crop, boxes = draw_crop(plate, *shape, rng, config.crops)
        return crop, np.pad(characters(plate.text, boxes, shape), [(0, most - len(boxes)), (0, 0)])

    def fetch(step: np.int64) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([config.train.seed, int(step)])
        shape = shapes[int(rng.integers(len(shapes)))]
        drawn = pool.map(lambda place: example(int(step), place, shape), range(config.train.batch_size))
        crops, truths = zip(*drawn, strict=True)
        return np.stack(crops), np.stack(truths)

    def batch(step: Any) -> tuple[tf.Tensor, tf.Tensor]:
        crops, truths = tf.numpy_function(fetch, [step], (tf.uint8, tf.float32), stateful=False)
        crops = tf.ensure_shape(crops, (None, None, None, 3))
        return tf.cast(crops, tf.float32) / 255, tf.ensure_shape(truths, (None, most, 5))

    dataset = tf.data.Dataset.range(steps.start, steps.stop)
    return dataset.map(batch, num_parallel_calls=1, deterministic=True).prefetch(2)


def _by_shape(plates: Sequence[LetteredPlate], config: Recognizer) -> dict[tuple[int, int], list[LetteredPlate]]:
    """The plates that each of the shapes is the nearest of."""
    sorted_out: dict[tuple[int, int], list[LetteredPlate]] = {}
    for plate in plates:
        sorted_out.setdefault(nearest_shape(config.input_shapes_px, *plate.size), []).append(plate)
    return sorted_out


def characters(text: str, boxes: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """A crop's characters as the network is taught them: float32 (n, 5).

    Args:
        boxes: of the text's characters, pixels of a crop of `sides` (height, width).
    """
    height, width = sides
    places = np.array([CHARACTERS.index(character) for character in text], float).reshape(-1, 1)
    return np.hstack([boxes / [width, height, width, height], places]).astype(np.float32)
