"""From cached images to the batches that a detector is trained on.

Images are decoded and resized once, into memory or (where that would be too much) into mapped files. A batch is a
function of (seed, step) alone, wherever the images are: training that resumes at step 1000 gets the batches that an
uninterrupted one would have got from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.cores import usable_cores
from lpr.data.mapped_files import allocate, read_ahead
from lpr.nn.batches import python_batches
from lpr.resampling import BORDER

if TYPE_CHECKING:
    import tensorflow as tf

    from lpr.config import RandomCrops, StandardAugment


_STEPS_AHEAD = 3  # batches between that which is made and that whose images are read from disk
_COVER_MARGIN = 0.15  # around what is ignored, as a fraction of its height


@dataclass(frozen=True)
class Examples:
    """What a detector is trained on or validated by.

    Attributes:
        images: decoded, n of uint8 (h, w, 3), where the longer of h and w is the same for all.
        boxes: fractions of the image's longer side, float32 (n, 4), or (n, m, 4) for all plates, with zeros where an
            image has fewer than m.
        weights: how often an epoch has each image on average, float (n,); None where that is once.
        box_weights: of the sides of each image's boxes in the loss, float (n,) in 0–1; None where all weigh 1.
    """

    images: np.ndarray | Sequence[np.ndarray]
    boxes: np.ndarray
    weights: np.ndarray | None = None
    box_weights: np.ndarray | None = None

    @property
    def samples_per_epoch(self) -> int:
        """How many images an epoch has: the sum of the weights, rounded up."""
        return len(self.images) if self.weights is None else int(np.ceil(self.weights.sum() - 1e-9))


def source_weights(plates: pd.DataFrame, weights: dict[str, float] | None) -> np.ndarray | None:
    """The weight of each image, float (n,), by its source; None where all weigh 1.

    Args:
        plates: a row a plate; image, source.
        weights: source → weight; 1 for sources that are not in it.
    """
    sources = plates.drop_duplicates("image")["source"]
    return sources.map(lambda source: weights.get(source, 1.0)).to_numpy(float) if weights else None


def box_fractions(plates: pd.DataFrame) -> np.ndarray:
    """Boxes as fractions of the image's sides: float32 (n, 4) in 0–1."""
    sides = plates[["width", "height", "width", "height"]].to_numpy(float)
    return (plates[BOX_COLUMNS].to_numpy(float) / sides).astype(np.float32)


def decode_images(paths: Sequence[Path], image_size_px: int, max_memory_mb: int, scratch: Path) -> list[np.ndarray]:
    """All images, stretched to squares: uint8 (image_size_px, image_size_px, 3).

    They are in memory, or in files in the folder `scratch` where they would take more than `max_memory_mb`.
    """
    from PIL import Image

    def decode(path: Path, target: np.ndarray) -> None:
        with Image.open(path) as image:
            # Faster: the JPEG decoder halves the size while it stays at least twice the one that is needed.
            image.draft("RGB", (2 * image_size_px, 2 * image_size_px))
            target[:] = image.convert("RGB").resize((image_size_px, image_size_px), Image.Resampling.BILINEAR)

    images = allocate([(image_size_px, image_size_px, 3)] * len(paths), max_memory_mb, scratch)
    _decode_all(decode, paths, images)
    return images


class FittedImages(Sequence[np.ndarray]):
    """Images, uint8 (h, w, 3), resized so that the longer side of each is `size` pixels.

    Smaller ones are kept as they are, and enlarged whenever they are asked for.

    Args:
        paths: of the images.
        sides: their heights and widths, pixels, int (n, 2).
        size: pixels.
        max_memory_mb: what would take more is kept in files in the folder `scratch`.
    """

    def __init__(self, paths: Sequence[Path], sides: np.ndarray, size: int, max_memory_mb: int, scratch: Path) -> None:
        from PIL import Image

        from lpr.augment.random_crops import resized

        def decode(path: Path, target: np.ndarray) -> None:
            with Image.open(path) as image:
                image.draft("RGB", (2 * size, 2 * size))
                target[:] = resized(np.asarray(image.convert("RGB")), *target.shape[:2])

        self._size = size
        longer = sides.max(axis=1, keepdims=True)
        kept = np.where(longer > size, np.maximum(1, (sides * (size / longer)).round()), sides).astype(int)
        self.kept = allocate([(height, width, 3) for height, width in kept.tolist()], max_memory_mb, scratch)
        _decode_all(decode, paths, self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, index: Any) -> Any:
        from lpr.augment.random_crops import fit

        return fit(read_ahead(self.kept[index]), self._size)


def _decode_all(decode: Callable[[Path, np.ndarray], None], paths: Sequence[Path], images: list[np.ndarray]) -> None:
    """Decode each file into its image."""
    from tqdm import tqdm

    with ThreadPoolExecutor(usable_cores()) as pool:
        work = pool.map(decode, paths, images)
        for _ in tqdm(work, "decoding", len(paths), unit="image", leave=False):
            pass


def training_batches(
    examples: Examples,
    batch_size: int,
    steps_per_epoch: int,
    steps: range,
    augment: StandardAugment,
    seed: int,
    share: slice = slice(None),
) -> tf.data.Dataset:
    """Augmented batches: images, float32 (b, s, s, 3) in 0–1, and boxes, float32 (b, 4) in fractions; one a step.

    Every epoch is a new permutation of the images; its last batch is smaller where `batch_size` does not divide them.
    Each batch has the `share` of its examples alone.
    """
    import tensorflow as tf

    from lpr.augment.standard import augmented

    choose = _batch_indices(examples, batch_size, steps_per_epoch, seed)

    def fetch(step: int) -> tuple[np.ndarray, np.ndarray]:
        _read_ahead(examples.images, choose(step + _STEPS_AHEAD))
        chosen = choose(step)
        return np.stack([read_ahead(examples.images[index]) for index in chosen]), examples.boxes[chosen]

    def change(step: Any, batch: Any, boxes: Any) -> tuple[Any, Any]:
        batch, boxes = augmented(batch, boxes, augment, tf.stack([tf.cast(seed, tf.int64), step]))
        return batch[share], boxes[share]

    return python_batches(fetch, steps, examples.images[0].shape, (4,), change)


def _read_ahead(images: np.ndarray | Sequence[np.ndarray], indices: Iterable[int]) -> None:
    """Have the system begin to read images that are kept in files, for a batch that comes later."""
    kept = images.kept if isinstance(images, FittedImages) else images
    for index in indices:
        read_ahead(kept[index])


def _batch_indices(examples: Examples, batch_size: int, steps_per_epoch: int, seed: int) -> Callable[[int], np.ndarray]:
    """A function from a step to the indices of its batch: every epoch is a new permutation of its samples."""
    count = examples.samples_per_epoch
    weights = np.ones(count) if examples.weights is None else examples.weights

    @lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        rounds = -(-steps_per_epoch * batch_size // count)
        generator = np.random.default_rng([seed, epoch])
        return np.concatenate([_systematic_sample(weights, count, generator) for _ in range(rounds)])

    whole_epoch = steps_per_epoch == -(-count // batch_size)

    def choose(step: int) -> np.ndarray:
        epoch, place = divmod(step, steps_per_epoch)
        indices = order(epoch)[: count if whole_epoch else None]
        return indices[place * batch_size : (place + 1) * batch_size]

    return choose


def _systematic_sample(weights: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw `count` indices, each `weights` times on average and so often rounded up or down, in random order.

    This is systematic sampling; for equal weights it is a permutation.
    """
    order = generator.permutation(count)
    ends = np.cumsum(weights)
    points = (np.arange(count) + generator.random()) * (ends[-1] / count)
    chosen: np.ndarray = np.searchsorted(ends, points, side="right").clip(max=len(weights) - 1)[order]
    return chosen


def cover_boxes(images: Sequence[np.ndarray], rows: np.ndarray, boxes: np.ndarray) -> None:
    """Cover boxes with `BORDER`, with a margin of 15 % of their heights, so that what they hold teaches nothing.

    Args:
        images: uint8 (h, w, 3) each, changed in place.
        rows: of the images, int (k,).
        boxes: pixels of their images, float (k, 4).
    """
    margin = _COVER_MARGIN * (boxes[:, 3:] - boxes[:, 1:2])
    for row, (left, top, right, bottom) in zip(
        rows, (boxes + margin * [-1, -1, 1, 1]).clip(0).round().astype(int), strict=True
    ):
        images[row][top:bottom, left:right] = BORDER


def random_crop_batches(
    examples: Examples,
    size: int,
    settings: RandomCrops,
    batch_size: int,
    steps_per_epoch: int,
    steps: range,
    seed: int,
    share: slice = slice(None),
) -> tf.data.Dataset:
    """Batches of random crops, float32 (b, size, size, 3) in 0–1, and their plates, float32 (b, m, 5).

    The columns of a plate are its box, in fractions, and the weight of the box's sides in the loss; all are 0 where a
    crop has fewer than m. A crop is a function of (seed, step, place in the batch); a mosaic counts as one.
    Each batch has the `share` of its crops alone.
    """
    from lpr.augment.pasting import PastePool
    from lpr.augment.random_crops import random_crop, random_mosaic

    most = (examples.boxes.shape[1] + (settings.p_paste_extra > 0)) * (4 if settings.p_mosaic > 0 else 1)
    paste_pool = PastePool.synthesize(settings.paste_pool_size, seed) if settings.pastes else None
    choose = _batch_indices(examples, batch_size, steps_per_epoch, seed)

    def example(index: int) -> tuple[np.ndarray, np.ndarray]:
        image, boxes = examples.images[index], examples.boxes[index]
        boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)] * max(image.shape[:2])
        weight = 1.0 if examples.box_weights is None else examples.box_weights[index]
        return image, np.pad(boxes, [(0, 0), (0, 1)], constant_values=weight)

    def jobs(step: int) -> list[tuple[list[int], np.random.Generator]]:
        """Of each crop of a batch: its image, or the four of a mosaic, and the source of its other random numbers."""
        every = []
        for place, index in list(enumerate(choose(step).tolist()))[share]:
            random = np.random.default_rng([seed, step, place])
            mosaic = random.random() < settings.p_mosaic
            others = random.integers(len(examples.images), size=3).tolist() if mosaic else []
            every.append(([index, *others], random))
        return every

    def crop(job: tuple[list[int], np.random.Generator]) -> tuple[np.ndarray, np.ndarray]:
        indices, random = job
        if len(indices) > 1:
            image, boxes = random_mosaic([example(one) for one in indices], size, settings, random, paste_pool)
        else:
            image, boxes = random_crop(*example(indices[0]), size, settings, random, paste_pool)
        return image, np.pad(boxes, [(0, most - len(boxes)), (0, 0)])

    pool = ThreadPoolExecutor(usable_cores())

    def fetch(step: int) -> tuple[np.ndarray, np.ndarray]:
        for indices, _ in jobs(step + _STEPS_AHEAD):
            _read_ahead(examples.images, indices)
        images, boxes = zip(*pool.map(crop, jobs(step)), strict=True)
        return np.stack(images), np.stack(boxes).astype(np.float32)

    return python_batches(fetch, steps, (size, size, 3), (most, 5))


def full_image_batches(examples: Examples, size: int, batch_size: int) -> tf.data.Dataset:
    """All images once, in order, unaugmented and letterboxed to the network's size, and their boxes."""
    from lpr.augment.random_crops import letterbox

    def fetch(start: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = [examples.images[index] for index in range(start, min(start + batch_size, len(examples.images)))]
        # First at their own scale, so that they are resized with the grey beside them, as in training.
        squares = [letterbox(image, max(image.shape[:2])) for image in chosen]
        return np.stack([letterbox(square, size) for square in squares]), examples.boxes[start : start + batch_size]

    return python_batches(fetch, range(0, len(examples.images), batch_size), (size, size, 3), examples.boxes.shape[1:])


def evaluation_batches(examples: Examples, batch_size: int) -> tf.data.Dataset:
    """All images, float32 in 0–1, and boxes once, in order, unaugmented."""
    images, boxes = examples.images, examples.boxes

    def fetch(start: int) -> tuple[np.ndarray, np.ndarray]:
        return np.stack(list(images[start : start + batch_size])), boxes[start : start + batch_size]

    return python_batches(fetch, range(0, len(images), batch_size), images[0].shape, boxes.shape[1:])
