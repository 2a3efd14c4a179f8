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

import numpy as np
from PIL import Image
from rapidfuzz.distance import Levenshtein

from lpr.config import CascadeReader
from lpr.reader import network
from lpr.reader.base import UNREAD, PlateText, Reader
from lpr.reader.groups import settled
from lpr.reader.network import Network, Sight, levelled
from lpr.reader.rapidocr import RapidOcr

# Of a line that is cut out: beside it, above and below; shares of its characters' height. Beside it is room for a
# letter that the network left out.
_AROUND = 0.5, 0.2


def create(config: CascadeReader, cache: Path) -> Reader:
    """The reader; nothing is cached, since nothing is remote."""
    return Cascade(network.create(config, cache), RapidOcr(config), config.alone)


class Cascade:
    """Reads by the network, and once or twice more by the engine where the network's confidence is below `alone`.

    Args:
        own: the network.
        engine: RapidOCR.
        alone: confidence of the network from which its reading stands.
    """

    def __init__(self, own: Network, engine: RapidOcr, alone: float) -> None:
        self._network, self._engine, self._alone = own, engine, alone

    def read(self, picture: Image.Image) -> PlateText:
        """What the network is sure of, or what `agreed` makes of it and of what the engine reads."""
        seen = self._network.see(np.asarray(picture))
        own = self._network.text(seen)
        if own.confidence >= self._alone:
            return own
        sizes = list(chain.from_iterable(seen.group_sizes))
        lines = _grouped(self._recognized(seen), sizes)
        if lines.text == own.text:
            return agreed([lines, own])
        return agreed([_grouped(self._engine.read(picture), sizes), lines, own])

    def _recognized(self, seen: Sight) -> PlateText:
        """The lines that the network found, as the engine reads them."""
        boxes, layout = seen.characters.boxes, seen.layout
        strips = [levelled(seen.picture, boxes[line], layout.slope, _AROUND) for line in layout.lines]
        lines = [line for strip in strips if (line := self._engine.recognize(Image.fromarray(strip))).text]
        if not lines:
            return UNREAD
        return PlateText("".join(line.text for line in lines), min(line.confidence for line in lines), tuple(lines))


def _grouped(reading: PlateText, sizes: Sequence[int]) -> PlateText:
    """With O or 0, I or 1 as in groups of so many characters, which the network found, if it found as many in all."""
    return replace(reading, text=settled(reading.text, sizes)) if sum(sizes) == len(reading.text) else reading


def agreed(readings: Sequence[PlateText]) -> PlateText:
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
