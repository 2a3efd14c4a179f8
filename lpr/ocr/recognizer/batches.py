"""From plates to the batches of crops that the recognizer's network is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from lpr.config import Recognizer
from lpr.cores import usable_cores
from lpr.nn.batches import python_batches
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.plates.countries import REGIONS
from lpr.synthesis.crops import draw_background_crop, draw_crop
from lpr.synthesis.lettered_plates import LetteredPlate

if TYPE_CHECKING:
    import tensorflow as tf

_P_ANY_SHAPE = 0.1  # of a plate of any shape in a crop, since a detected box may differ from the plate in aspect ratio


def crop_batches(
    plates: Sequence[LetteredPlate], real_plates: Sequence[LetteredPlate], config: Recognizer, steps: range
) -> tf.data.Dataset:
    """Batches for the given steps: crops, float32 (b, h, w, 3) in 0–1, and their characters, float32 (b, m, 6).

    A character is its box, as fractions of the crop, its index in `config.alphabet`, and that of its plate's region in
    `REGIONS`, -1 where that is unknown; all zero where there are fewer than m. All crops of a batch have one of
    `config.input_shapes_px`, each as often as it is nearest to a plate's. A batch is a function of (seed, step), a crop
    with its plate one of (seed, step, index in the batch).

    Args:
        plates: synthetic ones.
        real_plates: which the fraction `config.p_real` of the crops shows instead, if there are any.
        config: of the crops.
        steps: of the training, counted from 0.
    """
    most = max(len(plate.text) for plate in (*plates, *real_plates))
    shapes = [nearest_shape(config.input_shapes_px, *plate.size) for plate in plates]
    synthetic, real = _by_shape(plates, config), _by_shape(real_plates, config)
    pool = ThreadPoolExecutor(usable_cores())

    def example(step: int, index: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([config.train.seed, step, index])
        if rng.random() < config.crops.p_no_plate:
            return draw_background_crop(*shape, rng, config.crops), np.zeros((most, 6), np.float32)
        by_shape, every = (real, real_plates) if real and rng.random() < config.p_real else (synthetic, plates)
        candidates = by_shape[shape] if shape in by_shape and rng.random() >= _P_ANY_SHAPE else every
        plate = candidates[int(rng.integers(len(candidates)))]
        crop, boxes = draw_crop(plate, *shape, rng, config.crops)
        return crop, np.pad(character_targets(plate, boxes, shape, config.alphabet), [(0, most - len(boxes)), (0, 0)])

    def fetch(step: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([config.train.seed, step])
        shape = shapes[int(rng.integers(len(shapes)))]
        examples = pool.map(lambda index: example(step, index, shape), range(config.train.batch_size))
        crops, targets = zip(*examples, strict=True)
        return np.stack(crops), np.stack(targets)

    return python_batches(fetch, steps, (None, None, 3), (most, 6))


def _by_shape(plates: Sequence[LetteredPlate], config: Recognizer) -> dict[tuple[int, int], list[LetteredPlate]]:
    """For each shape, the plates to which it is the nearest."""
    groups: dict[tuple[int, int], list[LetteredPlate]] = {}
    for plate in plates:
        groups.setdefault(nearest_shape(config.input_shapes_px, *plate.size), []).append(plate)
    return groups


def character_targets(plate: LetteredPlate, boxes: np.ndarray, shape: tuple[int, int], alphabet: str) -> np.ndarray:
    """The characters of a crop as the loss takes them, float32 (n, 6), as `crop_batches` says.

    Args:
        plate: which the crop shows.
        boxes: of its n characters, (n, 4), pixels of the crop.
        shape: (height, width) of the crop.
        alphabet: of the network.
    """
    height, width = shape
    labels = np.array([alphabet.index(character) for character in plate.text], float).reshape(-1, 1)
    regions = np.full_like(labels, REGIONS.index(plate.region) if plate.region else -1)
    return np.hstack([boxes / [width, height, width, height], labels, regions]).astype(np.float32)
