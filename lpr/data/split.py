"""Which images are trained on, validated by and tested by.

Images that show the same must not be in two splits, or the test measures memorization: near-duplicates (by perceptual
hash), images of the same plate (by text) and images of a group that the user names form a group, and groups are split,
not images. Near-duplicates whose plates are known to be different are no group: they are of one fixed camera.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pandas as pd

from lpr.config import KFoldSplit, Source, Split
from lpr.data.groups import PlateTexts, connected, named_groups
from lpr.data.similarity import Fingerprints, fingerprints, near_duplicate_pairs, same_scene_pairs
from lpr.data.video_frames import GROUPINGS, suspected_frames
from lpr.errors import UserError

# Groups are put into buckets by a hash of the name of their first image, and the buckets are split: an image that is
# added later leaves the others where they are, which shuffling the groups themselves would not.
_BUCKETS = 1000
_LEFT_OUT = "left out"
_SEEDS = 20  # that are tried for a split without an empty part


def split_images(
    plates: pd.DataFrame, image_dir: Path, sources: Sequence[Source], config: Split
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Assign every image to a split, and print what seems to leak.

    Args:
        plates: a row a plate: image, source, url, text; images in the order of the annotations.
        image_dir: folder of the cached images.
        sources: their roles: images of `train` go to train and validation, of `validation` and `test` to that split, of
            `both` to all three.
        config: fractions, seed, and how groups are made.

    Returns:
        A row an image (image, source, group, split), and the counts for `metrics/split.json`. Images of a `train`
        source in one group with images of a `validation` or `test` source are left out, as are those of `validation`
        with `test`.

    Raises:
        UserError: a split whose fraction is not 0 would be empty; the message names settings with which none is.
    """
    found = fingerprints([image_dir / name for name in plates["image"].drop_duplicates()])
    table, counts, suspicion = split_known_images(images_to_split(plates, found, sources), config)
    if suspicion:
        print(suspicion)
    return table, counts


def images_to_split(plates: pd.DataFrame, found: Fingerprints, sources: Sequence[Source]) -> Images:
    """The images of `plates`, in their order, with what tells which belong together.

    Args:
        plates: as of `split_images`.
        found: fingerprints of the images.
        sources: as of `split_images`.
    """
    table = plates.drop_duplicates("image")[["image", "source", "url"]].reset_index(drop=True)
    roles = table["source"].map({source.name: source.role for source in sources}).to_numpy()
    return Images(table, roles, PlateTexts(plates, table["image"]), found)


def split_known_images(images: Images, config: Split) -> tuple[pd.DataFrame, dict[str, object], str]:
    """What `split_images` returns, and a sentence on what seems to leak; "" where nothing does.

    Raises:
        UserError: as `split_images`.
    """
    table, roles = images.table, images.roles
    groups = images.groups(config)
    splits = images.assign(config)
    if empty := _empty(splits, roles, config):
        raise UserError(_refusal(empty, images, splits, groups, config))
    table = table[["image", "source"]].assign(group=[f"{group:05d}" for group in groups], split=splits)
    kept = table[table["split"] != _LEFT_OUT].reset_index(drop=True)
    names = ["train", "validation", "test"]
    counts: dict[str, object] = {
        "images": {
            source: {name: int((part["split"] == name).sum()) for name in names}
            for source, part in kept.groupby("source", sort=False)
        },
        "left_out": len(table) - len(kept),
        "groups": len(set(groups)),
        "leakage": images.leakage(splits, config),
        "leakage_of_random_split": images.leakage(_assign_images(roles, config), config),
        "suspected_videos": images.suspected(splits),
    }
    if config.group_by is not None:
        counts["group_by"] = images.named(config.group_by)
    return kept, counts, images.suspicion(splits, config)


@dataclass(frozen=True)
class Images:
    """The images to be split, numbered from 0, and what tells which belong together.

    Attributes:
        table: a row an image: image, source, url.
        roles: of their sources, str (n,).
        texts: of their plates.
        fingerprints: of what they show.
    """

    table: pd.DataFrame
    roles: np.ndarray
    texts: PlateTexts
    fingerprints: Fingerprints
    _groups: dict[tuple[int, str | None], np.ndarray] = field(default_factory=dict)  # by the settings that make them

    def __len__(self) -> int:
        return len(self.table)

    def near_duplicates(self, config: Split) -> Iterator[np.ndarray]:
        """Pairs whose hashes are near and whose plates are not known to be different, int (k, 2) a block."""
        return self._of_equal_plates(near_duplicate_pairs(self.fingerprints.hashes, config.hash_distance_threshold))

    def _of_equal_plates(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for pairs in blocks:
            yield pairs[~self.texts.different(pairs)]

    def groups(self, config: Split) -> np.ndarray:
        """The group of each image, numbered in order of appearance."""

        key = config.hash_distance_threshold, config.group_by
        if key not in self._groups:
            named, _ = named_groups(self.table["url"], self.table["source"], config.group_by)
            pairs = chain([self.texts.chains(), named], self.near_duplicates(config))
            self._groups[key] = connected(len(self), pairs)
        return self._groups[key]

    def assign(self, config: Split) -> np.ndarray:
        """The split of each image, str (n,); `_LEFT_OUT` where its source's role keeps it out."""
        if config.name == "random":
            return _assign_images(self.roles, config)
        return _assign_groups(self.groups(config), self.table["image"], self.roles, config)

    def leakage(self, splits: np.ndarray, config: Split) -> dict[str, int]:
        """Pairs in two splits, and test images that have such a pair, or the same scene, in training or validation.

        The scene is compared by edges, which made no group: what these leave in two splits, they find.
        """
        kept = np.where(splits == _LEFT_OUT, "", splits)
        leaked = np.zeros(len(self), bool)
        leaked[self.texts.images_apart(kept)] = True
        near_duplicates = 0
        for pairs in self.near_duplicates(config):
            first, second = kept[pairs].T
            apart = pairs[(first != second) & (first != "") & (second != "")]
            near_duplicates += len(apart)
            leaked[apart] = True
        same_scene = np.zeros(len(self), bool)
        tested, others = np.flatnonzero(kept == "test"), np.flatnonzero((kept != "test") & (kept != ""))
        for pairs in self._of_equal_plates(same_scene_pairs(self.fingerprints.edges, tested, others)):
            same_scene[pairs[:, 0]] = True
        return {
            "near_duplicate_pairs": near_duplicates,
            "same_text_pairs": self.texts.count_apart(kept),
            "test_images_of_the_same_scene": int(same_scene.sum()),
            "test_images_leaked": int(((leaked & (kept == "test")) | same_scene).sum()),
        }

    @cached_property
    def frames(self) -> np.ndarray:
        """Pairs that seem to be neighbouring frames of one video, and whose plates are not known to be different."""
        pairs = suspected_frames(self.table["url"].tolist(), self.table["source"].tolist(), self.fingerprints.edges)
        return pairs[~self.texts.different(pairs)]

    def suspected(self, splits: np.ndarray) -> dict[str, int]:
        """How many videos there seem to be, of how many images, and test images with frames of theirs in training."""
        _, of_video = np.unique(connected(len(self), [self.frames])[np.unique(self.frames)], return_inverse=True)
        frame_splits = splits[np.unique(self.frames)]
        trained = np.unique(of_video[frame_splits == "train"])
        return {
            "videos": int(of_video.max(initial=-1)) + 1,
            "images": len(of_video),
            "test_images_with_frames_in_training": int((np.isin(of_video, trained) & (frame_splits == "test")).sum()),
        }

    def named(self, group_by: str) -> dict[str, int]:
        """How many groups the user names, and the images that are in none of them."""
        pairs, member = named_groups(self.table["url"], self.table["source"], group_by)
        unnamed = int((~member).sum())
        return {"groups": int(connected(len(self), [pairs]).max(initial=-1)) + 1 - unnamed, "images_in_none": unnamed}

    def suspicion(self, splits: np.ndarray, config: Split) -> str:
        """A sentence on test images that seem to have frames of their video in training; "" where there are none."""
        suspected = self.suspected(splits)
        count = suspected["test_images_with_frames_in_training"]
        if not count:
            return ""
        urls = self.table["url"]
        first, second = self.frames[0]
        return (
            f"{count} of {np.count_nonzero(splits == 'test')} test images seem to have frames of the same video in "
            f"training: by their names and edges, {suspected['images']} images are of {suspected['videos']} videos, "
            f"such as {urls[first]} and {urls[second]}; {self._way_to_group(config)}"
        )

    def _way_to_group(self, config: Split) -> str:
        """The `GROUPINGS` that keeps most neighbouring frames together and leaves no split empty, in words."""
        grouped = config.model_copy(update={"name": "grouped"}) if config.name == "random" else config
        candidates = [grouped.model_copy(update={"group_by": each}) for each in GROUPINGS]
        kept = [self._kept_together(each) for each in GROUPINGS]
        useful = [number for number, count in enumerate(kept) if 2 * count >= len(self.frames)]
        usable = [each for each in useful if not _empty(self.assign(candidates[each]), self.roles, candidates[each])]
        best = max(usable or range(len(kept)), key=kept.__getitem__)
        chosen = candidates[best]
        if not usable:
            remedies = (each for each in _changes(chosen) if each.group_by == chosen.group_by)
            chosen = next((each for each in remedies if not _empty(self.assign(each), self.roles, each)), chosen)
        note = "" if usable or chosen != candidates[best] else " (for more images: of these, it leaves a split empty)"
        return f"{_typed(config, chosen)} keeps {kept[best]} of {len(self.frames)} neighbours together{note}"

    def _kept_together(self, group_by: str) -> int:
        groups = connected(len(self), [named_groups(self.table["url"], self.table["source"], group_by)[0]])
        return int((groups[self.frames[:, 0]] == groups[self.frames[:, 1]]).sum())


def _assign_groups(groups: np.ndarray, images: pd.Series, roles: np.ndarray, config: Split) -> np.ndarray:
    buckets = {role: _shuffle_split(_BUCKETS, role, config) for role in ("both", "train")}
    splits = np.empty(len(groups), dtype=object)
    order = np.argsort(groups, kind="stable")
    for members in filter(len, np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)):
        bucket = int.from_bytes(hashlib.sha256(images[members[0]].encode()).digest()[:8]) % _BUCKETS
        present = set(roles[members])
        if "test" in present:
            splits[members] = np.where(np.isin(roles[members], ["train", "validation"]), _LEFT_OUT, "test")
        elif "validation" in present:
            splits[members] = np.where(roles[members] == "train", _LEFT_OUT, "validation")
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


def _empty(splits: np.ndarray, roles: np.ndarray, config: Split) -> dict[str, float]:
    """The splits that have no image though they should, and their fractions."""
    wanted = {"train": config.train, "validation": config.validation, "test": config.test}
    if isinstance(config, KFoldSplit):
        wanted["test"] = 1 / config.folds
    if "both" not in roles:
        wanted["test"] = 0
    return {name: fraction for name, fraction in wanted.items() if fraction > 0 and name not in splits}


def _refusal(empty: dict[str, float], images: Images, splits: np.ndarray, groups: np.ndarray, config: Split) -> str:
    name, fraction = next(iter(empty.items()))
    kept = splits != _LEFT_OUT
    remedies: list[str] = []
    named: set[str] = set()
    for changed in _changes(config):
        keys = set(_changed(config, changed))
        if keys and named.isdisjoint(keys) and not _empty(images.assign(changed), images.roles, changed):
            named |= keys
            remedies.append(_typed(config, changed))
    return (
        f"split.{name}={fraction:g} of {kept.sum()} images in {len(set(groups[kept]))} groups is none. "
        f"What helps: {'; or '.join(remedies or ['more images'])}"
    )


def _changes(config: Split) -> Iterator[Split]:
    """Configurations whose splits may not be empty where those of `config` are, those with the fewest changes first."""
    if isinstance(config, KFoldSplit):
        for folds in range(config.folds - 1, max(config.fold, 1), -1):
            yield config.model_copy(update={"folds": folds})
    single: list[dict[str, object]] = [
        {"hash_distance_threshold": 0},
        {"group_by": None},
        {"validation": 0.0, "train": round(1 - config.test, 6)},
    ]
    several = [dict(chain(*map(dict.items, each))) for count in range(4) for each in combinations(single, count)]
    for changes in several:
        yield config.model_copy(update=changes)
    for changes in several:
        for seed in range(_SEEDS):
            yield config.model_copy(update={"seed": seed, **changes})


def _changed(config: Split, changed: Split) -> dict[str, object]:
    """The keys in which `changed` differs, and their values there."""
    before = config.model_dump()
    return {key: value for key, value in changed.model_dump().items() if key not in before or value != before[key]}


def _typed(config: Split, changed: Split) -> str:
    """The overrides that make `changed` of `config`, as they are typed in a shell."""
    changes = sorted(_changed(config, changed).items(), key=lambda change: change[0] != "group_by")
    return " ".join(_override(key, value) for key, value in changes)


def _override(key: str, value: object) -> str:
    group = "split" if key == "name" else f"split.{key}"
    if isinstance(value, str) and key != "name":
        return shlex.quote(f'{group}="{value}"')
    return f"{group}={'null' if value is None else f'{value:g}' if isinstance(value, float) else value}"
