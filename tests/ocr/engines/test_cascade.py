"""The network first, and RapidOCR where it is not sure: the recognition of its lines, then all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from clones import ROOT
from PIL import Image
from plate_images import BEHIND, plate_image

from lpr.composition.compose import compose
from lpr.ocr.engines.base import UNREAD, PlateText, Reader, TextLine
from lpr.ocr.engines.cascade import consensus
from lpr.ocr.recognition import create
from lpr.synthesis.plate_art import LONG, SQUARE


def reader(name: str, *overrides: str) -> Reader:
    return create(compose([f"ocr={name}", "ocr.threads=1", *overrides], ROOT / "conf").reader, Path())


@pytest.fixture(scope="module")
def network() -> Reader:
    return reader("network")


@pytest.fixture(scope="module")
def both() -> Reader:
    """The engine is asked for every plate."""
    return reader("cascade", "ocr.fallback_threshold=1.0")


def test_what_the_network_is_sure_of_stands(network: Reader) -> None:
    alone = reader("cascade", "ocr.fallback_threshold=0.0")
    for seed in range(4):
        _, image = plate_image(LONG, seed)
        assert alone.read(image) == network.read(image)


@pytest.mark.parametrize("size_mm", [LONG, SQUARE], ids=["one line", "two lines"])
def test_what_the_network_is_not_sure_of_the_engine_reads(both: Reader, size_mm: tuple[int, int]) -> None:
    plates = [image(size_mm, seed) for seed in range(12)]
    assert sum(both.read(image).text == text for text, image in plates) >= 10


def test_of_three_readings_the_one_in_the_middle_is_taken() -> None:
    whole, lines, own = PlateText("6371", 0.9), PlateText("B1637XE", 0.8), PlateText("P1637XE", 0.6)
    for readings, text, confidence in (
        ([whole, lines, own], "B1637XE", 0.8 / 3),
        ([PlateText("P1637XE", 0.9), lines, own], "P1637XE", (0.9 + 0.6) / 3),
        ([PlateText("P1637XE", 0.9), own], "P1637XE", (0.9 + 0.6) / 2),
        ([UNREAD, UNREAD, own], "P1637XE", 0.6 / 3),
    ):
        reading = consensus(readings)
        assert reading.text == text
        assert reading.confidence == pytest.approx(confidence)
    assert consensus([UNREAD, UNREAD]) == UNREAD


def test_the_network_says_what_each_character_may_be_where_it_is_among_those_that_agree() -> None:
    line = TextLine("A1", 0.6, candidates=({"A": 0.7, "4": 0.3}, {"1": 1.0}))
    own, engine = PlateText("A1", 0.6, (line,)), PlateText("A1", 0.8, (TextLine("A1", 0.8),))
    assert consensus([engine, own]).lines[0].candidates == line.candidates


def test_leaning_plates_are_levelled_for_the_engine(both: Reader) -> None:
    plates = [plate_image(LONG, seed) for seed in range(12)]
    turned = [(text, image.rotate(10, expand=True, fillcolor=BEHIND)) for text, image in plates]
    assert sum(both.read(image).text == text for text, image in turned) >= 8


def test_nothing_is_read_where_nothing_stands(both: Reader) -> None:
    assert both.read(Image.new("RGB", (200, 60), BEHIND)).confidence < 0.5
