"""The images and videos that a command line names, and their pixels."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lpr.errors import UserError

# The files of a folder that are inputs; a file that is named itself is an image unless it has a suffix of videos.
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".jp2", ".ppm", ".pgm"}
)
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".ts"})

_JPEG = b"\xff\xd8\xff"
_MIN_DECODED = 0.9  # of a video's frame count, below which it is truncated; containers count frames roughly


class Unreadable(UserError):
    """Why something cannot be read as an image or a video."""


def find_inputs(names: Sequence[str]) -> list[Path]:
    """The files that the names stand for, each once, in their order.

    A folder stands for the images and videos in it (not for those in its subfolders), a pattern (`*`, `?`, `[…]`,
    `**`) for the files that it matches, both sorted. A name that stands for no file stays: opening it raises the error.
    """
    paths: dict[Path, None] = {}
    for name in names:
        found = [Path(name)]
        if not os.path.lexists(name):
            found = sorted(Path(match) for match in glob.glob(name, recursive=True)) or found
        for path in found:
            inside = sorted(file for file in path.iterdir() if _is_listed(file)) if path.is_dir() else []
            paths.update(dict.fromkeys(inside or [path]))
    return list(paths)


def is_video(path: Path) -> bool:
    """Whether a file is to be opened as a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_image(path: Path) -> np.ndarray:
    """An upright image, uint8 (h, w, 3) RGB, decoded to the same pixels as for training.

    Raises:
        Unreadable: it is missing, no image, or truncated.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable("no such file") from None
    except IsADirectoryError:
        raise Unreadable("a folder without images or videos") from None
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
    # OpenCV decodes a JPEG to the same pixels as Pillow in half the time, and applies its EXIF orientation as well.
    if content.startswith(_JPEG):
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
        if image is not None:
            return np.asarray(image)
    from lpr.data.decoding import decode
    from lpr.data.fetching import Unavailable

    try:
        return np.asarray(decode(content)[0])
    except Unavailable as error:
        raise Unreadable(str(error)) from None


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
    from lpr.data.fetching import Unavailable, fetch, session

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
            capture.get(cv2.CAP_PROP_FPS) or 25.0,
            max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))),
        )
    finally:
        capture.release()


def _is_listed(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()
