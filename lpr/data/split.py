"""Which images are trained on, validated by and tested by.

Images that show the same must not be in two splits, or the test measures memorization: near-duplicates (by perceptual
hash) and images of the same plate (by text) form a group, and groups are split, not images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from lpr.config import KFoldSplit, Source, Split
from lpr.errors import UserError

# Groups are put into buckets by a hash of the name of their first image, and the buckets are split: an image that is
# added later leaves the others where they are, which shuffling the groups themselves would not.
_BUCKETS = 1000


def split_images(
    plates: pd.DataFrame, image_dir: Path, sources: Sequence[Source], config: Split
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Assign every image to a split.

    Args:
        plates: a row a plate: image, source, text; images in the order of the annotations.
        image_dir: folder of the cached images.
        sources: their roles: images of `train` go to train and validation, of `validation` and `test` to that split, of
            `both` to all three.
        config: fractions, seed, and how groups are made.

    Returns:
        A row an image (image, source, group, split), and the counts for `metrics/split.json`. Images of a `train`
        source in one group with images of a `validation` or `test` source are left out, as are those of `validation`
        with `test`.

    Raises:
        UserError: a split whose fraction is not 0 would be empty.
    """
    images = plates.drop_duplicates("image")[["image", "source"]].reset_index(drop=True)
    duplicates = near_duplicates(
        perceptual_hashes([image_dir / name for name in images["image"]]), config.hash_distance_threshold
    )
    same_text = same_plate(plates, images["image"])
    roles = images["source"].map({source.name: source.role for source in sources}).to_numpy()

    groups = _connected(len(images), duplicates + same_text)
    grouped = _assign_groups(groups, images["image"], roles, config)
    random = _assign_images(roles, config)
    splits = random if config.name == "random" else grouped

    table = images.assign(group=[f"{group:05d}" for group in groups], split=splits)
    kept = table[table["split"] != "left out"].reset_index(drop=True)
    _refuse_empty(kept, roles, config)
    names = ["train", "validation", "test"]
    counts: dict[str, object] = {
        "images": {
            source: {name: int((part["split"] == name).sum()) for name in names}
            for source, part in kept.groupby("source", sort=False)
        },
        "left_out": len(table) - len(kept),
        "groups": len(set(groups)),
        "leakage": _leakage(splits, duplicates, same_text),
        "leakage_of_random_split": _leakage(random, duplicates, same_text),
    }
    return kept, counts


def perceptual_hashes(paths: Sequence[Path]) -> np.ndarray:
    """The 64-bit DCT hash (imagehash.phash) of each image: booleans (n, 64)."""
    import imagehash
    from PIL import Image
    from tqdm import tqdm

    def hash_of(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            # The hash is of 32 × 32 pixels, so that 128 from the JPEG decoder are enough.
            image.draft("L", (128, 128))
            return imagehash.phash(image).hash.reshape(-1)

    with ThreadPoolExecutor() as pool:
        hashes = list(tqdm(pool.map(hash_of, paths), "hashing", len(paths), unit="image", leave=False))
    return np.array(hashes, bool).reshape(-1, 64)


def near_duplicates(hashes: np.ndarray, distance: int) -> list[tuple[int, int]]:
    """Pairs of images whose hashes differ in at most `distance` bits."""
    from scipy.spatial.distance import pdist, squareform

    if len(hashes) < 2:
        return []
    bits = squareform(pdist(hashes, "hamming")) * hashes.shape[1]
    first, second = np.nonzero(np.triu(bits <= distance + 1e-6, k=1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def same_plate(plates: pd.DataFrame, images: pd.Series) -> list[tuple[int, int]]:
    """Pairs of images with a plate text in common, by their indices in `images`."""
    number = {image: index for index, image in enumerate(images)}
    known = plates[plates["text"] != ""]
    pairs = set()
    for _, part in known.groupby("text"):
        members = sorted({number[image] for image in part["image"]})
        pairs |= {(a, b) for place, a in enumerate(members) for b in members[place + 1 :]}
    return sorted(pairs)


def _connected(count: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """The group of each image, numbered in order of appearance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    labels = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), (count, count)), directed=False)[1]
    return pd.factorize(labels)[0]


def _assign_groups(groups: np.ndarray, images: pd.Series, roles: np.ndarray, config: Split) -> np.ndarray:
    buckets = {role: _shuffle_split(_BUCKETS, role, config) for role in ("both", "train")}
    splits = np.empty(len(groups), dtype=object)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        bucket = int.from_bytes(hashlib.sha256(images[members[0]].encode()).digest()[:8]) % _BUCKETS
        present = set(roles[members])
        if "test" in present:
            splits[members] = np.where(np.isin(roles[members], ["train", "validation"]), "left out", "test")
        elif "validation" in present:
            splits[members] = np.where(roles[members] == "train", "left out", "validation")
        else:
            splits[members] = buckets["train" if "train" in present else "both"][bucket]
    return splits


def _assign_images(roles: np.ndarray, config: Split) -> np.ndarray:
    """A random split, image by image."""
    splits = np.empty(len(roles), dtype=object)
    for role in set(roles):
        splits[roles == role] = _shuffle_split(int((roles == role).sum()), role, config)
    return splits


def _shuffle_split(count: int, role: str, config: Split) -> np.ndarray:
    """The splits of `count` items of a role, at random and in the configured fractions; by scikit-learn."""
    from sklearn.model_selection import KFold, train_test_split

    shares = {
        "both": {"train": config.train, "validation": config.validation, "test": config.test},
        "train": {"train": config.train, "validation": config.validation},
        "validation": {"validation": 1.0},
        "test": {"test": 1.0},
    }[role]
    splits = np.full(count, next(iter(shares)), dtype=object)
    rest, left = np.arange(count), sum(shares.values())
    if isinstance(config, KFoldSplit) and role == "both":
        folds = KFold(config.folds, shuffle=True, random_state=config.seed)
        rest, tested = list(folds.split(rest))[config.fold]
        splits[tested] = "test"
        left -= shares.pop("test")
    for name, share in reversed(list(shares.items())[1:]):
        size = round(len(rest) * share / left)
        if 0 < size < len(rest):
            rest, taken = train_test_split(rest, test_size=size, random_state=config.seed)
            splits[taken] = name
        left -= share
    return splits


def _leakage(splits: np.ndarray, duplicates: list[tuple[int, int]], same_text: list[tuple[int, int]]) -> dict[str, int]:
    """Pairs in two splits, and test images that such a pair has in training or validation."""

    def apart(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(a, b) for a, b in pairs if splits[a] != splits[b] and "left out" not in (splits[a], splits[b])]

    leaked = {i for pair in apart(duplicates) + apart(same_text) for i in pair if splits[i] == "test"}
    return {
        "near_duplicate_pairs": len(apart(duplicates)),
        "same_text_pairs": len(apart(same_text)),
        "test_images_leaked": len(leaked),
    }


def _refuse_empty(table: pd.DataFrame, roles: np.ndarray, config: Split) -> None:
    wanted = {"train": config.train, "validation": config.validation, "test": config.test}
    if isinstance(config, KFoldSplit):
        wanted["test"] = 1 / config.folds
    if "both" not in roles:
        wanted["test"] = 0
    for name, fraction in wanted.items():
        if fraction > 0 and not (table["split"] == name).any():
            way_out = "take fewer split.folds" if isinstance(config, KFoldSplit) else f"set split.{name}=0"
            raise UserError(
                f"split.{name}={fraction:g} of {len(table)} images in {table['group'].nunique()} groups is none: "
                f"add images, {way_out}, or take another split.seed"
            )
