"""What a reader is: a picture of a plate in, its text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image


@dataclass(frozen=True)
class TextLine:
    """Lettering that hangs together: `text` of A–Z and 0–9, and a `confidence` in [0, 1].

    Attributes:
        candidates: of each character of the text, what it may be → how likely, in 0–1; none where the reader names one
            character alone.
    """

    text: str
    confidence: float
    candidates: tuple[Mapping[str, float], ...] = field(default=(), compare=False, kw_only=True)


@dataclass(frozen=True)
class PlateText(TextLine):
    """What stands on a plate; its text is empty where nothing was read.

    Attributes:
        lines: all lettering that the reader saw, in reading order, also what it took for no part of the plate's text;
            none where it cannot say.
    """

    lines: tuple[TextLine, ...] = field(default=(), compare=False)


UNREAD = PlateText("", 0.0)


class Reader(Protocol):
    """An OCR engine. Its module `lpr.reader.NAME` makes it with `create(config, cache)`."""

    def read(self, picture: Image.Image) -> PlateText:
        """The text in an RGB picture that shows little more than one plate; `UNREAD` where there is none."""
        ...
