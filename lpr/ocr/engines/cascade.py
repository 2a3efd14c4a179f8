"""The recognizer first, and RapidOCR where the recognizer's confidence is low.

RapidOCR's line detection takes most of its time, and the recognizer has located the lines already: they are cropped one
by one, levelled and without what stands beside them, for RapidOCR's recognition network alone. Only where its text
differs from the recognizer's does all of RapidOCR run; of the three texts, the likeliest is taken, by the recognizer's
candidates and by how often RapidOCR takes one character for another: `rapidocr_errors.csv`, which
`benchmarks/rapidocr_errors.py` measured on synthetic plates.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from lpr.ocr.confusables import resolve_groups
from lpr.ocr.engines import recognizer
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText, TextLine
from lpr.ocr.engines.rapidocr import RapidOcr, RapidOcrKeys
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine, RecognizerKeys
from lpr.ocr.reading_errors import ReadingErrors, likeliest
from lpr.ocr.recognizer.layout import level_lines, shear

# Around a line that is cropped, horizontal and vertical, as fractions of its characters' height: there is room at the
# sides for a letter that the recognizer missed.
_LINE_MARGINS = 0.5, 0.2
ERRORS = Path(__file__).with_name("rapidocr_errors.csv")


class Settings(RecognizerKeys, RapidOcrKeys):
    """The recognizer; where its confidence is low, RapidOCR, of which the recognition comes first."""

    name: Literal["cascade"]
    fallback_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        description="confidence of the recognizer from which its text is taken without RapidOCR"
    )


def create(settings: Settings, cache: Path) -> OcrEngine:
    """The engine; nothing is cached, since nothing is remote."""
    return Cascade(recognizer.create(settings, cache), settings)


class Cascade:
    """The recognizer, followed by RapidOCR where the recognizer's confidence is below `fallback_threshold`.

    Args:
        recognizer: the first engine, which also locates the lines.
        settings: of RapidOCR, the second, which is loaded with the first plate that needs it; and the threshold.
    """

    def __init__(self, recognizer: RecognizerEngine, settings: Settings) -> None:
        self._recognizer, self._settings = recognizer, settings

    @cached_property
    def _errors(self) -> ReadingErrors:
        return ReadingErrors.load(ERRORS)

    @cached_property
    def _rapidocr(self) -> RapidOcr:
        return RapidOcr(self._settings)

    def read(self, image: Image.Image) -> PlateText:
        """The recognizer's text where it is confident, else the `likeliest` of both engines'."""
        plate = self._recognizer.detect(np.asarray(image))
        own = self._recognizer.text(plate)
        if own.confidence >= self._settings.fallback_threshold:
            return own
        lines = recognize_lines(self._rapidocr, plate, own)
        readings = [lines] if lines.text == own.text else [_resolved(self._rapidocr.read(image), own), lines]
        return replace(on_lines_of(own, likeliest(own, readings, self._errors)), regions=own.regions)


def recognize_lines(rapidocr: RapidOcr, plate: PlateCharacters, own: PlateText) -> PlateText:
    """RapidOCR's texts of the lines that the recognizer located, whose own text is `own`."""
    boxes, layout = plate.characters.boxes, plate.layout
    matrix = shear(layout.slope)
    crops = [level_lines(plate.image, boxes[line], matrix, _LINE_MARGINS) for line in layout.lines]
    lines = [line for crop in crops if (line := rapidocr.recognize(Image.fromarray(crop))).text]
    if not lines:
        return NO_TEXT
    text, confidence = "".join(line.text for line in lines), min(line.confidence for line in lines)
    return _resolved(PlateText(text, confidence, tuple(lines)), own)


def _resolved(plate: PlateText, own: PlateText) -> PlateText:
    """With O or 0, I or 1 by the groups that the recognizer found, if they fit the text's length."""
    sizes = [size for line in own.lines for size in line.group_sizes]
    return replace(plate, text=resolve_groups(plate.text, sizes)) if sum(sizes) == len(plate.text) else plate


def on_lines_of(own: PlateText, plate: PlateText) -> PlateText:
    """A text with the recognizer's lines, if it is as long: they have gaps for a grammar to choose by.

    They keep their candidates where the text is the recognizer's; where it was overruled, those are no good guide.
    """
    if len(plate.text) != len(own.text):
        return plate
    if plate.text == own.text:
        return replace(plate, lines=own.lines)
    characters = iter(plate.text)
    texts = ["".join(islice(characters, len(line.text))) for line in own.lines]
    lines = (
        TextLine(text, plate.confidence, group_sizes=line.group_sizes)
        for text, line in zip(texts, own.lines, strict=True)
    )
    return replace(plate, lines=tuple(lines))
