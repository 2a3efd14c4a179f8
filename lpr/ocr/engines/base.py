"""What an OCR engine is: an image of a plate in, its text out; and what a module of one has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from lpr.config import Ocr


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


class OcrEngine(Protocol):
    """Reads one plate after another; need not be safe for several threads."""

    def read(self, image: Image.Image) -> PlateText:
        """The text in an RGB image that shows little more than one plate; `UNREAD` where there is none.

        Raises:
            UserError: the engine cannot go on, whichever plate comes next.
        """
        ...


class EngineModule(Protocol):
    """A module of this folder, or one's own, that makes an engine.

    Attributes:
        Settings: schema of the configuration's section `ocr`, all keys of it.
    """

    Settings: type[Ocr]

    def create(self, settings: Any, cache: Path) -> OcrEngine:
        """The engine.

        Args:
            settings: an instance of `Settings`.
            cache: a folder for answers that are worth keeping, such as those of a remote engine.

        Raises:
            UserError: what the engine needs is not installed.
        """
        ...
