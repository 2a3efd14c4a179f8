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
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import pandas as pd
from PIL import Image
from tqdm import tqdm

from lpr.config import Data, Source
from lpr.data import formats
from lpr.data.annotations import ANNOTATIONS, read_records
from lpr.data.decoding import decode
from lpr.data.fetching import Session, SharedTails, fetch, is_url, path_tails, redact, session, url_below
from lpr.data.labelled_images import written_base_url
from lpr.data.placement import is_resized
from lpr.data.tables import write_table
from lpr.data.unavailable import Unavailable
from lpr.errors import UserError

IMAGE_COLUMNS = [
    *["image", "source", "width", "height", "stored_width", "stored_height", "orientation"],
    *["format", "bytes", "sha256", "fetched"],
]
FAILURE_COLUMNS = ["image", "source", "url", "fetched", "reason", "attempts"]

Visited = TypeVar("Visited")

# Version of the conversion by `decode` and `_encode`: raise it when the same bytes become another image, so that caches
# are made anew.
_RECIPE = 1
_CHUNK = 4  # images that a thread takes at a time: one by one costs a tenth of the speed


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
        source.name: _location(source, sources_folder, listed.loc[listed["source"] == source.name, "url"])
        for source in data.sources
    }
    if unknown := sorted(set(listed["source"]) - set(locations)):
        raise UserError(
            f"the plates come from source {unknown[0]!r}, which data.sources lacks: run `lpr annotate` again"
        )
    removed = _remove_others(cache, set(listed["image"]), unlisted)
    if unlisted is not None:
        _take_back(listed["image"], unlisted, cache)

    with session(data) as http, _any_number_of_pixels(), ThreadPool(data.workers) as pool:
        cache_image = _CacheImage(data, locations, cache, http)
        outcomes = pool.imap_unordered(cache_image, listed.itertuples(index=False, name=None), _CHUNK)
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


class Original(NamedTuple):
    """An image as its source has it.

    Attributes:
        name: its file name in the cache, by which tables name it.
        content: of the file.
        image: upright and RGB.
        format: of the file, as Pillow names it.
    """

    name: str
    content: bytes
    image: Image.Image
    format: str


def visit_originals(
    plates: pd.DataFrame, data: Data, sources_folder: Path, visit: Callable[[Original], Visited]
) -> tuple[pd.DataFrame, pd.DataFrame, list[Visited]]:
    """Read and decode the images that `plates` lists, where their sources have them, without a cache.

    As many as `data.workers` are in memory at a time.

    Args:
        plates: rows of `plates.csv`; needs image, source, url.
        sources_folder: `sources_folder/NAME` is what the format of source NAME wrote.
        visit: called by several threads, once an image that is an image.

    Returns:
        A row an image that was visited, `IMAGE_COLUMNS`; a row an image that is not available, `FAILURE_COLUMNS` and
        `found`: whether there is a file, of which no image could be made; and what `visit` returned for the rows of the
        first. All in the order of `plates`.

    Raises:
        UserError: the folder of a source does not exist.
    """
    listed = plates.drop_duplicates("image")[["image", "source", "url"]]
    urls = {source.name: listed.loc[listed["source"] == source.name, "url"] for source in data.sources}
    locations = {source.name: _location(source, sources_folder, urls[source.name]) for source in data.sources}

    def of(row: tuple[str, str, str]) -> tuple[dict[str, Any], Visited | None]:
        name, source, url = row
        known: dict[str, Any] = {"image": name, "source": source}
        content, fetched, attempts = None, "", 0
        try:
            location = locations[source]
            addresses = location.locate(url)
            fetched = redact(addresses[0])
            if location.folder is None:
                content, attempts, fetched = _fetch(addresses, data, http)
            else:
                content = location.read(addresses[0], data.max_bytes)
            image, found = decode(content, data.max_pixels)
            original = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "fetched": fetched}
            size = {"width": image.width, "height": image.height}
            return {**known, **size, **found, **original}, visit(Original(name, content, image, found["format"]))
        except Unavailable as error:
            failure = {"url": redact(url), "fetched": fetched, "reason": str(error)}
            return {**known, **failure, "attempts": error.attempts or attempts, "found": content is not None}, None

    with session(data) as http, _any_number_of_pixels(), ThreadPool(data.workers) as pool:
        outcomes = pool.imap(of, listed.itertuples(index=False, name=None), _CHUNK)
        done = list(tqdm(outcomes, desc="images", total=len(listed), unit=" images", disable=None, leave=False))
    images = pd.DataFrame([row for row, _ in done if "reason" not in row], columns=IMAGE_COLUMNS)
    failures = pd.DataFrame([row for row, _ in done if "reason" in row], columns=[*FAILURE_COLUMNS, "found"])
    return images, failures, [cast(Visited, visited) for row, visited in done if "reason" not in row]


def digest_local_images(source: Source, data: Data, sources_folder: Path) -> str | None:
    """A SHA-256 digest of the images of a source that lie in a folder of the user's, and of which of them are missing.

    Args:
        source: whose annotations are in `sources_folder/NAME` already.

    Returns:
        The digest; None where the images are at URLs, or were written by the source's format, or where the folder does
        not exist, which `download` says.
    """
    records = read_records(sources_folder / source.name / ANNOTATIONS)
    contents = (record.get("content") for _, record in records if isinstance(record, dict))
    urls = list(dict.fromkeys(content for content in contents if isinstance(content, str)))
    try:
        location = _location(source, sources_folder, urls)
    except UserError:
        return None
    if location.folder is None or location.links:
        return None

    def describe(url: str) -> str:
        try:
            return hashlib.sha256(location.read(location.locate(url)[0], data.max_bytes)).hexdigest()
        except Unavailable as error:
            return str(error)

    digest = hashlib.sha256()
    with ThreadPool(data.workers) as pool:
        for url, found in zip(urls, pool.imap(describe, urls, _CHUNK), strict=True):
            digest.update(f"{url}\0{found}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@dataclass(frozen=True)
class _Location:
    """Where a source's images are: below a base URL, in a folder, or (both None) each at its own URL."""

    names_are_urls: bool
    base_url: str | None = None
    folder: Path | None = None
    links: bool = False  # whether the folder's files may be links to elsewhere
    shared: SharedTails = field(default_factory=SharedTails)  # by the source's URLs

    def locate(self, url: str) -> list[str]:
        """The URLs to try, or the path relative to the folder, alone.

        A file in a folder has the longest end of the URL's path that is there; one below a base URL has the last part,
        or, where several URLs share that, the longest end that is there.

        Raises:
            Unavailable: nothing may be fetched from there.
        """
        if self.base_url is None and self.folder is None:
            if not is_url(url):
                raise Unavailable("not a URL that can be fetched; files are only taken from data.image_root")
            return [url]
        tails = path_tails(url) if self.names_are_urls or is_url(url) else [url]
        name = tails[-1] if tails else ""
        elsewhere = _leads_elsewhere(name)
        if self.folder is not None and not self.links and not self.names_are_urls:
            elsewhere = False  # `read` looks where
        if not Path(name).parts or elsewhere or "\0" in name:
            raise Unavailable("not the name of a file in its folder")
        last, own = tails[-1], [tail for tail in tails if not self.shared.unclear(url, tail)]
        if self.folder is not None:
            found = next((tail for tail in tails if os.path.isfile(self.folder / tail)), None)
            if found is not None and found not in own:
                raise Unavailable(_shared(found))
            return [found or last]
        if not own:
            raise Unavailable(_shared(last))
        return [url_below(self.base_url or "", tail) for tail in ([last] if last in own else own)]

    def read(self, relative: str, max_bytes: int) -> bytes:
        """A file of the folder.

        Raises:
            Unavailable: it is not there, cannot be read, is too large, or lies elsewhere.
        """
        path = self._path(relative)
        try:
            if not path.is_file():
                raise Unavailable("no such file")
            with path.open("rb") as file:
                content = file.read(max_bytes + 1)
        except OSError as error:
            raise Unavailable(error.strerror or "cannot be read") from None
        if len(content) > max_bytes:
            raise Unavailable(f"larger than data.max_bytes={max_bytes}")
        return content

    def _path(self, relative: str) -> Path:
        """The path of a file of the folder. Annotations may come from anyone: they reach no file outside of it.

        An absolute path, or one with `..`, may be one from the current folder, as `lpr predict` writes it.

        Raises:
            Unavailable: it lies elsewhere.
        """
        assert self.folder is not None
        path = self.folder / relative
        if self.links:
            return path
        root, written = os.path.realpath(self.folder), Path(relative)
        paths = [path, written] if _leads_elsewhere(relative) else [path]
        inside = [one for one in paths if Path(os.path.realpath(one)).is_relative_to(root)]
        if inside:
            return next((one for one in inside if one.is_file()), inside[0])
        if any(Path(os.path.abspath(one)).is_relative_to(os.path.abspath(self.folder)) for one in paths):
            raise Unavailable("a link that leads out of its folder")
        if written.is_file():
            raise Unavailable(f"it lies outside of {self.folder}: data.image_root={written.parent} lets it be read")
        raise Unavailable(f"it would lie outside of {self.folder}")


def _leads_elsewhere(name: str) -> bool:
    """Whether a file's name is not one below a folder."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def _shared(tail: str) -> str:
    return (
        f"several images' URLs end with {tail}, so that it is unknown which of them it is: put each into the folder of "
        "its URL, below data.image_root"
    )


def _location(source: Source, sources_folder: Path, urls: Iterable[str]) -> _Location:
    """Where the images with these URLs are."""
    module, source_folder = formats.load(source.format), sources_folder / source.name
    named_by_url = urls if module.NAMES_ARE_URLS else filter(is_url, urls)
    shared = SharedTails(named_by_url if source.image_root is not None else ())
    base_url = source.image_root if source.image_root is not None else written_base_url(source_folder)
    if base_url is not None and is_url(base_url):
        return _Location(module.NAMES_ARE_URLS, base_url=base_url, shared=shared)
    if source.image_root is not None:
        folder: Path | None = Path(source.image_root).expanduser()
    else:
        folder = module.image_root(module.Settings.model_validate(source.model_dump()), source_folder)
    if folder is None:
        return _Location(module.NAMES_ARE_URLS)
    if not folder.is_dir():
        raise UserError(
            f"source {source.name}: its images should be in {folder}, which is no folder; set data.image_root, or "
            "`image_root` of this entry of data.sources"
        )
    # In the source's folder, DVC may have put links into its own cache.
    links = folder.is_relative_to(source_folder)
    return _Location(module.NAMES_ARE_URLS, folder=folder, links=links, shared=shared)


@dataclass(frozen=True)
class _CacheImage:
    """Caches one image a call; shared by the threads."""

    data: Data
    locations: dict[str, _Location]
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
                content, attempts, fetched = _fetch(addresses, self.data, self.http)
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


def _fetch(addresses: Sequence[str], data: Data, http: Session) -> tuple[bytes, int, str]:
    """What is at the first address that has anything, the attempts, and that address."""
    for number, address in enumerate(addresses, start=1):
        try:
            return *fetch(http, address, data), redact(address)
        except Unavailable as error:
            if number == len(addresses) or not str(error).startswith("HTTP 4"):
                raise
    raise AssertionError("unreachable")


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
    """Atomically, even if the process is killed."""
    part = path.with_name(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
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
                removed += path.suffix != ".part"
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


@contextmanager
def _any_number_of_pixels() -> Iterator[None]:
    """Switch off Pillow's own limit, which warns: data.max_pixels is checked before anything is decoded."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    Image.init()  # here, as it is not safe to be called by several threads at once
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _too_many(
    failures: pd.DataFrame, listed: int, locations: dict[str, _Location], data: Data, failures_csv: Path
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
