"""Plates of images for a reader to learn from: what stands there is known, and where, a network finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lpr.ocr.recognizer.decoding import Characters, lay_out
from lpr.plates.text import CHARACTERS
from lpr.synthesis.lettered_plates import LetteredPlate

_ALIKE = 0.5  # of the characters that the network must name as they are, lest it found something else


def labelled(
    cutouts: Iterable[tuple[np.ndarray, str]], find: Callable[[np.ndarray], Characters]
) -> list[LetteredPlate]:
    """Those plates on which as many characters are found as their texts have, with the texts' names for them.

    What the network misreads is what there is to learn; where it finds more or fewer characters than there are, or
    names most of them otherwise, nobody knows which is which, and the plate is left out.

    Args:
        cutouts: plates, uint8 (h, w, 3) RGB, of which all is taken to be the plate's box, and their texts, A–Z and 0–9
            in reading order.
        find: what finds characters, boxes in pixels of the cut-out.
    """
    plates = []
    for pixels, text in cutouts:
        found = find(pixels)
        order = [int(place) for line in lay_out(found.boxes).lines for place in line]
        named = [CHARACTERS[int(found.chances[place].argmax())] for place in order]
        if not text or len(order) != len(text):
            continue
        if np.mean([one == other for one, other in zip(named, text, strict=True)]) < _ALIKE:
            continue
        height, width = pixels.shape[:2]
        opaque = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
        plates.append(LetteredPlate(opaque, (0, 0, width, height), text, found.boxes[order].astype(np.float32)))
    return plates
