"""A detected plate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

READ_THRESHOLD = 0.5
"""Confidence of a text below which nothing counts as read. Chosen, as `CERTAIN` is, by `benchmarks/unread_boxes.py`."""

CERTAIN = 0.7
"""Confidence of a detection from which it is a plate though nothing is read in it."""

MIN_LEGIBLE_PX = 14
"""Height of a box below which it may be a plate though nothing is read in it.

Of 65 plates of romania_dayride that were shrunk to a height of 16, 14, 12, 10 and 8 px, ocr=cascade read 59, 54, 36, 18
and 1 with a confidence of 0.3.
"""


@dataclass(frozen=True)
class Plate:
    """A plate in an image.

    Attributes:
        box: xmin, ymin, xmax, ymax in pixels.
        confidence: of the detection, in 0–1.
        text: as the OCR engine recognized it, empty where it recognized none.
        text_confidence: in 0–1; None without an OCR engine.
        candidates: for each character of the text, the characters that it may be → their probabilities in 0–1, its own
            among them; empty where the engine has none.
        regions: where the plate is from, names of `lpr.plates.countries.REGIONS` → probabilities in 0–1; empty where
            the engine does not tell.
        frame: number of the frame in a video, from 0.
        track: in a video, from 1: equal for detections in several frames that are taken for the same plate.
        crop: the part of the image that the text was recognized in, RGB; None where it was not kept.
    """

    box: tuple[float, float, float, float]
    confidence: float
    text: str = ""
    text_confidence: float | None = None
    candidates: tuple[Mapping[str, float], ...] = field(default=(), compare=False)
    regions: Mapping[str, float] = field(default_factory=dict, compare=False)
    frame: int | None = None
    track: int | None = None
    crop: Image.Image | None = field(default=None, compare=False, repr=False)

    @property
    def read(self) -> bool:
        """Whether an OCR engine read a text with confidence."""
        return bool(self.text) and self.text_confidence is not None and self.text_confidence >= READ_THRESHOLD

    @property
    def unread(self) -> bool:
        """Whether an OCR engine read nothing in a box that is large enough to be read, and not certain: no plate, then.

        False without an OCR engine.
        """
        legible = self.box[3] - self.box[1] >= MIN_LEGIBLE_PX
        return self.text_confidence is not None and not self.read and legible and self.confidence < CERTAIN

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold of it: all but the crop, and without what is None or empty. Pixels have 2 decimals."""
        content = {
            "frame": self.frame,
            "box": [round(side, 2) for side in self.box],
            "confidence": round(self.confidence, 4),
            "text": None if self.text_confidence is None else self.text,
            "text_confidence": None if self.text_confidence is None else round(self.text_confidence, 4),
            "candidates": [{one: round(share, 4) for one, share in each.items()} for each in self.candidates] or None,
            "regions": {name: round(share, 4) for name, share in self.regions.items()} or None,
            "track": self.track,
        }
        return {key: value for key, value in content.items() if value is not None}
