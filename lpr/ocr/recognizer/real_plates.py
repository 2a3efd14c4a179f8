"""Plates of real images for training: their texts are known, and a network finds where the characters are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.layout import find_layout
from lpr.plates.text import CHARACTERS
from lpr.synthesis.lettered_plates import LetteredPlate

_LEAST_RIGHT = 0.5  # fraction of the characters that must be recognized right, lest other lettering was found


def label_characters(
    crops: Iterable[tuple[np.ndarray, str]], detect_characters: Callable[[np.ndarray], Characters]
) -> list[LetteredPlate]:
    """The plates on which as many characters are found as their texts have, labelled by the characters of the texts.

    Characters that the network misreads are kept, with their true labels, since they are worth learning. Where more or
    fewer are found than the text has, or most are recognized wrong, it is unknown which is which, and the plate is left
    out.

    Args:
        crops: plates, uint8 (h, w, 3) RGB, all of which is taken for the plate's box, and their texts, A–Z and 0–9 in
            reading order.
        detect_characters: from a crop to its characters, with boxes in pixels of the crop.
    """
    plates = []
    for pixels, text in crops:
        found = detect_characters(pixels)
        order = [int(index) for line in find_layout(found.boxes).lines for index in line]
        recognized = [CHARACTERS[int(found.probabilities[index].argmax())] for index in order]
        if not text or len(order) != len(text):
            continue
        if np.mean([one == other for one, other in zip(recognized, text, strict=True)]) < _LEAST_RIGHT:
            continue
        height, width = pixels.shape[:2]
        opaque = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
        plates.append(LetteredPlate(opaque, (0, 0, width, height), text, found.boxes[order].astype(np.float32)))
    return plates
