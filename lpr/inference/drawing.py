"""Images and videos with the plates drawn on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lpr.errors import UserError
from lpr.inference.plates import Plate
from lpr.report.canvas import LINE_COLOURS

_COLOUR = LINE_COLOURS[4]  # orange, as predictions have in the report
_JPEG_QUALITY = 90
_MAX_NUMERATOR = 2**16 - 1  # of a frame rate in MPEG-4 part 2 (ISO/IEC 14496-2, vop_time_increment_resolution)


def draw_plates(image: Image.Image, plates: Sequence[Plate]) -> Image.Image:
    """A copy of the image with each plate framed, and its text and confidence above it or, for want of room, below."""
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    longest = max(drawn.size)
    line = max(2, round(longest / 400))
    font = ImageFont.load_default(max(12, round(longest / 45)))
    for plate in plates:
        left, top, right, bottom = (round(side) for side in plate.box)
        for width, colour in ((line + 2, "black"), (line, _COLOUR)):
            pen.rectangle((left - width, top - width, right + width, bottom + width), outline=colour, width=width)
        label = f"{plate.text} {plate.confidence:.2f}".strip()
        _, _, label_width, label_height = pen.textbbox((0, 0), label, font)
        x = max(0, min(left - line, drawn.width - label_width - 2 * line))
        y = top - line - label_height - 2 * line
        if y < 0:
            y = min(bottom + line, drawn.height - label_height - 2 * line)
        pen.rectangle((x, y, x + label_width + 2 * line, y + label_height + 2 * line), fill=_COLOUR)
        pen.text((x + line, y + line), label, "black", font)
    return drawn


def save_image(image: Image.Image, path: Path) -> None:
    """Write a JPEG."""
    image.save(path, "JPEG", quality=_JPEG_QUALITY)


class VideoFile:
    """An MPEG-4 file that is written frame by frame.

    Raises:
        UserError: it cannot be written.
    """

    def __init__(self, path: Path, frames_per_second: float, width: int, height: int) -> None:
        code = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), code, _writable_rate(frames_per_second), (width, height))
        if not self._writer.isOpened():
            raise UserError(f"{path} cannot be written")

    def __enter__(self) -> VideoFile:
        return self

    def add(self, frame: Image.Image) -> None:
        """Append an RGB frame."""
        self._writer.write(cv2.cvtColor(np.asarray(frame), cv2.COLOR_RGB2BGR))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.release()


def _writable_rate(frames_per_second: float) -> float:
    """The nearest frame rate that OpenCV can write.

    It makes a fraction of it whose denominator is a power of ten.
    """
    rate = min(frames_per_second, _MAX_NUMERATOR)
    return next(round(rate, digits) for digits in (3, 2, 1, 0) if round(rate, digits) * 10**digits <= _MAX_NUMERATOR)
