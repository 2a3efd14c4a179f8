"""From drawn plates to the batches of crops that the reader's network is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Recognizer
from lpr.cores import usable_cores
from lpr.plate_text import CHARACTERS
from lpr.recognizer.crops import draw_crop
from lpr.recognizer.plates import LetteredPlate

if TYPE_CHECKING:
    import tensorflow as tf


def crop_batches(plates: Sequence[LetteredPlate], config: Recognizer, steps: range) -> tf.data.Dataset:
    """Batches of crops, float32 (b, h, w, 3) in 0–1, and their characters, float32 (b, m, 5), for the given steps.

    A character is its box, as fractions of the crop, and its place in `CHARACTERS`; all zero where there are fewer than
    m. A crop is a function of (seed, step, place in the batch), and so is the plate that it shows.
    """
    import tensorflow as tf

    most = max(len(plate.text) for plate in plates)
    pool = ThreadPoolExecutor(usable_cores())

    def example(job: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([config.train.seed, *job])
        plate = plates[int(rng.integers(len(plates)))]
        crop, boxes = draw_crop(plate, config.height, config.breadth, rng, config.crops)
        return crop, np.pad(characters(plate.text, boxes, crop.shape[:2]), [(0, most - len(boxes)), (0, 0)])

    def fetch(step: np.int64) -> tuple[np.ndarray, np.ndarray]:
        jobs = [(int(step), place) for place in range(config.train.batch_size)]
        crops, truths = zip(*pool.map(example, jobs), strict=True)
        return np.stack(crops), np.stack(truths)

    def batch(step: Any) -> tuple[tf.Tensor, tf.Tensor]:
        crops, truths = tf.numpy_function(fetch, [step], (tf.uint8, tf.float32), stateful=False)
        crops = tf.ensure_shape(crops, (None, config.height, config.breadth, 3))
        return tf.cast(crops, tf.float32) / 255, tf.ensure_shape(truths, (None, most, 5))

    dataset = tf.data.Dataset.range(steps.start, steps.stop)
    return dataset.map(batch, num_parallel_calls=1, deterministic=True).prefetch(2)


def characters(text: str, boxes: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """A crop's characters as the network is taught them: float32 (n, 5).

    Args:
        boxes: of the text's characters, pixels of a crop of `sides` (height, width).
    """
    height, width = sides
    places = np.array([CHARACTERS.index(character) for character in text], float).reshape(-1, 1)
    return np.hstack([boxes / [width, height, width, height], places]).astype(np.float32)
