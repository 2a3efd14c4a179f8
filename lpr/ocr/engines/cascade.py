"""The recognizer, twice, and RapidOCR's recognition network where the two texts are not the same, or not confident.

A network is sure of some of its errors, but seldom of the same one in two crops. RapidOCR's line detection takes most
of its time, and the recognizer has located the lines already: they are cropped one by one, levelled and without what
stands beside them, for RapidOCR's recognition network alone. Of the three texts, the likeliest is taken, by the
candidates that the recognizer has for each character and by the probabilities that RapidOCR has at each step of the
line: `lpr.ocr.text_likelihood`. Only where that is in doubt does all of RapidOCR run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from lpr.ocr.engines.base import OcrEngine, PlateText, TextLine
from lpr.ocr.engines.rapidocr import RapidOcr, RapidOcrKeys, RecognizedLine
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine, RecognizerKeys
from lpr.ocr.recognizer.layout import level_lines, shear
from lpr.ocr.text_likelihood import joint_candidates, likeliest

# Around a line that is cropped, horizontal and vertical, as fractions of its characters' height: there is room at the
# sides for a letter that the recognizer missed.
_LINE_MARGINS = 0.5, 0.2
# Letters of plates are narrower than those of other texts: widened, RapidOCR reads one more plate of a hundred.
_WIDENING = 1.3
# Confidence of a text below which all of RapidOCR runs, and that of RapidOCR from which its text is taken: where the
# lines were not located well, as of plates that are turned.
_IN_DOUBT, _SURE = 0.5, 0.9


class Settings(RecognizerKeys, RapidOcrKeys):
    """The recognizer, twice; where both texts differ, or are not confident, RapidOCR's recognition, too."""

    name: Literal["cascade"]
    fallback_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        description="mean confidence of the recognizer's two texts from which RapidOCR is not asked, if they agree"
    )


def create(settings: Settings, cache: Path) -> OcrEngine:
    """The engine; nothing is cached, since nothing is remote."""
    return Cascade(recognizer.create(settings, cache), settings)


class Cascade:
    """The recognizer, followed by RapidOCR where its two texts differ or are less confident than the threshold.

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
        """The recognizer's text where it is the same in both crops and confident, else the likeliest of three.

        The confidence is the mean of those of the three, each as far as its text is the same, times the probability of
        the likeliest among them. Where that is in doubt, or the recognizer finds nothing, all of RapidOCR runs; a text
        of its own is no surer.
        """
        plate = self._recognizer.detect(np.asarray(image))
        own = self._recognizer.text(plate)
        closer = self._recognizer.text(self._recognizer.detect_closer(plate)) if own.text else own
        confidence = _mean_confidence(own.text, [own, closer])
        if closer.text == own.text and confidence >= self._settings.fallback_threshold:
            return replace(own, confidence=confidence)
        if not own.text:
            whole = self._rapidocr.read(image)
            return replace(whole, confidence=_mean_confidence(whole.text, [own, closer, whole]))
        chosen = self._likeliest(plate, own, closer)
        if chosen.confidence >= _IN_DOUBT:
            return chosen
        whole = self._rapidocr.read(image)
        return replace(chosen, text=whole.text, lines=whole.lines) if whole.confidence >= _SURE else chosen

    def _likeliest(self, plate: PlateCharacters, own: PlateText, closer: PlateText) -> PlateText:
        """Of the recognizer's two texts and RapidOCR's of the same lines."""
        lines = _recognize_lines(self._rapidocr, plate)
        recognized = [own, closer, _joined(lines, own)]
        by_text = {each.text: each for each in reversed(recognized) if each.text}
        steps = [line.steps for line in lines]
        text, probability = likeliest(by_text, own, steps)
        placed = on_lines_of(own, by_text[text])
        chosen = replace(placed, lines=_with_candidates(placed.lines, joint_candidates(text, own, steps)))
        confidence = probability * _mean_confidence(text, recognized)
        return replace(chosen, confidence=confidence, regions=own.regions)


def _recognize_lines(rapidocr: RapidOcr, plate: PlateCharacters) -> list[RecognizedLine]:
    """What RapidOCR's recognition network makes of the lines that the recognizer located."""
    boxes, layout = plate.characters.boxes, plate.layout
    matrix = shear(layout.slope)
    crops = [level_lines(plate.image, boxes[line], matrix, _LINE_MARGINS) for line in layout.lines]
    return [rapidocr.recognize(crop, _WIDENING) for crop in crops]


def _joined(parts: list[RecognizedLine], own: PlateText) -> PlateText:
    """The text of all lines, with O or 0, I or 1 by the groups that the recognizer found, if they fit its length."""
    lines = tuple(TextLine(line.text, line.confidence) for line in parts if line.text)
    text = "".join(line.text for line in lines)
    sizes = [size for line in own.lines for size in line.group_sizes]
    if sum(sizes) == len(text):
        text = resolve_groups(text, sizes)
    return PlateText(text, min((line.confidence for line in lines), default=0.0), lines)


def _mean_confidence(text: str, recognized: list[PlateText]) -> float:
    """The mean of the confidences, each times the similarity of its text to this one, in 0–1."""
    similar = [each.confidence * Levenshtein.normalized_similarity(each.text, text) for each in recognized]
    return sum(similar) / len(similar)


def on_lines_of(own: PlateText, plate: PlateText) -> PlateText:
    """A text with the recognizer's lines, if it is as long: they have gaps for a grammar to choose by."""
    if len(plate.text) != len(own.text):
        return plate
    characters = iter(plate.text)
    texts = ["".join(islice(characters, len(line.text))) for line in own.lines]
    lines = (
        TextLine(text, plate.confidence, group_sizes=line.group_sizes)
        for text, line in zip(texts, own.lines, strict=True)
    )
    return replace(plate, lines=tuple(lines))


def _with_candidates(lines: Sequence[TextLine], candidates: Sequence[Mapping[str, float]]) -> tuple[TextLine, ...]:
    """The lines with these candidates, one for each of their characters."""
    each = iter(candidates)
    return tuple(replace(line, candidates=tuple(islice(each, len(line.text)))) for line in lines)
