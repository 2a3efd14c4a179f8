"""A plate that was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plate:
    """A plate in a image.

    Attributes:
        box: xmin, ymin, xmax, ymax in pixels.
        confidence: that there is a plate, in 0–1.
        text: as the reader has it, empty where it read nothing.
        text_confidence: in 0–1; None without a reader.
        frame: of a video, from 0.
        track: of a video: equal for what is taken for the same plate in several frames; from 1.
    """

    box: tuple[float, float, float, float]
    confidence: float
    text: str = ""
    text_confidence: float | None = None
    frame: int | None = None
    track: int | None = None
