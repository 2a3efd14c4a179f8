"""What a reader is: a picture of a plate in, its text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL import Image


@dataclass(frozen=True)
class PlateText:
    """What stands on a plate: `text` of A–Z and 0–9, empty where nothing was read, and a `confidence` in [0, 1]."""

    text: str
    confidence: float


UNREAD = PlateText("", 0.0)


class Reader(Protocol):
    """An OCR engine. Its module `lpr.reader.NAME` makes it with `create(config, cache)`."""

    def read(self, picture: Image.Image) -> PlateText:
        """The text in an RGB picture that shows little more than one plate; `UNREAD` where there is none."""
        ...
