"""Labelled images as an annotation file lists them, written as annotation JSON: the files found, their sizes known.

Tools name images in many ways: by a path of another machine, with `\\` for `/` or %20 for a space, in other case,
without a suffix, below another folder than the image root. Each is found below the image root, or is said not to be
there.
"""

from __future__ import annotations

import math
import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property, partial
from io import BytesIO
from multiprocessing.pool import ThreadPool
from pathlib import Path, PurePath
from typing import NamedTuple
from urllib.parse import unquote

from PIL import Image

from lpr.config import Data, Source
from lpr.data.annotation_files import local_place, url_of_copy
from lpr.data.annotations import ANNOTATIONS, PlateLabel, Unusable, annotation_line, unusable_line
from lpr.data.decoding import FORMATS, orientation_of
from lpr.data.fetching import Session, fetch, session
from lpr.data.object_storage import is_object
from lpr.data.unavailable import Unavailable
from lpr.data.urls import is_url, path_of, redact, url_below
from lpr.errors import UserError

IMAGE_ROOT = "image_root.txt"
"""Name of the file, in a source's folder, that holds the folder of its images, where that is not null."""

BASE_URL = "base_url.txt"
"""Name of the file, in a source's folder, that holds the URL that its images are below, where they are below one."""

_LOOKED_FOR = 200  # images by which the image root is chosen


class LabelledImage(NamedTuple):
    """An image of an annotation file.

    Attributes:
        names: what the file calls it; several where it is not known which is the image's, the likeliest first.
        plates: empty for an image that is known to show none.
        width: pixels; NaN where the file does not say: it is read from the image.
        height: pixels, or NaN.
        unusable: why it cannot be used; empty where it can.
    """

    names: Sequence[str]
    plates: Sequence[PlateLabel] = ()
    width: float = math.nan
    height: float = math.nan
    unusable: str = ""


def write_labelled_images(
    images: Iterable[LabelledImage], source: Source, folder: Path, places: Sequence[Path], data: Data
) -> None:
    """Write annotation JSON, a line an image, and remember the image root for `written_image_root`.

    Args:
        images: in the order of the annotation file.
        source: whose `image_root`, if it is set, is where the images are.
        folder: of the source; the JSON is written there.
        places: where the tool that wrote the annotations puts the images, the likeliest first.
        data: limits and repetitions for images at URLs.
    """
    listed = list(images)
    names = [image.names for image in listed]
    files = find_image_files(source, names, places, folder, data)
    write_image_root(files, folder)
    located = files.locate(names, source.name)
    files.fetch_sizes(located, [(image.width, image.height) for image in listed], source.name, data)
    lines = [_line(image, name, files) for image, name in zip(listed, located, strict=True)]
    (folder / ANNOTATIONS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_image_root(files: ImageFiles, folder: Path) -> None:
    """Remember in a source's folder where its images are."""
    if files.root is not None:
        name = IMAGE_ROOT if isinstance(files.root, Path) else BASE_URL
        (folder / name).write_text(str(files.root), encoding="utf-8")


def written_image_root(folder: Path) -> Path | None:
    """The image root that `write_image_root` remembered; None: the images are at URLs."""
    file = folder / IMAGE_ROOT
    return Path(file.read_text(encoding="utf-8")) if file.is_file() else None


def written_base_url(folder: Path) -> str | None:
    """The URL below which the images are, as `write_image_root` remembered it; None: there is none such."""
    file = folder / BASE_URL
    return file.read_text(encoding="utf-8") if file.is_file() else None


def find_image_files(
    source: Source, names: Sequence[Sequence[str]], places: Sequence[Path], folder: Path, data: Data
) -> ImageFiles:
    """A source's images: those of its `image_root`, or of the place where most are, the first where none is.

    Args:
        source: whose annotations may be copies of what is at a URL; then the places are, too.
        names: of each image, as in `LabelledImage`.
        places: where they may be, the likeliest first.
        folder: of the source.
        data: limits and repetitions for images at URLs.

    Raises:
        UserError: a server does not answer.
    """
    looked_for = names[:_LOOKED_FOR]
    if source.image_root is not None:
        if is_url(source.image_root):
            return _files_at([source.image_root], looked_for, source.name, data)
        return ImageFiles(Path(source.image_root).expanduser())
    have_urls = bool(looked_for) and all(each and is_url(each[0]) for each in looked_for)
    if urls := [url for place in places if (url := url_of_copy(place, folder)) is not None]:
        return ImageFiles(None) if have_urls else _files_at(urls, looked_for, source.name, data)

    def count(place: Path) -> tuple[int, int]:
        found = [ImageFiles(place).find(each) for each in looked_for]
        exact = sum(name in each for name, each in zip(found, looked_for, strict=True))
        return exact, sum(name is not None for name in found)

    best = max(places, key=count)
    if have_urls and count(best) == (0, 0):
        return ImageFiles(None)
    if best != places[0]:
        print(f"source {source.name}: its images are in {best.absolute()}")
    return ImageFiles(best)


def _files_at(urls: Sequence[str], names: Sequence[Sequence[str]], source: str, data: Data) -> ImageFiles:
    """The images at the first URL below which there are any of these; at the first of all where that is not known."""
    with session(data) as http:
        for url in filter(is_object, dict.fromkeys(urls)):
            try:
                listed = http.storage.list_below(url)
            except Unavailable as error:
                if error.is_temporary:
                    raise UserError(
                        f"source {source}: {redact(url)} cannot be fetched: {error}; run again later"
                    ) from None
                break  # who may not list a bucket may still read objects
            files = ImageFiles(url, [each.removeprefix(f"{url.rstrip('/')}/") for each in listed])
            if any(files.find(each) for each in names):
                print(f"source {source}: its images are at {url}")
                return files
    print(f"source {source}: its images are taken to be at {redact(urls[0])}")
    return ImageFiles(urls[0])


class ImageFiles:
    """The files of an image root."""

    def __init__(self, root: Path | str | None, listed: Iterable[str] = ()) -> None:
        """Args:
        root: a folder or a URL; None where each image has its own URL.
        listed: the paths of the files below a URL, where they are known; else nothing is found there.
        """
        self.root = root
        self._folder = root if isinstance(root, Path) else None
        self._listed = set(listed)
        self._alike = cache(self._list)
        self._sizes: dict[str, tuple[float, float] | Unavailable] = {}

    def locate(self, names: Sequence[Sequence[str]], source: str) -> list[str]:
        """The path below the root of each image; of one that is not there, its first name with `/` between its parts.

        A name is looked for as it is, and then without its first parts, as long as no two images become one. An
        absolute path that no file has becomes one below the root, so that it is said to be missing, not to be outside.

        Args:
            names: of each image, as in `LabelledImage`.
            source: name of the data source, for what is printed of images that were found by a part of their names.
        """
        found = {tuple(each): self.find(each) for each in names}
        images: dict[str | None, set[str]] = defaultdict(set)
        for each, file in found.items():
            images[file].add(each[0])
        by_part: dict[str, str] = {}
        for each, file in found.items():
            if file is None or (len(images[file]) > 1 and file not in each):
                name = _with_slashes(each[0]) if each else ""
                found[each] = name if os.path.isfile(name) else name.lstrip("/")
            elif file not in {*each, *map(_with_slashes, each), *map(unquote, each)}:
                by_part[each[0]] = file
        if by_part:
            name, file = next(iter(by_part.items()))
            print(
                f"source {source}: {len(by_part)} images are found by a part of their names, such as {file} by {name!r}"
            )
        return [found[tuple(each)] or "" for each in names]

    def find(self, names: Sequence[str]) -> str | None:
        """The path below the root of the image that has one of these names; None where it is not there."""
        for name in names:
            for path in (name, *_tails(name)):
                if (file := self._file(path)) is not None:
                    return file
        return None

    def size(self, name: str, width: float, height: float) -> tuple[float, float]:
        """Width and height of an image, in pixels: those that the annotations say, else those of the file.

        Args:
            name: its path below the root.
            width: that the annotations say; NaN or 0 where they do not.
            height: likewise.

        Raises:
            Unusable: neither is known.
        """
        if _is_size(width, height):
            return width, height
        if self._folder is None:
            fetched = self._sizes.get(name)
            if fetched is None:
                raise Unusable("the image's size is missing")
            if isinstance(fetched, Unavailable):
                raise Unusable(f"the image's size is missing, and {fetched}")
            return fetched
        size = image_size(self._folder / name)
        if math.isnan(size[0]):
            raise Unusable(f"the image's size is missing, and {self._folder / name} cannot be opened")
        return size

    def fetch_sizes(self, names: Sequence[str], sizes: Sequence[tuple[float, float]], source: str, data: Data) -> None:
        """Read from images at URLs the sizes that the annotations do not say, for `size`; not from those in a folder.

        Args:
            names: as `locate` gives them.
            sizes: width and height of each, as the annotations say.
            source: name of the data source; for messages.
            data: limits and repetitions.

        Raises:
            UserError: more images than `data.max_failed_fraction`, or all, may be there another time: a network that
                fails is not to make the data set smaller.
        """
        unknown = [name for name, size in zip(names, sizes, strict=True) if name and not _is_size(*size)]
        missing = list(dict.fromkeys(unknown)) if self._folder is None else []
        if not missing:
            return
        print(f"source {source}: {len(missing)} images are fetched for their sizes, which the annotations do not say")
        with session(data) as http, ThreadPool(data.workers) as pool:
            fetched = pool.map(partial(self._fetch_size, http, data), missing, chunksize=1)
        self._sizes |= zip(missing, fetched, strict=True)
        failed = [each for each in fetched if isinstance(each, Unavailable) and each.is_temporary]
        listed = len({*names})
        if len(failed) > data.max_failed_fraction * listed or (failed and len(failed) == listed):
            raise UserError(
                f"source {source}: {failed[0]}; {len(failed)} of {listed} images failed so, and "
                f"data.max_failed_fraction={data.max_failed_fraction:g} allows "
                f"{int(data.max_failed_fraction * listed)}; run again later"
            )

    def _fetch_size(self, http: Session, data: Data, name: str) -> tuple[float, float] | Unavailable:
        url = url_below(self.root, name) if isinstance(self.root, str) and not is_url(name) else name
        if not is_url(url):
            return Unavailable("its name is no URL")
        try:
            size = image_size(BytesIO(fetch(http, url, data)[0]))
        except Unavailable as error:
            return Unavailable(f"{redact(url)} cannot be fetched: {error}", is_temporary=error.is_temporary)
        return Unavailable(f"{redact(url)} is no image") if math.isnan(size[0]) else size

    def _file(self, path: str) -> str | None:
        """The path of a file below the root, with its suffix; None where there is none."""
        if not path or path.startswith("/") or ".." in path.split("/") or "\0" in path:
            return None
        path = posixpath.normpath(path)  # ./a.jpg and a.jpg are one image
        # Letters with accents are one character or two, as the system has it that wrote the name.
        for written in dict.fromkeys([path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))]):
            if written in self._listed or (self._folder is not None and os.path.isfile(self._folder / written)):
                return written
        folder, _, name = path.rpartition("/")
        has_suffix = name.lower().endswith(image_suffixes())
        by_name, by_stem = self._alike(folder)
        alike = by_name.get(name.casefold(), []) if has_suffix else by_stem.get(name, [])
        return f"{folder}/{alike[0]}".lstrip("/") if len(alike) == 1 else None

    def _list(self, folder: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The images in a folder below the root, by their names in one case and by those without their suffixes."""
        try:
            names = (
                sorted(os.listdir(self._folder / folder)) if self._folder else self._listed_by_folder.get(folder, [])
            )
        except (OSError, ValueError):
            names = []
        by_name: dict[str, list[str]] = defaultdict(list)
        by_stem: dict[str, list[str]] = defaultdict(list)
        for name in names:
            if name.lower().endswith(image_suffixes()):
                by_name[name.casefold()].append(name)
                by_stem[os.path.splitext(name)[0]].append(name)
        return by_name, by_stem

    @cached_property
    def _listed_by_folder(self) -> dict[str, list[str]]:
        """The names of the files that are listed, by their folders."""
        names: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._listed):
            folder, _, name = path.rpartition("/")
            names[folder].append(name)
        return names


@cache
def image_suffixes() -> tuple[str, ...]:
    """The suffixes of image files that can be decoded, such as .jpg."""
    return tuple(suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS)


def files_below(folder: Path) -> Iterator[str]:
    """The paths below a folder of the files in it and its subfolders, sorted; hidden ones are not looked at."""
    for place, subfolders, names in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        relative = Path(place).relative_to(folder)
        yield from ((relative / name).as_posix() for name in sorted(names) if not name.startswith("."))


def annotation_files(source: Source, suffix: str, whose: str) -> tuple[Path, list[Path]]:
    """The files of a source's `annotations`, which is their folder or one of them: that folder, and the files sorted.

    Args:
        source: its `annotations` is set.
        suffix: of the files, in lower case.
        whose: annotations they are; for the message.

    Raises:
        UserError: there is none.
    """
    place = local_place(str(source.annotations), source.name)
    if not place.is_dir():
        return place.parent, [place]
    files = [place / name for name in files_below(place) if name.lower().endswith(suffix)]
    if not files:
        raise UserError(f"source {source.name}: there is no {suffix} in {place}, which {whose} annotations are")
    return place, files


def names_beside(file: Path, root: Path, said: Sequence[str]) -> list[str]:
    """What the image of an annotation file may be called, below the root: as the file says, or as the file itself.

    The file's own name comes first where what it says is the image of another annotation file: files were renamed or
    copied, and tools open the image that lies beside.
    """
    own = file.relative_to(root).with_suffix("").as_posix()
    others = [(root / name).with_suffix(file.suffix) for name in said if PurePath(name).name]
    renamed = any(other.stem != file.stem and os.path.isfile(other) for other in others)
    return [own, *said] if renamed else [*said, own]


def images_below(folder: Path) -> list[str]:
    """The paths below a folder of the images in it and its subfolders, by their suffixes."""
    return [name for name in files_below(folder) if name.lower().endswith(image_suffixes())]


def image_size(file: Path | BytesIO) -> tuple[float, float]:
    """Width and height, in pixels, of an image as it is displayed; NaN where it cannot be opened."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            return (height, width) if orientation_of(image) >= 5 else (width, height)
    except Exception:  # broken headers make Pillow raise exceptions of many kinds
        return math.nan, math.nan


def _is_size(width: float, height: float) -> bool:
    """Whether annotations say a size; NaN and 0 say none."""
    return width >= 1 and height >= 1


def _line(image: LabelledImage, name: str, files: ImageFiles) -> str:
    if image.unusable or not name:
        return unusable_line(name, image.unusable or "an image without a name")
    try:
        return annotation_line(name, *files.size(name, image.width, image.height), image.plates)
    except Unusable as error:
        return unusable_line(name, str(error))


def _tails(name: str) -> Iterator[str]:
    """The name with `/` between its parts, and then without its first parts, one after another.

    Each is followed by what it is where it is percent-encoded, as Label Studio's are; those of URLs are decoded.
    """
    path = path_of(name) if is_url(name) else _with_slashes(name)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        parts = parts[len(parts) - parts[::-1].index("..") :]
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        yield from dict.fromkeys([tail, tail if is_url(name) else unquote(tail)])


def _with_slashes(name: str) -> str:
    """A path with `/` between its parts; of a URL that cannot be fetched, its path."""
    if is_url(name):
        return name
    if "://" in name:
        name = path_of(name).lstrip("/")
    name = name.strip().replace("\\", "/")
    return re.sub(r"^[A-Za-z]:/", "/", name).removeprefix("./")
