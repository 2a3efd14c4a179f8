"""The images of sources where they are: located, and read from folders or fetched from URLs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from lpr.data.fetching import Session, fetch, session
from lpr.data.labelled_images import written_base_url
from lpr.data.unavailable import Unavailable
from lpr.data.urls import SharedTails, is_url, path_tails, redact, url_below
from lpr.errors import UserError

IMAGE_COLUMNS = [
    *["image", "source", "width", "height", "stored_width", "stored_height", "orientation"],
    *["format", "bytes", "sha256", "fetched"],
]
FAILURE_COLUMNS = ["image", "source", "url", "fetched", "reason", "attempts"]
CHUNK = 4
"""Images that a thread takes at a time: one by one costs a tenth of the speed."""

Visited = TypeVar("Visited")


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
    locations = {source.name: locate_images(source, sources_folder, urls[source.name]) for source in data.sources}

    def of(row: tuple[str, str, str]) -> tuple[dict[str, Any], Visited | None]:
        name, source, url = row
        known: dict[str, Any] = {"image": name, "source": source}
        content, fetched, attempts = None, "", 0
        try:
            location = locations[source]
            addresses = location.locate(url)
            fetched = redact(addresses[0])
            if location.folder is None:
                content, attempts, fetched = fetch_first(addresses, data, http)
            else:
                content = location.read(addresses[0], data.max_bytes)
            image, found = decode(content, data.max_pixels)
            original = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "fetched": fetched}
            size = {"width": image.width, "height": image.height}
            return {**known, **size, **found, **original}, visit(Original(name, content, image, found["format"]))
        except Unavailable as error:
            failure = {"url": redact(url), "fetched": fetched, "reason": str(error)}
            return {**known, **failure, "attempts": error.attempts or attempts, "found": content is not None}, None

    with session(data) as http, any_number_of_pixels(), ThreadPool(data.workers) as pool:
        outcomes = pool.imap(of, listed.itertuples(index=False, name=None), CHUNK)
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
        location = locate_images(source, sources_folder, urls)
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
        for url, found in zip(urls, pool.imap(describe, urls, CHUNK), strict=True):
            digest.update(f"{url}\0{found}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@dataclass(frozen=True)
class Location:
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
        try:
            path = self._path(relative)
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


def locate_images(source: Source, sources_folder: Path, urls: Iterable[str]) -> Location:
    """Where the images with these URLs are."""
    module, source_folder = formats.load(source.format), sources_folder / source.name
    named_by_url = urls if module.NAMES_ARE_URLS else filter(is_url, urls)
    shared = SharedTails(named_by_url if source.image_root is not None else ())
    base_url = source.image_root if source.image_root is not None else written_base_url(source_folder)
    if base_url is not None and is_url(base_url):
        return Location(module.NAMES_ARE_URLS, base_url=base_url, shared=shared)
    if source.image_root is not None:
        folder: Path | None = Path(source.image_root).expanduser()
    else:
        folder = module.image_root(module.Settings.model_validate(source.model_dump()), source_folder)
    if folder is None:
        return Location(module.NAMES_ARE_URLS)
    if not folder.is_dir():
        raise UserError(
            f"source {source.name}: its images should be in {folder}, which is no folder; set data.image_root, or "
            "`image_root` of this entry of data.sources"
        )
    # In the source's folder, DVC may have put links into its own cache.
    links = folder.is_relative_to(source_folder)
    return Location(module.NAMES_ARE_URLS, folder=folder, links=links, shared=shared)


def fetch_first(addresses: Sequence[str], data: Data, http: Session) -> tuple[bytes, int, str]:
    """What is at the first address that has anything, the attempts, and that address."""
    for number, address in enumerate(addresses, start=1):
        try:
            return *fetch(http, address, data), redact(address)
        except Unavailable as error:
            if number == len(addresses) or not str(error).startswith("HTTP 4"):
                raise
    raise AssertionError("unreachable")


@contextmanager
def any_number_of_pixels() -> Iterator[None]:
    """Switch off Pillow's own limit, which warns: data.max_pixels is checked before anything is decoded."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    Image.init()  # here, as it is not safe to be called by several threads at once
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
