"""From cached pictures to the batches that a detector is trained on.

Pictures are decoded and resized once, into one array of bytes, in memory or (where that is too large) in a file. A
batch is a function of (seed, step) alone: a training that starts again at step 1000 sees the batches that an
uninterrupted one would have seen from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.cores import usable_cores

if TYPE_CHECKING:
    import tensorflow as tf

    from lpr.config import Augment


def largest_plates(plates: pd.DataFrame) -> pd.DataFrame:
    """The largest plate of each picture, a row a picture, in order of appearance: what a one-box detector learns."""
    area = (plates["bottom_x"] - plates["top_x"]) * (plates["bottom_y"] - plates["top_y"])
    chosen = plates.assign(area=area).sort_values("area", ascending=False, kind="stable").drop_duplicates("image")
    return chosen.sort_index().drop(columns="area").reset_index(drop=True)


def box_fractions(plates: pd.DataFrame) -> np.ndarray:
    """Boxes as fractions of the picture's sides: float32 (n, 4) in 0–1."""
    sides = plates[["width", "height", "width", "height"]].to_numpy(float)
    return (plates[BOX_COLUMNS].to_numpy(float) / sides).astype(np.float32)


def decode_pictures(paths: Sequence[Path], image_size: int, max_memory_mb: int, scratch: Path) -> np.ndarray:
    """All pictures, stretched to squares: uint8 (n, image_size, image_size, 3).

    In memory, or in the file `scratch` where that would take more than `max_memory_mb`.
    """
    from PIL import Image
    from tqdm import tqdm

    shape = (len(paths), image_size, image_size, 3)
    pictures: np.ndarray
    if np.prod(shape) > max_memory_mb * 2**20:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        pictures = np.lib.format.open_memmap(scratch, mode="w+", dtype=np.uint8, shape=shape)
    else:
        pictures = np.empty(shape, np.uint8)

    def decode(index: int) -> None:
        with Image.open(paths[index]) as picture:
            # Decode no finer than twice what is needed: faster, and the resampling below still has the last word.
            picture.draft("RGB", (2 * image_size, 2 * image_size))
            pictures[index] = picture.convert("RGB").resize((image_size, image_size), Image.Resampling.BILINEAR)

    with ThreadPoolExecutor(usable_cores()) as pool:
        work = pool.map(decode, range(len(paths)))
        for _ in tqdm(work, "decoding", len(paths), unit="picture", leave=False):
            pass
    return pictures


def training_batches(
    pictures: np.ndarray,
    boxes: np.ndarray,
    batch_size: int,
    steps_per_epoch: int,
    steps: range,
    augment: Augment,
    seed: int,
) -> tf.data.Dataset:
    """Batches of pictures, float32 (b, s, s, 3) in 0–1, and boxes, float32 (b, 4) in fractions, for the given steps.

    Every epoch goes through a fresh permutation of the pictures; the last batch is short where they do not divide.
    """
    import tensorflow as tf

    from lpr.data.augment import augmented

    @lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        rounds = -(-steps_per_epoch * batch_size // len(pictures))
        generator = np.random.default_rng([seed, epoch])
        return np.concatenate([generator.permutation(len(pictures)) for _ in range(rounds)])

    whole_epoch = steps_per_epoch == -(-len(pictures) // batch_size)

    def fetch(step: np.int64) -> tuple[np.ndarray, np.ndarray]:
        epoch, place = divmod(int(step), steps_per_epoch)
        indices = order(epoch)[: len(pictures) if whole_epoch else None]
        chosen = indices[place * batch_size : (place + 1) * batch_size]
        return pictures[chosen], boxes[chosen]

    def batch(step: Any) -> tuple[tf.Tensor, tf.Tensor]:
        chosen, corners = tf.numpy_function(fetch, [step], (tf.uint8, tf.float32), stateful=False)
        chosen = tf.ensure_shape(chosen, (None, *pictures.shape[1:]))
        corners = tf.ensure_shape(corners, (None, 4))
        return augmented(tf.cast(chosen, tf.float32) / 255, corners, augment, tf.stack([tf.cast(seed, tf.int64), step]))

    dataset = tf.data.Dataset.range(steps.start, steps.stop)
    return dataset.map(batch, num_parallel_calls=1, deterministic=True).prefetch(2)


def evaluation_batches(pictures: np.ndarray, boxes: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """All pictures and boxes once, in order, as they are."""
    import tensorflow as tf

    def fetch(start: np.int64) -> tuple[np.ndarray, np.ndarray]:
        return pictures[start : start + batch_size], boxes[start : start + batch_size]

    def batch(start: Any) -> tuple[tf.Tensor, tf.Tensor]:
        chosen, corners = tf.numpy_function(fetch, [start], (tf.uint8, tf.float32), stateful=False)
        chosen = tf.ensure_shape(chosen, (None, *pictures.shape[1:]))
        return tf.cast(chosen, tf.float32) / 255, tf.ensure_shape(corners, (None, 4))

    return tf.data.Dataset.range(0, len(pictures), batch_size).map(batch).prefetch(2)
