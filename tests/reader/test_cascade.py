"""The network first, and RapidOCR where it is not sure: the recognition of its lines, then all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from clones import ROOT
from drawn_plates import BEHIND, photograph
from PIL import Image

from lpr.config import compose
from lpr.data.plate_art import LONG, SQUARE
from lpr.reader.base import UNREAD, PlateText, Reader, TextLine
from lpr.reader.cascade import agreed
from lpr.reader.reading import create


def reader(name: str, *overrides: str) -> Reader:
    return create(compose([f"reader={name}", "reader.threads=1", *overrides], ROOT / "conf").reader, Path())


@pytest.fixture(scope="module")
def network() -> Reader:
    return reader("network")


@pytest.fixture(scope="module")
def both() -> Reader:
    """The engine is asked for every plate."""
    return reader("cascade", "reader.alone=1.0")


def test_what_the_network_is_sure_of_stands(network: Reader) -> None:
    alone = reader("cascade", "reader.alone=0.0")
    for seed in range(4):
        _, picture = photograph(LONG, seed)
        assert alone.read(picture) == network.read(picture)


@pytest.mark.parametrize("size_mm", [LONG, SQUARE], ids=["one line", "two lines"])
def test_what_the_network_is_not_sure_of_the_engine_reads(both: Reader, size_mm: tuple[int, int]) -> None:
    plates = [photograph(size_mm, seed) for seed in range(12)]
    assert sum(both.read(picture).text == text for text, picture in plates) >= 10


def test_of_three_readings_the_one_in_the_middle_is_taken() -> None:
    whole, lines, own = PlateText("6371", 0.9), PlateText("B1637XE", 0.8), PlateText("P1637XE", 0.6)
    for readings, text, confidence in (
        ([whole, lines, own], "B1637XE", 0.8 / 3),
        ([PlateText("P1637XE", 0.9), lines, own], "P1637XE", (0.9 + 0.6) / 3),
        ([PlateText("P1637XE", 0.9), own], "P1637XE", (0.9 + 0.6) / 2),
        ([UNREAD, UNREAD, own], "P1637XE", 0.6 / 3),
    ):
        reading = agreed(readings)
        assert reading.text == text
        assert reading.confidence == pytest.approx(confidence)
    assert agreed([UNREAD, UNREAD]) == UNREAD


def test_the_network_says_what_each_character_may_be_where_it_is_among_those_that_agree() -> None:
    line = TextLine("A1", 0.6, candidates=({"A": 0.7, "4": 0.3}, {"1": 1.0}))
    own, engine = PlateText("A1", 0.6, (line,)), PlateText("A1", 0.8, (TextLine("A1", 0.8),))
    assert agreed([engine, own]).lines[0].candidates == line.candidates


def test_leaning_plates_are_levelled_for_the_engine(both: Reader) -> None:
    plates = [photograph(LONG, seed) for seed in range(12)]
    turned = [(text, picture.rotate(10, expand=True, fillcolor=BEHIND)) for text, picture in plates]
    assert sum(both.read(picture).text == text for text, picture in turned) >= 8


def test_nothing_is_read_where_nothing_stands(both: Reader) -> None:
    assert both.read(Image.new("RGB", (200, 60), BEHIND)).confidence < 0.5
