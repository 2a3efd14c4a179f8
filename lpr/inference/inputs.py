"""The images and videos that a command line names, and their pixels."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lpr.data.decoding import decode, orientation_of, upright
from lpr.data.unavailable import Unavailable
from lpr.errors import UserError
from lpr.inference.file_types import kind_of

_JPEG = b"\xff\xd8\xff"
_MIN_DECODED = 0.9  # of a video's frame count, below which it is truncated; containers count frames roughly


class Unreadable(UserError):
    """Why something cannot be read as an image or a video."""


@dataclass(frozen=True)
class Inputs:
    """The files that names stand for.

    Attributes:
        paths: each once, in their order.
        left_out: files of folders that are no images or videos.
        subfolders: of folders, that were not looked into.
    """

    paths: list[Path]
    left_out: list[Path]
    subfolders: list[Path]


def find_inputs(names: Sequence[str], recursive: bool = False, output: Path | None = None) -> Inputs:
    """The files that the names stand for.

    A folder stands for the images and videos in it, by their content; a pattern (`*`, `?`, `[…]`, `**`) for the files
    that it matches, both sorted. What is hidden (`.name`) is not looked at. A name that stands for no file stays:
    opening it raises the error.

    Args:
        names: of files and folders, and patterns.
        recursive: whether the subfolders of a folder are looked into; links to folders are not followed.
        output: a folder that is not looked into.
    """
    paths: dict[Path, None] = {}
    left_out: list[Path] = []
    subfolders: list[Path] = []
    for name in names:
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


def _files_of(folder: Path, recursive: bool, output: Path | None, subfolders: list[Path]) -> Iterator[Path]:
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
        elif output is None or path.resolve() != output.resolve():
            if recursive and not path.is_symlink():
                yield from _files_of(path, recursive, output, subfolders)
            else:
                subfolders.append(path)


def is_video(path: Path) -> bool:
    """Whether a file is to be opened as a video."""
    return kind_of(path) == "video"


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
    workers: int = 1


def download(url: str) -> bytes:
    """The body at an http(s) URL.

    Raises:
        Unreadable: it cannot be fetched, or is larger than 50 MB.
    """
    from lpr.data.fetching import fetch, session  # an HTTP client takes a tenth of a second to load

    limits = _Limits()
    try:
        with session(limits) as http:
            return fetch(http, url, limits)[0]
    except Unavailable as error:
        raise Unreadable(str(error)) from None


@dataclass(frozen=True)
class Video:
    """An open video: its size in pixels, frames a second, and approximate number of frames."""

    capture: cv2.VideoCapture
    width: int
    height: int
    frames_per_second: float
    frame_count: int

    def frames(self) -> Iterator[np.ndarray]:
        """Its frames, uint8 (h, w, 3) RGB, in order.

        Raises:
            Unreadable: it has no frame, or is truncated.
        """
        count = 0
        while True:
            there, frame = self.capture.read()
            if not there:
                break
            count += 1
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if count == 0:
            raise Unreadable("a video without a frame that can be decoded")
        if count < _MIN_DECODED * self.frame_count:
            raise Unreadable(f"a video that breaks off after {count} of {self.frame_count} frames")


@contextmanager
def open_video(source: str | Path | int) -> Iterator[Video]:
    """A video, while it is open.

    Args:
        source: a file, or the number of a camera.

    Raises:
        Unreadable: it is missing or no video, or there is no such camera.
    """
    place = source if isinstance(source, int) else str(source)
    if isinstance(place, str) and not Path(place).is_file():
        raise Unreadable("no such file")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # no message for every broken frame
    capture = cv2.VideoCapture(place)
    try:
        if not capture.isOpened():
            raise Unreadable(
                "there is no such camera" if isinstance(place, int) else "not a video that FFmpeg can open"
            )
        yield Video(
            capture,
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            _frame_rate(capture.get(cv2.CAP_PROP_FPS)),
            max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))),
        )
    finally:
        capture.release()


def _frame_rate(stated: float) -> float:
    """Frames a second as a video states them; 25 where it states none."""
    return stated if math.isfinite(stated) and stated > 0 else 25.0
