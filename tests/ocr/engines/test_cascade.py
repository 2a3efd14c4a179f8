"""The recognizer, followed by RapidOCR where its two texts differ, or are not confident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clones import ROOT
from PIL import Image
from plate_images import BEHIND, plate_image

from lpr.composition.compose import compose
from lpr.ocr import engines
from lpr.ocr.engines.base import OcrEngine, PlateText, TextLine
from lpr.ocr.engines.cascade import on_lines_of
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.synthesis.indian_plates import LONG, SQUARE


def create(name: str, *overrides: str) -> OcrEngine:
    return engines.create(compose([f"ocr={name}", "ocr.threads=1", *overrides], ROOT / "conf").ocr, Path())


@pytest.fixture(scope="module")
def recognizer() -> OcrEngine:
    return create("recognizer")


@pytest.fixture(scope="module")
def both() -> OcrEngine:
    """A cascade in which RapidOCR runs for every plate."""
    return create("cascade", "ocr.fallback_threshold=1.0")


def test_from_the_threshold_on_the_recognizers_text_is_taken(recognizer: OcrEngine) -> None:
    assert isinstance(recognizer, RecognizerEngine)
    cascade = create("cascade", "ocr.fallback_threshold=0.0")
    for seed in range(4):
        _, image = plate_image(LONG, seed)
        plate = recognizer.detect(np.asarray(image))
        own, closer = recognizer.text(plate), recognizer.text(recognizer.detect_closer(plate))
        assert own.text == closer.text
        assert cascade.read(image) == replace(own, confidence=(own.confidence + closer.confidence) / 2)


def test_of_a_plate_that_is_hardly_legible_the_confidence_is_low(both: OcrEngine, recognizer: OcrEngine) -> None:
    assert isinstance(recognizer, RecognizerEngine)
    _, image = plate_image(LONG, 0)
    small = image.resize((image.width // 8, image.height // 8)).resize(image.size)
    own = recognizer.text(recognizer.detect(np.asarray(small)))
    assert both.read(image).confidence > 0.8
    assert own.confidence < 0.5
    assert both.read(small).confidence < 0.5


@pytest.mark.parametrize("size_mm", [LONG, SQUARE], ids=["one line", "two lines"])
def test_below_the_threshold_rapidocr_reads_too(both: OcrEngine, size_mm: tuple[int, int]) -> None:
    plates = [plate_image(size_mm, seed) for seed in range(12)]
    assert sum(both.read(image).text == text for text, image in plates) >= 10


def test_a_text_stands_on_the_lines_of_the_recognizer() -> None:
    """The gaps that it found belong to any text of the same length."""
    own = PlateText("A17", 0.6, (TextLine("A1", 0.6, group_sizes=(1, 1)), TextLine("7", 0.9, group_sizes=(1,))))
    same, other, longer = (PlateText(text, 0.8, (TextLine(text, 0.8),)) for text in ("A17", "A77", "A177"))
    assert [(line.text, line.group_sizes) for line in on_lines_of(own, same).lines] == [("A1", (1, 1)), ("7", (1,))]
    assert [(line.text, line.group_sizes) for line in on_lines_of(own, other).lines] == [("A7", (1, 1)), ("7", (1,))]
    assert on_lines_of(own, longer) is longer


def test_every_character_has_candidates_for_a_grammar(both: OcrEngine) -> None:
    for size_mm in (LONG, SQUARE):
        for seed in range(4):
            plate = both.read(plate_image(size_mm, seed)[1])
            assert "".join(line.text for line in plate.lines) == plate.text
            for line in plate.lines:
                assert [max(each, key=each.__getitem__) for each in line.candidates] == list(line.text)


def test_sloping_plates_are_levelled_for_rapidocr(both: OcrEngine) -> None:
    plates = [plate_image(LONG, seed) for seed in range(12)]
    rotated = [(text, image.rotate(10, expand=True, fillcolor=BEHIND)) for text, image in plates]
    assert sum(both.read(image).text == text for text, image in rotated) >= 8


def test_an_image_without_a_plate_has_low_confidence(both: OcrEngine) -> None:
    assert both.read(Image.new("RGB", (200, 60), BEHIND)).confidence < 0.5
