"""What an OCR engine is: a module that has its settings and makes an object which reads images of plates.

An engine of one's own is one module, named by its path in the configuration (`ocr.name: my_package.my_engine`), with an
option `conf/ocr/my_engine.yaml` that sets `name` and every other key of its `Settings`. For example:

    class Settings(Ocr):
        language: str

    def create(settings: Settings, cache: Path) -> OcrEngine:
        return MyEngine(settings.language)

    class MyEngine:
        def __init__(self, language: str) -> None:
            import my_ocr_library

            self._model = my_ocr_library.load(language)

        def read(self, image: Image.Image) -> PlateText:
            text, confidence = self._model(np.asarray(image))
            return PlateText(normalize(text), confidence)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from lpr.config import Ocr


@dataclass(frozen=True)
class TextLine:
    """A line of lettering.

    Attributes:
        text: in the normal form of true texts, `lpr.plates.text.normalize`. The engines of this folder return A–Z and
            0–9 alone (`normalize_latin`), since other characters are noise on most plates.
        confidence: that the text is right, in 0–1.
        candidates: for each character of the text, the characters that it may be → their probabilities in 0–1, its own
            among them: what a grammar chooses from. Empty where the engine has none; the grammar then takes characters
            of similar shape.
        group_sizes: numbers of characters between gaps, hyphens and seals, from left to right, of which the sum is the
            length of the text; empty where the engine does not tell.
    """

    text: str
    confidence: float
    candidates: tuple[Mapping[str, float], ...] = field(default=(), compare=False, kw_only=True)
    group_sizes: tuple[int, ...] = field(default=(), compare=False, kw_only=True)


@dataclass(frozen=True)
class PlateText(TextLine):
    """The text of a plate, all of its lines joined in reading order; empty where none was recognized.

    Attributes:
        lines: all lettering that was recognized, in reading order, also what the engine left out of the text, from
            which a grammar chooses lines; empty where the engine does not separate lines.
        regions: of `lpr.plates.countries.REGIONS`, where the plate is from → probability in 0–1; empty where the engine
            does not tell.
    """

    lines: tuple[TextLine, ...] = field(default=(), compare=False)
    regions: Mapping[str, float] = field(default_factory=dict, compare=False)


NO_TEXT = PlateText("", 0.0)
"""The result for an image without legible text."""


class OcrEngine(Protocol):
    """Recognizes the text of one plate after another. It is called from one thread at a time."""

    def read(self, image: Image.Image) -> PlateText:
        """The text of the plate in an image.

        Equal images have equal results: scores are compared between runs.

        Args:
            image: RGB, of any size from 8 × 8 px: one plate, as a detector crops it, with `ocr.margin` of the box's
                height around the box.

        Returns:
            The text; `NO_TEXT` where nothing is legible.

        Raises:
            UserError: the engine cannot go on, whatever image comes next. Trouble with this image alone is no error.
        """
        ...


class EngineModule(Protocol):
    """The module of an engine: one of this folder, or one's own.

    Attributes:
        Settings: the schema of the configuration's section `ocr`: `Ocr`, which has the keys that all engines have in
            common, with the further keys of this engine. Unknown keys and wrong types are refused by it.
    """

    Settings: type[Ocr]

    def create(self, settings: Any, cache: Path) -> OcrEngine:
        """The engine.

        Args:
            settings: an instance of `Settings`.
            cache: a folder, which need not exist yet, that is kept between runs: for results that are expensive to get
                again, such as those of a remote service.

        Raises:
            UserError: something that the engine needs is missing; the message names the way to get it.
        """
        ...
