"""The project's own network first, and RapidOCR for what it is not sure of.

RapidOCR's line detection takes most of its time, and the network knows already where the lines are: they are cut out
one by one, levelled and without what stands beside them, for the recognition alone. Only where that reads something
else than the network did is the whole of RapidOCR asked.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from lpr.config import CascadeReader
from lpr.reader.base import PlateText, Reader, TextLine
from lpr.reader.network import Sight, levelled, open_network
from lpr.reader.rapidocr import RapidOcr
from lpr.recognizer.decoding import lay_out

_AROUND = 0.2  # of a line that is cut out, as a share of its characters' height
_LEAST = 2  # characters, with less of which the engine is not asked: most of such boxes hold no plate


def create(config: CascadeReader, cache: Path) -> Reader:  # noqa: ARG001
    """The reader; nothing is cached, since nothing is remote."""
    return Cascade(config)


class Cascade:
    """Reads by the network, and once or twice more by the engine where the network's confidence is below `alone`.

    Raises:
        UserError: as `lpr.reader.network.Network`; or RapidOCR is not installed.
    """

    def __init__(self, config: CascadeReader) -> None:
        self._network = open_network(config)
        self._engine = RapidOcr(config)
        self._alone = config.alone

    def read(self, picture: Image.Image) -> PlateText:
        """As sure as the two that agree on the text are in the mean; at most ½ where no two do."""
        seen = self._network.see(np.asarray(picture))
        own = self._network.text(seen.characters)
        if own.confidence >= self._alone or len(own.text) < _LEAST:
            return own
        lines = self._recognized(seen)
        text = "".join(line.text for line in lines)
        if lines and text == own.text:
            return replace(own, confidence=(own.confidence + min(line.confidence for line in lines)) / 2)
        whole = self._engine.read(picture)
        if whole.text and whole.text == own.text:
            return replace(own, confidence=(own.confidence + whole.confidence) / 2)
        if whole.text and whole.text == text:
            return whole
        return replace(whole, confidence=whole.confidence / 2) if whole.text else own

    def _recognized(self, seen: Sight) -> list[TextLine]:
        """The lines that the network found, as the engine reads them."""
        boxes = seen.characters.boxes
        layout = lay_out(boxes)
        strips = [levelled(seen.picture, boxes[line], layout.slope, _AROUND) for line in layout.lines]
        lines = [self._engine.recognize(Image.fromarray(strip)) for strip in strips]
        return [line for line in lines if line.text]
