"""The images and videos that a command line names, and their pixels."""

from __future__ import annotations

import glob
import hashlib
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

import cv2
import numpy as np
from PIL import Image

from lpr.data.decoding import decode, orientation_of, upright
from lpr.data.object_storage import ObjectStorage, is_object
from lpr.data.unavailable import Unavailable
from lpr.errors import UserError
from lpr.inference.file_types import kind_of, kind_of_name

# Of a URL: user name and password, which may have any character in them, but where what is before the path is a plain
# host, whose path may have an @; and parameters that hold secrets, which many cameras have in the query or the path.
_PLAIN_HOST = re.compile(r"(?:https?|s3|gs)://[^/?#@:]*(?::\d*)?(?:[/?#]|$)")
_USER = re.compile(r"(?<=://).*@")
_SECRET = re.compile(r"(?i)([?&/;_][^=&#?/;]*(?:pass|pwd|psw|token|secret|auth|key|sig)[^=&#?/;]*=)[^&#]*")
_JPEG = b"\xff\xd8\xff"
_LARGEST_BYTES = 1 << 30  # of an image's file; a larger one, such as a renamed disk image, would not fit in memory
_MIN_DECODED = 0.9  # of a video's frame count, below which it is truncated; containers count frames roughly


class Unreadable(UserError):
    """Why something cannot be read as an image or a video."""


@dataclass(frozen=True)
class Stream:
    """An address that is no file. As text, it is without passwords.

    Attributes:
        address: a URL as the user wrote it, or the number of a camera.
    """

    address: str | int = field(repr=False)

    @classmethod
    def named(cls, name: str) -> Stream | None:
        """The stream that a name stands for; None where that is a file or a pattern of files."""
        if os.path.lexists(name):
            return None
        if name.isdecimal():
            return cls(int(name))
        return cls(name) if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", name) else None

    def __str__(self) -> str:
        address = str(self.address)
        if not _PLAIN_HOST.match(address):
            address = _USER.sub("***@", address)
        return _SECRET.sub(r"\1***", address)

    @cached_property
    def fingerprint(self) -> str | None:
        """What tells the address from others of the same text, where that leaves something out; else None.

        It takes 10 ms to compute, so that whoever has it cannot try out all passwords.
        """
        address = str(self.address)
        if str(self) == address:
            return None
        return hashlib.scrypt(os.fsencode(address), salt=b"lpr", n=1 << 12, r=8, p=1, dklen=8).hex()

    @property
    def is_object(self) -> bool:
        """Whether it is in object storage: an image, or a folder of them where it ends with a slash."""
        return isinstance(self.address, str) and is_object(self.address)

    @property
    def stem(self) -> str:
        """A name for files that are made of it."""
        if isinstance(self.address, int):
            return f"camera-{self.address}"
        parts = (
            re.split(r"[?#]", str(self), maxsplit=1)[0].rpartition("***@")[2].rpartition("//")[2].strip("/").split("/")
        )
        return re.sub(r"[^\w.-]+", "-", Path(unquote(parts[-1])).stem if len(parts) > 1 else parts[0]) or "stream"


Source: TypeAlias = Path | Stream
"""What is read: a file, or a stream."""


@dataclass(frozen=True)
class Inputs:
    """The files and streams that names stand for.

    Attributes:
        paths: each once, in their order.
        left_out: files of folders that are no images or videos.
        subfolders: of folders, that were not looked into.
    """

    paths: list[Source]
    left_out: list[Source]
    subfolders: list[Source]


def find_inputs(names: Sequence[str], recursive: bool = False, output: Path | None = None) -> Inputs:
    """The files and streams that the names stand for.

    A folder stands for the images and videos in it, by their content; a pattern (`*`, `?`, `[…]`, `**`) for the files
    that it matches, both sorted. What is hidden (`.name`) is not looked at. A name that stands for no file stays:
    opening it raises the error. URLs, and numbers that are no files', are streams. A URL of object storage that ends
    with a slash stands for the images and videos in that folder, by their names.

    Args:
        names: of files and folders, patterns, URLs, numbers of cameras.
        recursive: whether the subfolders of a folder are looked into; links to folders are not followed.
        output: a folder that is not looked into.
    """
    paths: dict[Source, None] = {}
    left_out: list[Source] = []
    subfolders: list[Source] = []
    for name in names:
        if stream := Stream.named(name):
            images = _images_below(stream, recursive, left_out, subfolders) if stream.is_object else []
            paths.update(dict.fromkeys(images or [stream]))
            continue
        found = [Path(name)]
        if not os.path.lexists(name):
            found = sorted(Path(match) for match in glob.glob(name, recursive=True)) or found
        for path in found:
            inside = []
            if os.path.isdir(path):  # unlike Path.is_dir, False for a name that is too long
                for file in _files_of(path, recursive, output, subfolders):
                    if kind_of(file):
                        inside.append(file)
                    else:
                        left_out.append(file)
            paths.update(dict.fromkeys(inside or [path]))
    return Inputs(list(paths), left_out, subfolders)


def _images_below(folder: Stream, recursive: bool, left_out: list[Source], subfolders: list[Source]) -> list[Stream]:
    """The images and videos in a folder in object storage; none where it is no folder, or cannot be listed.

    What is neither, by its name, is added to `left_out`, and the subfolders that are not looked into to `subfolders`.
    """
    url = str(folder.address)
    if not url.endswith("/"):
        return []
    try:
        below = [each for each in ObjectStorage(_Limits()).list_below(url) if not each.endswith("/")]
    except Unavailable:
        return []
    deeper = {each: each.removeprefix(url).partition("/")[0] for each in below if "/" in each.removeprefix(url)}
    if not recursive:
        subfolders += [Stream(f"{url}{name}") for name in dict.fromkeys(deeper.values())]
        below = [each for each in below if each not in deeper]
    left_out += [Stream(each) for each in below if not kind_of_name(each)]
    return [Stream(each) for each in below if kind_of_name(each)]


def _files_of(folder: Path, recursive: bool, output: Path | None, subfolders: list[Source]) -> Iterator[Path]:
    """What is in a folder but folders; the subfolders that are not looked into are added to `subfolders`."""
    try:
        content = sorted(folder.iterdir())
    except OSError:  # opening the folder says why
        if recursive:
            yield folder
        return
    for path in content:
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            yield path
        elif output is None or os.path.realpath(path) != os.path.realpath(output):
            if recursive and not path.is_symlink():
                yield from _files_of(path, recursive, output, subfolders)
            else:
                subfolders.append(path)


def is_video(source: Source) -> bool:
    """Whether a source is to be opened as a video; a stream is, unless it turns out to be an image."""
    return not source.is_object if isinstance(source, Stream) else kind_of(source) == "video"


def read_image(path: Path) -> np.ndarray:
    """An upright image, uint8 (h, w, 3) RGB, decoded to the same pixels as for training.

    Raises:
        Unreadable: it is missing, no image, or truncated.
    """
    try:
        if os.path.isdir(path):
            next(path.iterdir(), None)  # else of a folder that cannot be listed, nobody would know why
            raise Unreadable("a folder without images or videos")
        if os.path.exists(path) and not os.path.isfile(path):
            raise Unreadable("not a file: a pipe, a socket or a device")
        if os.path.exists(path) and path.stat().st_size > _LARGEST_BYTES:
            raise Unreadable("larger than 1 GB")
        content = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable("no such file") from None
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read") from None
    return decode_image(content)


def decode_image(content: bytes) -> np.ndarray:
    """The image in the bytes of a file, upright, uint8 (h, w, 3) RGB, decoded to the same pixels as for training.

    Raises:
        Unreadable: it is no image, or truncated.
    """
    if not content:
        raise Unreadable("an empty file")
    try:
        pixels = _decode_jpeg(content) if content.startswith(_JPEG) else None
        return np.asarray(decode(content)[0]) if pixels is None else pixels
    except Unavailable as error:
        raise Unreadable(str(error)) from None


def _decode_jpeg(content: bytes) -> np.ndarray | None:
    """A JPEG by OpenCV: the same pixels as by Pillow in half the time; None where one of them cannot decode it."""
    orientation, flags = 1, cv2.IMREAD_COLOR_RGB
    try:
        with Image.open(BytesIO(content), formats=["JPEG"]) as header:  # decodes nothing yet
            orientation, flags = orientation_of(header), flags | cv2.IMREAD_IGNORE_ORIENTATION
    except Image.DecompressionBombError:  # Pillow refuses 200 megapixels; OpenCV, which knows EXIF, 1000
        pass
    except Exception:  # broken bytes make Pillow raise exceptions of many kinds
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None
    if pixels is None or orientation == 1:
        return pixels
    return np.asarray(upright(Image.fromarray(pixels), orientation))


@dataclass(frozen=True)
class _Limits:
    """Of a download."""

    attempts: int = 4
    timeout_s: float = 20.0
    max_bytes: int = 50_000_000
    workers: int = 32


def download(url: str) -> bytes:
    """What is at an http(s) URL, or an object in object storage.

    Raises:
        Unreadable: it cannot be fetched, or is larger than 50 MB.
    """
    limits = _Limits()
    try:
        if is_object(url):
            return ObjectStorage(limits).fetch(url)[0]
        from lpr.data.fetching import fetch, session  # an HTTP client takes a tenth of a second to load

        with session(limits) as http:
            return fetch(http, url, limits)[0]
    except Unavailable as error:
        raise Unreadable(str(error)) from None


class VideoFrame(NamedTuple):
    """A frame of a video.

    Attributes:
        number: from 0.
        pixels: uint8 (h, w, 3) RGB.
        time: when it came, of a live stream; else None.
    """

    number: int
    pixels: np.ndarray
    time: datetime | None = None


@dataclass(frozen=True)
class Video:
    """An open video: its size in pixels, frames a second, and approximate number of frames."""

    capture: cv2.VideoCapture
    width: int
    height: int
    frames_per_second: float
    frame_count: int

    def frames(self) -> Iterator[VideoFrame]:
        """Its frames in order.

        Raises:
            Unreadable: it has no frame, or is truncated.
        """
        count = 0
        while True:
            there, frame = self.capture.read()
            if not there:
                break
            yield VideoFrame(count, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            count += 1
        if count == 0:
            raise Unreadable("a video without a frame that can be decoded")
        if count < _MIN_DECODED * self.frame_count:
            raise Unreadable(f"a video that breaks off after {count} of {self.frame_count} frames")


@contextmanager
def open_video(path: str | Path) -> Iterator[Video]:
    """The video in a file, while it is open.

    Raises:
        Unreadable: it is missing or no video.
    """
    if not Path(path).is_file():
        raise Unreadable("no such file")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # no message for every broken frame
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise Unreadable("not a video that FFmpeg can open")
        yield video_of(capture)
    finally:
        capture.release()


def video_of(capture: cv2.VideoCapture) -> Video:
    """What OpenCV has opened; its `frame_count` is 0 where it is not known."""
    return Video(
        capture,
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        _frame_rate(capture.get(cv2.CAP_PROP_FPS)),
        max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))),
    )


def _frame_rate(stated: float) -> float:
    """Frames a second as a video states them; 25 where it states none."""
    return stated if math.isfinite(stated) and stated > 0 else 25.0
