"""The recognizer first, and RapidOCR where the recognizer's confidence is low.

RapidOCR's line detection takes most of its time, and the recognizer has located the lines already: they are cropped one
by one, levelled and without what stands beside them, for RapidOCR's recognition network alone. Only where its text
differs from the recognizer's does all of RapidOCR run; of the three texts, the consensus is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field
from rapidfuzz.distance import Levenshtein

from lpr.ocr.confusables import resolve_groups
from lpr.ocr.engines import recognizer
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText, TextLine
from lpr.ocr.engines.rapidocr import RapidOcr, RapidOcrKeys
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine, RecognizerKeys
from lpr.ocr.recognizer.layout import level_lines, shear

# Around a line that is cropped, horizontal and vertical, as fractions of its characters' height: there is room at the
# sides for a letter that the recognizer missed.
_LINE_MARGINS = 0.5, 0.2


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
    def _rapidocr(self) -> RapidOcr:
        return RapidOcr(self._settings)

    def read(self, image: Image.Image) -> PlateText:
        """The recognizer's text where it is confident, else the `consensus` of both engines."""
        plate = self._recognizer.detect(np.asarray(image))
        own = self._recognizer.text(plate)
        if own.confidence >= self._settings.fallback_threshold:
            return own
        sizes = [size for line in own.lines for size in line.group_sizes]
        lines = _resolved(self._recognize_lines(plate), sizes)
        texts = [lines, own]
        if lines.text != own.text:
            texts = [_resolved(self._rapidocr.read(image), sizes), *texts]
        return replace(on_lines_of(own, consensus(texts)), regions=own.regions)

    def _recognize_lines(self, plate: PlateCharacters) -> PlateText:
        """RapidOCR's texts of the lines that the recognizer located."""
        boxes, layout = plate.characters.boxes, plate.layout
        matrix = shear(layout.slope)
        crops = [level_lines(plate.image, boxes[line], matrix, _LINE_MARGINS) for line in layout.lines]
        lines = [line for crop in crops if (line := self._rapidocr.recognize(Image.fromarray(crop))).text]
        if not lines:
            return NO_TEXT
        return PlateText("".join(line.text for line in lines), min(line.confidence for line in lines), tuple(lines))


def _resolved(plate: PlateText, sizes: Sequence[int]) -> PlateText:
    """With O or 0, I or 1 by groups of these sizes, which the recognizer found, if they fit the text's length."""
    return replace(plate, text=resolve_groups(plate.text, sizes)) if sum(sizes) == len(plate.text) else plate


def consensus(texts: Sequence[PlateText]) -> PlateText:
    """Of several texts of one plate, the one with the fewest edits to all others; of equal ones, the earlier.

    Its confidence is the sum of those of equal texts over the number of all texts, empty ones included.
    """
    recognized = [text for text in texts if text.text]
    if not recognized:
        return NO_TEXT
    edits = [sum(Levenshtein.distance(one.text, other.text) for other in recognized) for one in recognized]
    best = recognized[edits.index(min(edits))]
    confidence = sum(text.confidence for text in recognized if text.text == best.text) / len(texts)
    return replace(best, confidence=confidence)


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
