"""The project's own network first, and RapidOCR for what it is not sure of.

RapidOCR's line detection takes most of its time, and the network knows already where the lines are: they are cut out
one by one, levelled and without what stands beside them, for the recognition alone. Only where that reads something
else than the network did is the whole of RapidOCR asked; of the three readings, the one in the middle is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field
from rapidfuzz.distance import Levenshtein

from lpr.ocr.engines import recognizer
from lpr.ocr.engines.base import UNREAD, OcrEngine, PlateText
from lpr.ocr.engines.rapidocr import RapidOcr, RapidOcrKeys
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine, RecognizerKeys, levelled
from lpr.ocr.groups import settled

# Of a line that is cut out: beside it, above and below; shares of its characters' height. Beside it is room for a
# letter that the network left out.
_AROUND = 0.5, 0.2


class Settings(RecognizerKeys, RapidOcrKeys):
    """The recognizer; where it is not sure, RapidOCR, of which the recognition comes first."""

    name: Literal["cascade"]
    fallback_threshold: Annotated[
        float, Field(ge=0, le=1, description="confidence from which the recognizer's own text stands")
    ]


def create(settings: Settings, cache: Path) -> OcrEngine:
    """The engine; nothing is cached, since nothing is remote."""
    return Cascade(recognizer.create(settings, cache), RapidOcr(settings), settings.fallback_threshold)


class Cascade:
    """Reads by the network, and once or twice more by the engine where the network's confidence is below `fallback_threshold`.

    Args:
        own: the network.
        engine: RapidOCR.
        fallback_threshold: confidence of the network from which its reading stands.
    """

    def __init__(self, own: RecognizerEngine, engine: RapidOcr, fallback_threshold: float) -> None:
        self._recognizer, self._engine, self._fallback_threshold = own, engine, fallback_threshold

    def read(self, image: Image.Image) -> PlateText:
        """What the network is sure of, or what `consensus` makes of it and of what the engine reads."""
        seen = self._recognizer.see(np.asarray(image))
        own = self._recognizer.text(seen)
        if own.confidence >= self._fallback_threshold:
            return own
        sizes = list(chain.from_iterable(seen.group_sizes))
        lines = _grouped(self._recognized(seen), sizes)
        if lines.text == own.text:
            return consensus([lines, own])
        return consensus([_grouped(self._engine.read(image), sizes), lines, own])

    def _recognized(self, seen: PlateCharacters) -> PlateText:
        """The lines that the network found, as the engine reads them."""
        boxes, layout = seen.characters.boxes, seen.layout
        strips = [levelled(seen.image, boxes[line], layout.slope, _AROUND) for line in layout.lines]
        lines = [line for strip in strips if (line := self._engine.recognize(Image.fromarray(strip))).text]
        if not lines:
            return UNREAD
        return PlateText("".join(line.text for line in lines), min(line.confidence for line in lines), tuple(lines))


def _grouped(reading: PlateText, sizes: Sequence[int]) -> PlateText:
    """With O or 0, I or 1 as in groups of so many characters, which the network found, if it found as many in all."""
    return replace(reading, text=settled(reading.text, sizes)) if sum(sizes) == len(reading.text) else reading


def consensus(readings: Sequence[PlateText]) -> PlateText:
    """Of several readings of a plate, the one that differs least from the others; of equals, the earlier one.

    How sure it is, is a vote, too: the mean confidence of all readings, where those that say something else have none.
    """
    read = [reading for reading in readings if reading.text]
    if not read:
        return UNREAD
    apart = [sum(Levenshtein.distance(one.text, other.text) for other in read) for one in read]
    best = read[apart.index(min(apart))]
    same = [reading for reading in read if reading.text == best.text]
    # The last is the network's, if it is among them: it knows what each character may be, for a grammar to choose from.
    return replace(same[-1], confidence=sum(reading.confidence for reading in same) / len(readings))
