"""Which images belong together: by their plates' texts, by what the user says, and the groups that pairs make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

_PENDING = 1 << 20  # pairs that are held before they are merged


class PlateTexts:
    """The plate texts of images.

    Args:
        plates: a row a plate: image, text ("" where unknown).
        images: the names of the n images, by whose places they are numbered.

    Attributes:
        complete: bool (n,): the image has plates, and the texts of all are known.
    """

    def __init__(self, plates: pd.DataFrame, images: pd.Series) -> None:
        number = pd.Series(np.arange(len(images)), index=images.to_numpy())
        image = plates["image"].map(number).to_numpy(int)
        known = (plates["text"] != "").to_numpy()
        self.complete = np.ones(len(images), bool)
        self.complete[image[~known]] = False
        pairs = pd.DataFrame({"text": plates["text"].to_numpy()[known], "image": image[known]}).drop_duplicates()
        pairs = pairs.sort_values(["text", "image"])
        self._image = pairs["image"].to_numpy(int)
        self._text = pd.factorize(pairs["text"])[0]

    @cached_property
    def _table(self):  # type: ignore[no-untyped-def]  # scipy's sparse arrays have no types
        """Which image has which text: sparse bool (n, texts)."""
        from scipy.sparse import csr_array

        shape = len(self.complete), int(self._text.max(initial=-1)) + 1
        return csr_array((np.ones(len(self._text), np.int32), (self._image, self._text)), shape)

    def chains(self) -> np.ndarray:
        """Pairs that connect all images of each text, int (k, 2); fewer than there are texts of images."""
        same = self._text[1:] == self._text[:-1]
        return np.stack([self._image[:-1][same], self._image[1:][same]], axis=1)

    def different(self, pairs: np.ndarray) -> np.ndarray:
        """Whether the two images of each pair, int (k, 2), show known plates and no common one: bool (k,)."""
        different = self.complete[pairs].all(axis=1)
        asked = pairs[different]
        common = (self._table[asked[:, 0]] * self._table[asked[:, 1]]).sum(axis=1)
        different[different] = np.asarray(common).reshape(-1) == 0
        return different

    def count_apart(self, splits: np.ndarray) -> int:
        """The pairs of images with a common text whose splits differ, neither being ""; counted, not listed.

        Args:
            splits: str (n,).
        """
        from scipy.sparse import csr_array

        # Images with the same texts in the same split are one class; most texts have few.
        texts: dict[int, list[int]] = {}
        for image, text in zip(self._image.tolist(), self._text.tolist(), strict=True):
            texts.setdefault(image, []).append(text)
        classes = Counter((tuple(found), splits[image]) for image, found in texts.items() if splits[image])
        images = np.array([*classes.values()], int)
        split = np.array([name for _, name in classes], object)
        rows = np.repeat(np.arange(len(classes)), [len(found) for found, _ in classes])
        columns = np.array([text for found, _ in classes for text in found], int)
        shape = len(classes), self._table.shape[1]
        table = csr_array((np.ones(len(rows), np.int32), (rows, columns)), shape)
        twice = 0
        for start in range(0, len(classes), 1024):
            first, second = (table[start : start + 1024] @ table.T).nonzero()
            first = first + start
            apart = split[first] != split[second]
            twice += int((images[first] * images[second])[apart].sum())
        return twice // 2

    def images_apart(self, splits: np.ndarray) -> np.ndarray:
        """The images with a text that an image of another split has, neither split being "": int (m,)."""
        texts = pd.DataFrame({"text": self._text, "image": self._image, "split": splits[self._image]})
        texts = texts[texts["split"] != ""]
        found = texts[texts.groupby("text")["split"].transform("nunique") > 1]
        return found["image"].unique()


def named_groups(urls: pd.Series, sources: pd.Series, group_by: str | None) -> tuple[np.ndarray, np.ndarray]:
    """The groups that `split.group_by` names.

    Args:
        urls: of n images, or their paths below their image root.
        sources: of the images; folders of two sources are two.
        group_by: "folder", a regular expression, or None.

    Returns:
        Pairs that connect the images of each group, int (k, 2), and bool (n,): whether an image is in any group.
    """
    if group_by is None:
        names: list[str | None] = [None] * len(urls)
    elif group_by == "folder":
        folders = urls.map(_folder)
        names = (sources + ":" + folders).where(folders != "", None).tolist()
    else:
        pattern = re.compile(group_by)
        found = [pattern.search(url) for url in urls]
        names = [match and match[min(1, pattern.groups)] for match in found]
    codes = pd.factorize(pd.Series(names, dtype=object))[0]
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    same = codes[order][1:] == codes[order][:-1]
    return np.stack([order[:-1][same], order[1:][same]], axis=1), codes >= 0


def _folder(url: str) -> str:
    path = urlsplit(url).path if "://" in url else url.replace("\\", "/")
    return (urlsplit(url).netloc if "://" in url else "") + path.rpartition("/")[0]


def connected(count: int, pairs: Iterable[np.ndarray]) -> np.ndarray:
    """The group of each of `count` images, numbered in order of appearance: int (count,).

    Args:
        pairs: blocks int (k, 2) of images that belong together; held one at a time.
    """
    groups, pending, held = np.arange(count), list[np.ndarray](), 0
    for block in pairs:
        pending.append(block)
        held += len(block)
        if held > _PENDING:
            groups, pending, held = _merge(groups, pending), [], 0
    return _merge(groups, pending)


def _merge(groups: np.ndarray, pairs: list[np.ndarray]) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(groups.max(initial=-1)) + 1
    first, second = groups[np.concatenate([np.empty((0, 2), int), *pairs])].T
    shape = count, count
    labels = connected_components(coo_array((np.ones(len(first)), (first, second)), shape), directed=False)[1]
    return pd.factorize(labels[groups])[0]
