"""The cache of images: read from folders or fetched from URLs, and kept as upright RGB JPEGs.

The JPEG comment of a cached image holds what it was made of and how. So the folder is the only record of what is done:
a run that was interrupted, even by `kill -9`, continues where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from tqdm import tqdm

from lpr.config import Data
from lpr.data.decoding import decode
from lpr.data.fetching import Session, session
from lpr.data.originals import (
    CHUNK,
    FAILURE_COLUMNS,
    IMAGE_COLUMNS,
    Location,
    any_number_of_pixels,
    fetch_first,
    locate_images,
)
from lpr.data.placement import is_resized
from lpr.data.tables import write_table
from lpr.data.unavailable import Unavailable
from lpr.data.urls import is_url, redact
from lpr.errors import UserError
from lpr.files import PART, write_shared

# Version of the conversion by `decode` and `_encode`: raise it when the same bytes become another image, so that caches
# are made anew.
_RECIPE = 1


def download(
    plates: pd.DataFrame,
    data: Data,
    sources_folder: Path,
    cache: Path,
    images_csv: Path,
    failures_csv: Path,
    unlisted: Path | None = None,
) -> dict[str, int]:
    """Make `cache` hold exactly the images that `plates` lists and that are available, as RGB JPEGs.

    A cached image that was made of the same original in the same way is kept: one from the network is not requested
    again, one from a folder is read and compared by SHA-256. An original that is an upright RGB JPEG already loses its
    metadata, but keeps its pixels to the bit; `data.jpeg_quality` is for all the others.

    Args:
        plates: rows of `plates.csv`; needs image, source, url, image_width, image_height.
        sources_folder: `sources_folder/NAME` is what the format of source NAME wrote.
        images_csv: written, `IMAGE_COLUMNS`: a row a cached image, sorted by image.
        failures_csv: written, `FAILURE_COLUMNS`: a row an image that is not available, sorted by image.
        unlisted: a folder for cached images from the network that `plates` does not list: they are put there, and taken
            from there when they are listed again. None: they are deleted.

    Returns:
        Counts that depend on the images alone, not on what was cached before: images, failed, resized (the size is
        another than the annotation's), turned (by EXIF), and `format_NAME` for every original format.

    Raises:
        UserError: more images than `data.max_failed_fraction` are missing, or all (both tables are written
            first); a source or its folder does not exist; the cache cannot be written.
    """
    started = time.monotonic()
    listed = plates.drop_duplicates("image")[["image", "source", "url"]]
    locations = {
        source.name: locate_images(source, sources_folder, listed.loc[listed["source"] == source.name, "url"])
        for source in data.sources
    }
    if unknown := sorted(set(listed["source"]) - set(locations)):
        raise UserError(
            f"the plates come from source {unknown[0]!r}, which data.sources lacks: run `lpr annotate` again"
        )
    removed = _remove_others(cache, set(listed["image"]), unlisted)
    if unlisted is not None:
        _take_back(listed["image"], unlisted, cache)

    with session(data) as http, any_number_of_pixels(), ThreadPool(data.workers) as pool:
        cache_image = _CacheImage(data, locations, cache, http)
        outcomes = pool.imap_unordered(cache_image, listed.itertuples(index=False, name=None), CHUNK)
        done = list(tqdm(outcomes, desc="download", total=len(listed), unit=" images", disable=None))

    images = pd.DataFrame([row for row, _ in done if "reason" not in row], columns=IMAGE_COLUMNS)
    failures = pd.DataFrame([row for row, _ in done if "reason" in row], columns=FAILURE_COLUMNS)
    images = images.sort_values("image", ignore_index=True)
    failures = failures.sort_values("image", ignore_index=True)
    write_table(images, images_csv)
    write_table(failures, failures_csv)

    placed = plates.merge(images.drop(columns="source"), on="image")
    counts = {
        "images": len(images),
        "failed": len(failures),
        "resized": int(placed.loc[is_resized(placed), "image"].nunique()),
        "turned": int((images["orientation"] != 1).sum()),
    }
    format_counts = {f"format_{name.lower()}": count for name, count in sorted(Counter(images["format"]).items())}
    fetched = sum(fresh for _, fresh in done)
    seconds = time.monotonic() - started
    print(
        f"{cache}: {counts['images']} images ({fetched} fetched, {len(images) - fetched} kept), "
        f"{counts['failed']} failed, {removed} removed; {counts['turned']} turned by EXIF, "
        f"{counts['resized']} of another size than annotated; {seconds:.1f} s, {len(done) / seconds:.0f} images/s"
    )
    if len(failures) > data.max_failed_fraction * len(listed) or images.empty:
        raise UserError(_too_many(failures, len(listed), locations, data, failures_csv))
    return counts | format_counts


@dataclass(frozen=True)
class _CacheImage:
    """Caches one image a call; shared by the threads."""

    data: Data
    locations: dict[str, Location]
    cache: Path
    http: Session

    def __call__(self, listed: tuple[str, str, str]) -> tuple[dict[str, Any], bool]:
        """The image's row of images.csv (and whether it was made now) or of failures.csv."""
        name, source, url = listed
        fetched, attempts = "", 0
        try:
            if not _is_plain_name(name):
                raise Unavailable("`image` is not a plain file name")
            location, path = self.locations[source], self.cache / name
            addresses = location.locate(url)
            fetched = redact(addresses[0])
            cached = self._cached(path, [redact(address) for address in addresses])
            if location.folder is None:
                if cached is not None:
                    return {"image": name, "source": source, **cached}, False
                content, attempts, fetched = fetch_first(addresses, self.data, self.http)
            else:
                content = location.read(addresses[0], self.data.max_bytes)
            sha256 = hashlib.sha256(content).hexdigest()
            if cached is not None and cached["sha256"] == sha256:
                return {"image": name, "source": source, **cached}, False
            original = {"bytes": len(content), "sha256": sha256, "fetched": fetched}
            return {"image": name, "source": source, **self._make(path, content, original)}, True
        except Unavailable as error:
            if _is_plain_name(name):
                (self.cache / name).unlink(missing_ok=True)
            tried = error.attempts or attempts
            row = {"image": name, "source": source, "url": redact(url), "fetched": fetched}
            return {**row, "reason": str(error), "attempts": tried}, False

    def _cached(self, path: Path, fetched: Sequence[str]) -> dict[str, Any] | None:
        """The row of a cached image, if the same recipe made it of what had one of these addresses; else None."""
        try:
            with Image.open(path, formats=["JPEG"]) as image:
                comment = json.loads(image.info["comment"])
                row = {"width": image.width, "height": image.height, **comment["original"]}
            same = comment["made"] == self._recipe() and row["fetched"] in fetched
            pixels = row["stored_width"] * row["stored_height"]
            return row if same and row["bytes"] <= self.data.max_bytes and pixels <= self.data.max_pixels else None
        except (OSError, KeyError, ValueError, TypeError):  # not there, or not made by this class
            return None

    def _make(self, path: Path, content: bytes, original: dict[str, Any]) -> dict[str, Any]:
        image, found = decode(content, self.data.max_pixels)
        original = {**found, **original}
        comment = json.dumps({"made": self._recipe(), "original": original}).encode()
        _write(path, _encode(image, content, comment, self.data.jpeg_quality))
        return {"width": image.width, "height": image.height, **original}

    def _recipe(self) -> dict[str, int]:
        return {"recipe": _RECIPE, "quality": self.data.jpeg_quality}


def _encode(image: Image.Image, content: bytes, comment: bytes, quality: int) -> bytes:
    """The upright RGB image as a JPEG with that comment, and no other metadata.

    Content that is such a JPEG already is not encoded again, which would cost time and detail.
    """
    # Pillow sets `format` of an image that it opened, not of one that was converted since.
    if image.format == "JPEG" and (same := _replace_metadata(content, comment)) is not None:
        return same
    jpeg = BytesIO()
    try:
        image.save(jpeg, "JPEG", quality=quality, comment=comment)
    except (OSError, ValueError) as error:
        raise Unavailable(f"no JPEG can be made of it: {error}") from None
    return jpeg.getvalue()


def _replace_metadata(jpeg: bytes, comment: bytes) -> bytes | None:
    """A JPEG without its APPn and COM segments (ITU-T T.81, annex B), but with that comment; None if it is malformed.

    The segments that define how colours are coded stay: APP0 (JFIF) and APP14 (Adobe).
    """
    kept = [jpeg[:2]]
    start = 2
    while start + 4 <= len(jpeg) and jpeg[start] == 0xFF and 0xC0 <= jpeg[start + 1] <= 0xFE:
        marker = jpeg[start + 1]
        if marker == 0xDA:  # start of scan: pixels from here on
            kept += [b"\xff\xfe", (len(comment) + 2).to_bytes(2, "big"), comment, jpeg[start:]]
            return b"".join(kept)
        end = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")
        if marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(jpeg[start:end])
        start = end
    return None


def _write(path: Path, content: bytes) -> None:
    try:
        write_shared(path, content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _is_plain_name(name: str) -> bool:
    return re.fullmatch(r"[^./\\\0][^/\\\0]*", name) is not None


def _remove_others(cache: Path, listed: set[str], unlisted: Path | None) -> int:
    """Remove what is not a listed image, leftovers of a killed run among it; returns the number of images removed.

    Images from the network are moved to `unlisted`.
    """
    removed = 0
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for path in cache.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in listed:
                if unlisted is not None and _is_fetched(path):
                    unlisted.mkdir(parents=True, exist_ok=True)
                    shutil.move(path, unlisted / path.name)
                else:
                    path.unlink()
                removed += path.suffix != PART
    except OSError as error:
        raise UserError(f"{error.filename or cache}: {error.strerror}; the cache of images cannot be used") from None
    return removed


def _take_back(listed: Iterable[str], unlisted: Path, cache: Path) -> None:
    """Move the images of `unlisted` that are listed again and are not in the cache to it."""
    for name in {*listed} & {*os.listdir(unlisted)} if unlisted.is_dir() else ():
        if not (cache / name).exists():
            shutil.move(unlisted / name, cache / name)


def _is_fetched(path: Path) -> bool:
    """Whether it is a cached image from the network."""
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            return is_url(json.loads(image.info["comment"])["original"]["fetched"])
    except (OSError, KeyError, ValueError, TypeError):
        return False


def _too_many(
    failures: pd.DataFrame, listed: int, locations: dict[str, Location], data: Data, failures_csv: Path
) -> str:
    reasons = Counter(zip(failures["source"], failures["reason"], strict=True)).most_common(3)
    lines = []
    for (source, reason), count in reasons:
        location = locations[source]
        where = location.folder or redact(location.base_url or "")
        at = f" ({where})" if where else ""
        lines.append(f"{count} × {reason}, of source {source}{at}")
    return (
        f"{len(failures)} of {listed} images are not available; data.max_failed_fraction={data.max_failed_fraction:g} "
        f"allows {int(data.max_failed_fraction * listed)}:\n  "
        + "\n  ".join(lines)
        + f"\n{failures_csv} names them all. "
        "Run again when the cause is gone (what is cached is not fetched again), set data.image_root to where the "
        "images are, or raise data.max_failed_fraction."
    )
