"""Plates of real images for training: their texts are known, and a network finds where the characters are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.layout import find_layout
from lpr.plates.text import CHARACTERS, other_characters
from lpr.synthesis.lettered_plates import LetteredPlate

_LEAST_RIGHT = 0.5  # fraction of the characters that must be recognized right, lest other lettering was found


def label_characters(
    crops: Iterable[tuple[np.ndarray, str, str]], detect_characters: Callable[[np.ndarray], Characters], margin: float
) -> list[LetteredPlate]:
    """The plates on which all characters of their texts are found, labelled by the characters of the texts.

    The network that finds them knows `CHARACTERS` alone. Others at the start of a text, such as a province's, get boxes
    before the first that it finds; a plate with others elsewhere in its text is left out.

    Characters that the network misreads are kept, with their true labels, since they are worth learning. Where it finds
    more than the text has, such as a seal or a province's character, those are taken, in reading order, that are the
    text with the highest probability. Where it finds fewer, or recognizes most of them wrong, it is unknown which is
    which, and the plate is left out.

    Args:
        crops: plates with what is around them, uint8 (h, w, 3) RGB, their texts, in reading order, and their regions,
            one of `lpr.plates.countries.REGIONS` or "".
        detect_characters: from a crop to its characters, with boxes in pixels of the crop.
        margin: of a crop, around the plate's box, as a fraction of the box's height.
    """
    plates = []
    for pixels, text, region in crops:
        found = detect_characters(pixels)
        lines = find_layout(found.boxes).lines
        order = [int(index) for line in lines for index in line]
        start, rest = split_start(text)
        if not rest or other_characters(rest) or len(order) < len(rest):
            continue
        labels = np.array([CHARACTERS.index(character) for character in rest])
        chosen = np.array(order)[_most_likely(found.probabilities[order][:, labels])]
        if np.mean(found.probabilities[chosen].argmax(axis=1) == labels) < _LEAST_RIGHT:
            continue
        boxes = found.boxes[chosen]
        if start:
            (first_line,) = (line for line in lines if chosen[0] in line)
            before = _boxes_before(found.boxes[[index for index in first_line if index in chosen]], len(start))
            if before is None:
                continue
            boxes = np.vstack([before, boxes])
        height, width = pixels.shape[:2]
        opaque = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
        edge = round(margin * height / (1 + 2 * margin))
        box = edge, edge, width - edge, height - edge
        plates.append(LetteredPlate(opaque, box, text, boxes.astype(np.float32), region))
    return plates


def split_start(text: str) -> tuple[str, str]:
    """The characters at the start of a text that are not among `CHARACTERS`, and the rest of it."""
    rest = text.lstrip(other_characters(text))
    return text[: len(text) - len(rest)], rest


def _boxes_before(line: np.ndarray, count: int) -> np.ndarray | None:
    """The boxes of `count` characters before the first of a line.

    They have its size, and the distance that neighbours in the line have, as the median from centre to centre: wider
    gaps between groups and narrow characters change it little.

    Args:
        line: boxes of its characters, (k, 4), from left to right.
        count: 1 or more.

    Returns:
        Boxes (count, 4); None where the line has no neighbours, or the boxes are not within the image.
    """
    if len(line) < 2:
        return None
    steps = np.diff((line[:, :2] + line[:, 2:]) / 2, axis=0)
    boxes = line[0] - np.arange(count, 0, -1)[:, None] * np.tile(np.median(steps, axis=0), 2)
    return boxes if boxes.min() >= 0 else None


def _most_likely(probabilities: np.ndarray) -> Sequence[int]:
    """Of m characters, in reading order, the n that are a text with the highest probability, in the same order.

    Args:
        probabilities: float (m, n), m ≥ n: that a character is one of the text.
    """
    count, length = probabilities.shape
    best = np.full((count + 1, length + 1), -np.inf)  # of the first characters and the first of the text, logarithms
    best[:, 0] = 0
    logarithms = np.log(probabilities + 1e-9)
    for character in range(count):
        taken = best[character, :-1] + logarithms[character]
        best[character + 1, 1:] = np.maximum(best[character, 1:], taken)
    chosen: list[int] = []
    for character in reversed(range(count)):
        left = length - len(chosen)
        if left and best[character + 1, left] > best[character, left]:
            chosen.append(character)
    return chosen[::-1]
