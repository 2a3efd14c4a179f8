"""Images that show the same: near-duplicates by a perceptual hash, and a check of them by their edges.

The two have only the decoded image in common: the hash is of the signs of low frequencies, the descriptor of the
directions of edges. So the one measures what groups that were made by the other miss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

HASH_BITS = 64
SAME_SCENE = 0.85
"""Similarity of edges from which two images are taken to show the same scene.

Of 2,200 images of ten public sets, those of two sets that have no image in common reach at most 0.83; copies that are
recoloured, inverted or darkened have 0.9 to 1, frames of one car a second apart mostly 0.85 to 1.
"""

_SIDE_PX, _CELL_PX, _DIRECTIONS = 64, 8, 4
_ENOUGH_PX = 128  # of an image's shorter side: the hash is of 32 × 32 pixels, the descriptor of 64 × 64
_BLOCK = 1 << 17  # comparisons at a time, which bounds the memory
_TILE = 1 << 10  # images on each side of a block of products, which is large enough for matrix products to be fast
_COMPONENTS = 48  # which leave 3 of 10,000 pairs of unrelated images to be compared
_ROUNDING = 1e-4


class Fingerprints(NamedTuple):
    """Of n images.

    Attributes:
        hashes: bool (n, 64), `perceptual_hash` of each.
        edges: float32 (n, 256), `edge_descriptor` of each.
    """

    hashes: np.ndarray
    edges: np.ndarray

    @classmethod
    def of(cls, found: Sequence[tuple[np.ndarray, np.ndarray]]) -> Fingerprints:
        """Those of single images, as of `fingerprint`."""
        hashes, edges = zip(*found, strict=True) if found else ((), ())
        return cls(
            np.array(hashes, bool).reshape(-1, HASH_BITS),
            np.array(edges, np.float32).reshape(-1, (_SIDE_PX // _CELL_PX) ** 2 * _DIRECTIONS),
        )


def fingerprint(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """`perceptual_hash` and `edge_descriptor` of an image, reduced first as `fingerprints` has the decoder do it."""
    scale = next(scale for scale in (8, 4, 2, 1) if scale == 1 or min(image.size) >= scale * _ENOUGH_PX)
    small = image.convert("L").reduce(scale)
    return perceptual_hash(small), edge_descriptor(small)


def fingerprints(paths: Sequence[Path]) -> Fingerprints:
    """The hash and the edge descriptor of each image, decoded once."""
    from tqdm import tqdm

    def of(path: Path) -> tuple[np.ndarray, np.ndarray]:
        with Image.open(path) as image:
            image.draft("L", (_ENOUGH_PX, _ENOUGH_PX))
            return perceptual_hash(image), edge_descriptor(image)

    with ThreadPoolExecutor() as pool:
        return Fingerprints.of(list(tqdm(pool.map(of, paths), "hashing", len(paths), unit="image", leave=False)))


def perceptual_hash(image: Image.Image) -> np.ndarray:
    """The DCT hash (imagehash.phash): bool (64,)."""
    import imagehash

    return imagehash.phash(image).hash.reshape(-1)


def edge_descriptor(image: Image.Image) -> np.ndarray:
    """How strong edges of four directions are in each of 8 × 8 cells (Dalal & Triggs 2005), float32 (256,).

    Of mean 0 and length 1, so that the dot product of two is their correlation. Contrast has little weight and its sign
    none: another brightness, another colour or a negative of the image changes little.
    """
    grey = image.convert("L").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    pixels = np.asarray(grey, np.float32)
    down, right = np.zeros_like(pixels), np.zeros_like(pixels)
    down[1:-1] = pixels[2:] - pixels[:-2]
    right[:, 1:-1] = pixels[:, 2:] - pixels[:, :-2]
    strength = np.hypot(right, down)
    direction = np.arctan2(down, right) % np.pi * (_DIRECTIONS / np.pi)
    cells = _SIDE_PX // _CELL_PX
    sums = []
    for bin_ in range(_DIRECTIONS):
        apart = np.abs((direction - bin_ + _DIRECTIONS / 2) % _DIRECTIONS - _DIRECTIONS / 2)
        share = strength * np.maximum(0, 1 - apart)
        sums.append(share.reshape(cells, _CELL_PX, cells, _CELL_PX).sum(axis=(1, 3)))
    descriptor = np.sqrt(np.stack(sums)).reshape(-1)
    descriptor -= descriptor.mean()
    return descriptor / max(float(np.linalg.norm(descriptor)), 1e-6)


def near_duplicate_pairs(hashes: np.ndarray, distance: int) -> Iterator[np.ndarray]:
    """The pairs of images whose hashes differ in at most `distance` bits, in blocks of bounded size.

    Multi-index hashing (Norouzi, Punjani & Fleet 2012): the bits are cut into distance + 1 bands, one of which must be
    equal in two hashes that differ in so few bits; so hashes are compared with those that share a band alone.

    Args:
        hashes: bool (n, 64).
        distance: 0 to 64.

    Yields:
        int (k, 2): the lower index first; each pair once.
    """
    packed = np.packbits(hashes, axis=1).view(np.uint64).reshape(-1)
    bands = np.array_split(np.arange(HASH_BITS), distance + 1)
    keys = np.array([hashes[:, band] @ (np.uint64(1) << np.arange(len(band), dtype=np.uint64)) for band in bands])
    sizes = [np.unique(key, return_counts=True)[1].astype(float) for key in keys]
    if sum((size**2).sum() for size in sizes) > len(hashes) ** 2:
        keys = np.zeros((1, len(hashes)), np.uint64)  # comparing all with all is less
    for number, key in enumerate(keys):
        order = np.argsort(key, kind="stable")
        for bucket in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
            for pairs in _pairs_within(packed, bucket, distance):
                first, second = pairs.T
                found_before = [before[first] == before[second] for before in keys[:number]]
                yield pairs[~np.any(found_before, axis=0)] if found_before else pairs


def _pairs_within(packed: np.ndarray, members: np.ndarray, distance: int) -> Iterator[np.ndarray]:
    """The pairs of members, ascending indices, whose hashes, uint64 (n,), differ in at most `distance` bits."""
    rows = 1 + _BLOCK // (1 + len(members))
    hashes = packed[members]
    for start in range(0, len(members) - 1, rows):
        ours, others = hashes[start : start + rows], hashes[start:]
        near = np.bitwise_count(ours[:, np.newaxis] ^ others) <= distance
        first, second = np.divmod(np.flatnonzero(near), len(others))
        apart = second > first
        if apart.any():
            yield members[start:][np.stack([first[apart], second[apart]], axis=1)]


def same_scene_pairs(edges: np.ndarray, first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
    """The pairs of an image of `first` and one of `second` whose edges are those of one scene, in blocks.

    Most pairs are ruled out by their principal components: the dot product of two descriptors is at most that of their
    first components plus the product of the lengths of what remains.

    Args:
        edges: float32 (n, 256).
        first: indices of images.
        second: indices of others.

    Yields:
        int (k, 2).
    """
    _, axes = np.linalg.eigh(edges.T @ edges)  # of rising variance
    rotated = edges @ axes[:, ::-1]
    rest = np.linalg.norm(rotated[:, _COMPONENTS:], axis=1, keepdims=True)
    bounding = np.hstack([rotated[:, :_COMPONENTS], rest])
    for ours in np.split(first, range(_TILE, len(first), _TILE)):
        for others in np.split(second, range(_TILE, len(second), _TILE)):
            row, column = np.nonzero(bounding[ours] @ bounding[others].T >= SAME_SCENE - _ROUNDING)
            if len(row) > _TILE:  # of images of one camera; all pairs are less work than many single ones
                row, column = np.nonzero(edges[ours] @ edges[others].T >= SAME_SCENE)
            else:
                same = np.einsum("ij,ij->i", edges[ours[row]], edges[others[column]]) >= SAME_SCENE
                row, column = row[same], column[same]
            if len(row):
                yield np.stack([ours[row], others[column]], axis=1)
