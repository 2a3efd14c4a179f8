"""Texts that several engines read: how each errs, and which text is the likeliest."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from lpr.ocr.engines.base import NO_TEXT, PlateText, TextLine
from lpr.ocr.engines.cascade import ERRORS
from lpr.ocr.reading_errors import ReadingErrors, likeliest

# Q is read as O as often as not; nothing else is ever misread, and one character in thirteen is missed.
ERRING = ReadingErrors.count(
    [("QBC1", "OBC1")] * 50 + [("QBC1", "QBC1")] * 50 + [("OAWN", "OAWN")] * 100 + [("ABC1", "ABC")] * 80
)


def read_by_recognizer(text: str, confidence: float, **candidates: dict[str, float]) -> PlateText:
    """A text with candidates: those of the named characters, and of the others the character alone."""
    each = tuple(candidates.get(character, {character: 1.0}) for character in text)
    return PlateText(text, confidence, (TextLine(text, confidence, candidates=each),))


def test_errors_are_counted_by_character_and_far_readings_are_left_out(tmp_path: Path) -> None:
    errors = ReadingErrors.count(
        [("AQ12", "AO12"), ("AQ12", "A12"), ("AQ12", "AQ127"), ("AQ12", "TOYOTA"), ("AQ12", "")]
    )
    errors.save(tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open() as file:
        rows = {(row["true"], row["read"]): int(row["count"]) for row in csv.DictReader(file)}
    assert rows == {
        ("A", "A"): 3,
        ("Q", "O"): 1,
        ("Q", ""): 1,
        ("Q", "Q"): 1,
        ("1", "1"): 3,
        ("2", "2"): 3,
        ("", "7"): 1,
    }
    again = ReadingErrors.load(tmp_path / "errors.csv")
    assert again.log_likelihood("AQ12", "AO1") == errors.log_likelihood("AQ12", "AO1")


def test_the_likelihood_of_a_reading_is_the_product_over_its_characters() -> None:
    assert math.exp(ERRING.log_likelihood("Q", "O")) == pytest.approx(0.5, abs=0.01)
    assert math.exp(ERRING.log_likelihood("QQ", "OQ")) == pytest.approx(0.25, abs=0.01)
    assert math.exp(ERRING.log_likelihood("O", "O")) == pytest.approx(1, abs=0.01)
    assert 0 < math.exp(ERRING.log_likelihood("O", "Q")) < 0.001
    assert 0 < math.exp(ERRING.log_likelihood("WN", "W")) == pytest.approx(80 / 1040, rel=0.1)
    assert 0 < math.exp(ERRING.log_likelihood("WN", "WON")) < 0.001


def test_two_readings_do_not_outvote_candidates_where_their_engine_is_known_to_err() -> None:
    readings = [PlateText("OWN1", 0.9), PlateText("OWN1", 0.9)]
    doubtful = read_by_recognizer("QWN1", 0.7, Q={"Q": 0.8, "O": 0.2})
    assert likeliest(doubtful, readings, ERRING).text == "QWN1"
    # Where the recognizer itself sees an O as likely, Q has half of the probability to be read so.
    undecided = read_by_recognizer("QWN1", 0.5, Q={"Q": 0.55, "O": 0.45})
    assert likeliest(undecided, readings, ERRING).text == "OWN1"
    # It never takes A for W: here it is believed.
    mistaken = read_by_recognizer("OAN1", 0.7, A={"A": 0.8, "W": 0.2})
    assert likeliest(mistaken, readings, ERRING).text == "OWN1"


def test_a_character_that_the_engine_missed_is_kept_and_one_that_it_never_adds_is_believed() -> None:
    own = read_by_recognizer("ABC1", 0.8)
    assert likeliest(own, [PlateText("ABC", 0.9)], ERRING).text == "ABC1"
    short = read_by_recognizer("ABC", 0.8)
    assert likeliest(short, [PlateText("ABC1", 0.9)], ERRING).text == "ABC1"


def test_the_confidence_falls_with_disagreement() -> None:
    own = read_by_recognizer("OWN1", 0.8)
    alike = likeliest(own, [PlateText("OWN1", 0.6)], ERRING)
    assert (alike.text, alike.confidence) == ("OWN1", pytest.approx(0.7))
    near = likeliest(read_by_recognizer("QWN1", 0.8), [PlateText("OWN1", 0.6)], ERRING)
    assert (near.text, near.confidence) == ("QWN1", pytest.approx((0.8 + 0.75 * 0.6) / 2, rel=0.01))
    assert likeliest(own, [PlateText("GARAGE", 0.6)], ERRING).confidence < 0.41
    assert likeliest(own, [NO_TEXT, NO_TEXT], ERRING).confidence == pytest.approx(0.8 / 2)


def test_without_any_text_there_is_none() -> None:
    assert likeliest(NO_TEXT, [NO_TEXT], ERRING) == NO_TEXT
    assert likeliest(NO_TEXT, [PlateText("AB1", 0.8)], ERRING) == PlateText("AB1", 0.4)


def test_the_errors_of_rapidocr_are_those_of_shapes_that_are_alike() -> None:
    errors = ReadingErrors.load(ERRORS)
    for true, read, other in (("Q", "O", "K"), ("W", "N", "S"), ("0", "O", "7"), ("5", "S", "M")):
        assert errors.log_likelihood(true, true) > errors.log_likelihood(true, read)
        assert errors.log_likelihood(true, read) > errors.log_likelihood(true, other) + 1
