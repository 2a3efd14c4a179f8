"""The plates of an upload. It is checked by its first bytes before anything is decoded. Knows no web framework."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel

from lpr.data.decoding import FORMATS
from lpr.errors import UserError
from lpr.inference.alpr import ALPR
from lpr.inference.file_types import kind_of_content
from lpr.inference.inputs import Unreadable, decode_image, open_video
from lpr.inference.plates import Plate
from lpr.inference.tracker import Tracks


@dataclass(frozen=True)
class Limits:
    """What a service accepts.

    Attributes:
        max_upload_bytes: of a request.
        max_pixels: of an image, or of a video's frame.
        queue_length: uploads that may wait while all workers are busy.
        timeout_s: for an upload to arrive, and then for its plates to be found.
    """

    max_upload_bytes: int = 32_000_000
    max_pixels: int = 50_000_000
    queue_length: int = 16
    timeout_s: float = 60.0


class Refused(UserError):
    """Why an upload is not processed.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class PlateFound(BaseModel):
    """A plate, as `Plate.to_dict` has it."""

    box: tuple[float, float, float, float]
    confidence: float
    text: str | None = None
    text_confidence: float | None = None
    candidates: list[dict[str, float]] | None = None
    regions: dict[str, float] | None = None
    frame: int | None = None
    track: int | None = None


class TrackFound(BaseModel):
    """A plate in the frames of a video, as `Track.to_dict` has it."""

    number: int
    first: int
    last: int
    plates: int
    text: str
    confidence: float | None = None


class Prediction(BaseModel):
    """What is found in an upload: the schema of the response; fields without a value are left out of it.

    Attributes:
        width, height: of the upright image or of the frames, pixels.
        plates: the most confident first; those of a video frame by frame.
        milliseconds: to decode the upload, find the plates and read them; without waiting.
        frames, frames_per_second, tracks: of a video.
    """

    width: int
    height: int
    plates: list[PlateFound]
    milliseconds: float
    frames: int | None = None
    frames_per_second: float | None = None
    tracks: list[TrackFound] | None = None


def predict(alpr: ALPR, content: bytes, max_pixels: int, deadline: float) -> dict[str, Any]:
    """The plates of an image or a video, as JSON can hold them; see `Prediction`.

    Args:
        content: of the file.
        max_pixels: of the image, or of a frame.
        deadline: of `time.monotonic()`, checked before each frame of a video.

    Raises:
        Refused: with status 400 (nothing in it), 413 (too many pixels), 415 (neither an image nor a video) or 422
            (broken).
        TimeoutError: the deadline is over.
    """
    started = time.perf_counter()
    try:
        if _is_image(content, max_pixels):
            found = _predict_image(alpr, content)
        else:
            found = _predict_video(alpr, content, max_pixels, deadline)
    except Unreadable as error:
        raise Refused(422, str(error)) from None
    return found | {"milliseconds": round(1000 * (time.perf_counter() - started), 1)}


def _is_image(content: bytes, max_pixels: int) -> bool:
    """Whether it is an image, else a video. An image's header alone is read: its pixels may be billions.

    Raises:
        Refused: it is neither, or has too many pixels.
    """
    if not content:
        raise Refused(400, "an empty file")
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            _check_size(*image.size, max_pixels)
        return True
    except Image.DecompressionBombError:
        # Pillow opens no image of twice as many pixels as its limit.
        raise Refused(413, f"more than {min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))} pixels") from None
    except UnidentifiedImageError:
        pass
    except Refused:
        raise
    except Exception as error:  # broken headers make Pillow raise exceptions of many kinds
        raise Refused(422, f"a broken image: {error}") from None
    if kind_of_content(content) == "image":
        raise Refused(422, "a broken image: its header is incomplete")
    # Nothing but videos reaches FFmpeg, which would also open playlists, and the files and URLs that they name.
    if kind_of_content(content) == "video":
        return False
    page = " but a web page" if re.search(rb"<(!doctype|html|head|body)\b", content[:1000], re.I) else ""
    raise Refused(415, f"neither an image nor a video{page}")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Refused(413, f"{width} × {height} pixels; at most {max_pixels} are accepted")


def _predict_image(alpr: ALPR, content: bytes) -> dict[str, Any]:
    pixels = decode_image(content)
    plates = alpr.kept(alpr.find(pixels, Image.fromarray(pixels)))
    return {"width": pixels.shape[1], "height": pixels.shape[0], "plates": [plate.to_dict() for plate in plates]}


def _predict_video(alpr: ALPR, content: bytes, max_pixels: int, deadline: float) -> dict[str, Any]:
    plates: list[Plate] = []
    frames, tracks = 0, Tracks()
    # OpenCV reads videos from files only. This one has no name: it is gone with the process, even after `kill -9`.
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        with open_video(f"/dev/fd/{file.fileno()}") as video:
            _check_size(video.width, video.height, max_pixels)
            for frame in alpr.frames(video):
                frames += 1
                tracks.add(frame.plates)
                plates += [replace(plate, crop=None, candidates=(), regions={}) for plate in frame.plates]
                if time.monotonic() > deadline:
                    raise TimeoutError
    return {
        "width": video.width,
        "height": video.height,
        "plates": [plate.to_dict() for plate in plates],
        "frames": frames,
        "frames_per_second": video.frames_per_second,
        "tracks": [track.to_dict() for track in tracks.summaries()],
    }
