"""The cache of photographs: fetched from wherever they are, kept as RGB JPEGs, and the plates' boxes in them.

A cached picture says in its JPEG comment what it was made of and how. So the folder alone tells what is done: a run
that was interrupted, even by `kill -9`, goes on where it stopped, and no second record can disagree with the files.
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pandas as pd
import requests
from PIL import ExifTags, Image, UnidentifiedImageError
from tqdm import tqdm

from lpr.config import Data, Source
from lpr.data.fetch import Unavailable, fetch, is_http, last_part, redact, session
from lpr.data.placement import is_resized
from lpr.data.tables import write_table
from lpr.errors import UserError

PICTURE_COLUMNS = [
    *["image", "source", "width", "height", "stored_width", "stored_height", "orientation"],
    *["format", "bytes", "sha256", "fetched"],
]
FAILURE_COLUMNS = ["image", "source", "url", "fetched", "reason", "attempts"]

# What photographs come as. Pillow opens more, some of it by running other programs.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
# Of the conversion below: raise it when the same bytes become another picture, so that caches are made anew.
_RECIPE = 1
_TURN = 4  # pictures that a thread takes at a time: handing over every single one costs a tenth of the speed

# EXIF 2.32, tag 0x0112: what puts a picture of that orientation upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def download(
    plates: pd.DataFrame, data: Data, sources_folder: Path, cache: Path, pictures_csv: Path, failures_csv: Path
) -> dict[str, int]:
    """Make `cache` hold exactly the pictures that `plates` lists and that can be had, as RGB JPEGs.

    A picture that is there, made of the same original in the same way, is kept: one from the network is not asked for
    again, one from a folder is read and compared by SHA-256. A photograph that is an upright RGB JPEG already loses its
    metadata, but keeps its pixels to the bit; `data.jpeg_quality` is for all the others.

    Args:
        plates: rows of `plates.csv`; needs image, source, url, image_width, image_height.
        sources_folder: the drawn scenes of source NAME lie in `sources_folder/NAME`.
        pictures_csv: written, `PICTURE_COLUMNS`: a row a cached picture, sorted by image.
        failures_csv: written, `FAILURE_COLUMNS`: a row a picture that could not be had, sorted by image.

    Returns:
        Counts that depend on the pictures alone, not on what was cached before: pictures, failed, resized (the size is
        not what the JSON says), turned (by EXIF), and `format_NAME` for every original format.

    Raises:
        UserError: more pictures than `data.max_failed_fraction` are missing, or none is there (both tables are
            written first); a source or its folder does not exist; the cache cannot be written.
    """
    started = time.monotonic()
    places = {source.name: _place(source, sources_folder) for source in data.sources}
    listed = plates.drop_duplicates("image")[["image", "source", "url"]]
    if unknown := sorted(set(listed["source"]) - set(places)):
        raise UserError(
            f"the plates come from source {unknown[0]!r}, which data.sources lacks: run `lpr annotate` again"
        )
    removed = _remove_others(cache, set(listed["image"]))

    with session(data) as http, _any_number_of_pixels(), ThreadPool(data.workers) as pool:
        worker = _Worker(data, places, cache, http)
        outcomes = pool.imap_unordered(worker, listed.itertuples(index=False, name=None), _TURN)
        done = list(tqdm(outcomes, desc="download", total=len(listed), unit=" pictures", disable=None))

    pictures = pd.DataFrame([row for row, _ in done if "reason" not in row], columns=PICTURE_COLUMNS)
    failures = pd.DataFrame([row for row, _ in done if "reason" in row], columns=FAILURE_COLUMNS)
    pictures = pictures.sort_values("image", ignore_index=True)
    failures = failures.sort_values("image", ignore_index=True)
    write_table(pictures, pictures_csv)
    write_table(failures, failures_csv)

    placed = plates.merge(pictures.drop(columns="source"), on="image")
    counts = {
        "pictures": len(pictures),
        "failed": len(failures),
        "resized": int(placed.loc[is_resized(placed), "image"].nunique()),
        "turned": int((pictures["orientation"] != 1).sum()),
    }
    formats = {f"format_{name.lower()}": count for name, count in sorted(Counter(pictures["format"]).items())}
    fetched = sum(fresh for _, fresh in done)
    seconds = time.monotonic() - started
    print(
        f"{cache}: {counts['pictures']} pictures ({fetched} fetched, {len(pictures) - fetched} kept), "
        f"{counts['failed']} failed, {removed} removed; {counts['turned']} turned by EXIF, "
        f"{counts['resized']} not of the size that the JSON says; {seconds:.1f} s, {len(done) / seconds:.0f} pictures/s"
    )
    if len(failures) > data.max_failed_fraction * len(listed) or pictures.empty:
        raise UserError(_too_many(failures, len(listed), places, data, failures_csv))
    return counts | formats


@dataclass(frozen=True)
class _Place:
    """Where a source's pictures are: below a base URL, in a folder, or (both None) each at its own URL."""

    kind: str
    base_url: str | None = None
    folder: Path | None = None
    links: bool = False  # whether what the folder holds may be links to elsewhere

    def locate(self, url: str) -> str:
        """The URL to ask for, or the path relative to the folder.

        Raises:
            Unavailable: nothing may be fetched from there.
        """
        try:
            if self.base_url is None and self.folder is None:
                if not is_http(url):
                    raise Unavailable("not an http(s) URL; files are taken only from a folder that data.mirror names")
                return url
            relative = last_part(url) if self.kind == "dataturks" else url
        except ValueError:
            raise Unavailable("not a URL") from None
        parts = Path(relative).parts
        if not parts or ".." in parts or Path(relative).is_absolute() or "\0" in relative:
            raise Unavailable("not the name of a file in its folder")
        if self.base_url is None:
            return relative
        base = urlsplit(self.base_url)
        return base._replace(path=f"{base.path.rstrip('/')}/{quote(relative)}").geturl()

    def read(self, relative: str, max_bytes: int) -> bytes:
        """A file of the folder.

        Raises:
            Unavailable: it is not there, cannot be read, is too large, or lies elsewhere.
        """
        assert self.folder is not None
        path = self.folder / relative
        if not self.links and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder)):
            raise Unavailable("a link that leads out of its folder")
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


def _place(source: Source, sources_folder: Path) -> _Place:
    if source.kind == "synthetic":
        # DVC may have put links into its own cache there.
        return _Place(source.kind, folder=sources_folder / source.name, links=True)
    if source.mirror is not None and is_http(source.mirror):
        return _Place(source.kind, base_url=source.mirror)
    if source.mirror is not None:
        folder, key = Path(source.mirror).expanduser(), "its mirror, in the configuration"
    elif source.kind == "table":
        folder, key = Path(str(source.where)).expanduser().parent / "images", "beside its CSV; or set its mirror"
    else:
        return _Place(source.kind)
    if not folder.is_dir():
        raise UserError(f"source {source.name}: its pictures should be in {folder}, which is no folder ({key})")
    return _Place(source.kind, folder=folder)


@dataclass(frozen=True)
class _Worker:
    """Brings one picture after another into the cache; shared by the threads."""

    data: Data
    places: dict[str, _Place]
    cache: Path
    http: requests.Session

    def __call__(self, picture: tuple[str, str, str]) -> tuple[dict[str, Any], bool]:
        """The picture's row of pictures.csv (and whether it was made now) or of failures.csv."""
        image, source, url = picture
        fetched, attempts = "", 0
        try:
            if not _is_plain_name(image):
                raise Unavailable("`image` is not a plain file name")
            place, path = self.places[source], self.cache / image
            address = place.locate(url)
            fetched = redact(address)
            cached = self._cached(path, fetched)
            if place.folder is None:
                if cached is not None:
                    return {"image": image, "source": source, **cached}, False
                content, attempts = fetch(self.http, address, self.data)
            else:
                content = place.read(address, self.data.max_bytes)
            sha256 = hashlib.sha256(content).hexdigest()
            if cached is not None and cached["sha256"] == sha256:
                return {"image": image, "source": source, **cached}, False
            original = {"bytes": len(content), "sha256": sha256, "fetched": fetched}
            return {"image": image, "source": source, **self._make(path, content, original)}, True
        except Unavailable as error:
            if _is_plain_name(image):
                (self.cache / image).unlink(missing_ok=True)
            tried = error.attempts or attempts
            row = {"image": image, "source": source, "url": redact(url), "fetched": fetched}
            return {**row, "reason": str(error), "attempts": tried}, False

    def _cached(self, path: Path, fetched: str) -> dict[str, Any] | None:
        """The facts of a cached picture, if it is what fetching it now would make, as far as the address tells."""
        try:
            with Image.open(path, formats=["JPEG"]) as picture:
                comment = json.loads(picture.info["comment"])
                facts = {"width": picture.width, "height": picture.height, **comment["original"]}
            same = comment["made"] == self._made() and facts["fetched"] == fetched
            pixels = facts["stored_width"] * facts["stored_height"]
            return facts if same and facts["bytes"] <= self.data.max_bytes and pixels <= self.data.max_pixels else None
        except (OSError, KeyError, ValueError, TypeError):  # Not there, or not of our making.
            return None

    def _make(self, path: Path, content: bytes, original: dict[str, Any]) -> dict[str, Any]:
        picture, found = decode(content, self.data.max_pixels)
        original = {**found, **original}
        comment = json.dumps({"made": self._made(), "original": original}).encode()
        _write(path, _encode(picture, content, comment, self.data.jpeg_quality))
        return {"width": picture.width, "height": picture.height, **original}

    def _made(self) -> dict[str, int]:
        return {"recipe": _RECIPE, "quality": self.data.jpeg_quality}


def decode(content: bytes, max_pixels: int | None = None) -> tuple[Image.Image, dict[str, Any]]:
    """An upright RGB picture, and what it was; without `max_pixels`, Pillow's own limit holds.

    Raises:
        Unavailable: the bytes are no picture, or only the beginning of one, or one of too many pixels.
    """
    if not content:
        raise Unavailable("an empty answer")
    try:
        picture: Image.Image = Image.open(BytesIO(content), formats=_FORMATS)
        if max_pixels is not None and picture.width * picture.height > max_pixels:
            raise Unavailable(f"more pixels than data.max_pixels={max_pixels}")
        picture.load()
        orientation = _orientation(picture)
        found = {
            "stored_width": picture.width,
            "stored_height": picture.height,
            "orientation": orientation,
            "format": picture.format,
        }
        picture = _to_rgb(picture)
        return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture, found
    except Unavailable:
        raise
    except UnidentifiedImageError:
        what = "a web page" if re.search(rb"<(!doctype|html|head|body)\b", content[:1000], re.I) else "something else"
        raise Unavailable(f"not a picture but {what}") from None
    except Exception as error:  # Pillow's decoders raise whatever broken bytes lead them to.
        raise Unavailable(f"a broken picture: {error}") from None


def _encode(picture: Image.Image, content: bytes, comment: bytes, quality: int) -> bytes:
    """The upright RGB picture as a JPEG with that comment, and no other metadata.

    Content that is such a JPEG already keeps its own coding: a second one would cost time and detail.
    """
    # Pillow gives a format to what it opened, and none to what had to be changed.
    if picture.format == "JPEG" and (same := _replace_metadata(content, comment)) is not None:
        return same
    jpeg = BytesIO()
    try:
        picture.save(jpeg, "JPEG", quality=quality, comment=comment)
    except (OSError, ValueError) as error:
        raise Unavailable(f"no JPEG can be made of it: {error}") from None
    return jpeg.getvalue()


def _replace_metadata(jpeg: bytes, comment: bytes) -> bytes | None:
    """A JPEG without its APPn and COM segments (ITU-T T.81, annex B), but with that comment; None if it is malformed.

    What tells how colours are coded stays: APP0 (JFIF) and APP14 (Adobe).
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


def _orientation(picture: Image.Image) -> int:
    """EXIF's orientation, 1–8; 1 where there is none that makes sense.

    Not `ImageOps.exif_transpose`: it writes the EXIF anew, which fails on what some cameras put there.
    """
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Malformed EXIF, too, raises anything; the picture is good without.
        return 1
    return value if value in _UPRIGHT else 1


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "F":
        raise Unavailable("floating-point pixels, whose range is unknown")
    if picture.mode.startswith("I"):
        # 16 bits, which Pillow gives as 32 for some formats; its own conversion to 8 cuts off or clips.
        grey = np.clip(np.asarray(picture, dtype=np.int64), 0, 65535)
        picture = Image.fromarray(((grey + 128) // 257).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, whenever the process may end."""
    part = path.with_name(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _is_plain_name(image: str) -> bool:
    return re.fullmatch(r"[^./\\\0][^/\\\0]*", image) is not None


def _remove_others(cache: Path, listed: set[str]) -> int:
    """Remove what is not a listed picture; the number of pictures among that. Leftovers of a killed run go too."""
    removed = 0
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for path in cache.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in listed:
                path.unlink()
                removed += path.suffix != ".part"
    except OSError as error:
        raise UserError(f"{error.filename or cache}: {error.strerror}; the cache of pictures cannot be used") from None
    return removed


@contextmanager
def _any_number_of_pixels() -> Iterator[None]:
    """Pillow's own limit, which warns, is off: data.max_pixels is checked before anything is decoded."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    Image.init()  # here, because threads that need it at once would race
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _too_many(failures: pd.DataFrame, listed: int, places: dict[str, _Place], data: Data, failures_csv: Path) -> str:
    reasons = Counter(zip(failures["source"], failures["reason"], strict=True)).most_common(3)
    lines = []
    for (source, reason), count in reasons:
        place = places[source]
        where = place.folder or redact(place.base_url or "")
        at = f" ({where})" if where else ""
        lines.append(f"{count} × {reason}, of source {source}{at}")
    return (
        f"{len(failures)} of {listed} pictures could not be had; data.max_failed_fraction={data.max_failed_fraction:g} "
        f"allows {int(data.max_failed_fraction * listed)}:\n  "
        + "\n  ".join(lines)
        + f"\n{failures_csv} names them all. "
        "Run again when the cause is gone (what is cached is not fetched again), set data.mirror to where the pictures "
        "are, or raise data.max_failed_fraction."
    )
