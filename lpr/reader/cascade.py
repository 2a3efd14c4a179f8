"""The project's own network first, and RapidOCR's recognition for what it is not sure of.

RapidOCR's line detection takes most of its time, and the network knows already where the lines are: they are cut out
one by one, levelled and without what stands beside them, which is what a recognition of lines reads best.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from lpr.config import CascadeReader
from lpr.reader.base import PlateText, Reader
from lpr.reader.network import levelled, open_network
from lpr.reader.rapidocr import recognize, start_engine
from lpr.recognizer.decoding import lay_out

_AROUND = 0.2  # of a line that is cut out, as a share of its characters' height


def create(config: CascadeReader, cache: Path) -> Reader:  # noqa: ARG001
    """The reader; nothing is cached, since nothing is remote."""
    return Cascade(config)


class Cascade:
    """Reads by the network, and once more by the engine where the network's confidence is below `alone`.

    Raises:
        UserError: as `lpr.reader.network.Network`; or RapidOCR is not installed.
    """

    def __init__(self, config: CascadeReader) -> None:
        self._network = open_network(config)
        self._engine = start_engine(config.name, config.threads, {})
        self._alone = config.alone
        recognize(self._engine, Image.new("RGB", (64, 32)))  # loads its model, so that no plate waits for it

    def read(self, picture: Image.Image) -> PlateText:
        """The engine's text where it was asked and read any: as sure as both are of it in the mean."""
        seen, found = self._network.see(np.asarray(picture))
        own = self._network.text(found)
        if own.confidence >= self._alone:
            return own
        layout = lay_out(found.boxes)
        strips = [levelled(seen, found.boxes[line], layout.slope, _AROUND) for line in layout.lines] or [seen]
        read = [recognize(self._engine, Image.fromarray(strip)) for strip in strips]
        lines = tuple(line for line in read if line.text)
        if not lines:
            return own
        text = "".join(line.text for line in lines)
        sure = min(line.confidence for line in lines)
        if text == own.text:
            return replace(own, confidence=(sure + own.confidence) / 2)
        return PlateText(text, sure / 2, lines)
