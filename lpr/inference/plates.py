"""A detected plate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plate:
    """A plate in an image.

    Attributes:
        box: xmin, ymin, xmax, ymax in pixels.
        confidence: of the detection, in 0–1.
        text: as the OCR engine recognized it, empty where it recognized none.
        text_confidence: in 0–1; None without an OCR engine.
        frame: number of the frame in a video, from 0.
        track: in a video, from 1: equal for detections in several frames that are taken for the same plate.
    """

    box: tuple[float, float, float, float]
    confidence: float
    text: str = ""
    text_confidence: float | None = None
    frame: int | None = None
    track: int | None = None
