"""The network first, and RapidOCR where it is not sure: the recognition of its lines, then all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from clones import ROOT
from drawn_plates import BEHIND, photograph
from PIL import Image

from lpr.config import compose
from lpr.data.plate_art import LONG, SQUARE
from lpr.reader.base import Reader
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


def test_it_is_no_surer_than_half_where_no_two_agree(network: Reader, both: Reader) -> None:
    engine = reader("rapidocr")
    differed = 0
    for seed in range(16):
        _, clear = photograph(LONG, seed)
        poor = clear.resize((clear.width // 6, clear.height // 6)).resize(clear.size)
        reading, alone = both.read(poor), {network.read(poor).text, engine.read(poor).text}
        if len(alone) == 2 and reading.text in alone and reading.confidence <= 0.5:
            differed += 1
        elif len(alone) == 1 and reading.text:
            assert reading.text in alone
    assert differed


def test_leaning_plates_are_levelled_for_the_engine(both: Reader) -> None:
    plates = [photograph(LONG, seed) for seed in range(12)]
    turned = [(text, picture.rotate(10, expand=True, fillcolor=BEHIND)) for text, picture in plates]
    assert sum(both.read(picture).text == text for text, picture in turned) >= 8


def test_nothing_is_read_where_nothing_stands(both: Reader) -> None:
    assert both.read(Image.new("RGB", (200, 60), BEHIND)).confidence < 0.5
