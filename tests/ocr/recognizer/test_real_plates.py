"""Plates of real images, labelled for training."""

from __future__ import annotations

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.real_plates import label_characters
from lpr.paths import SHIPPED_RECOGNIZER
from lpr.plates.text import CHARACTERS
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import draw_lettered_plates


@pytest.fixture(scope="module")
def images() -> list[tuple[np.ndarray, str, np.ndarray]]:
    """Clear crops of synthetic plates in place of real ones: pixels, texts and boxes of the characters."""
    crops = compose([], ROOT / "conf").recognizer.crops.model_copy(
        update={"letter_height_range_px": [30.0, 50.0], "p_degraded": 0.0}
    )
    made = []
    for number, plate in enumerate(draw_lettered_plates(24, 3)):
        pixels, boxes = draw_crop(plate, 96, 240, np.random.default_rng(number), crops)
        made.append((pixels, plate.text, boxes))
    return made


def test_characters_have_their_places_and_the_labels_of_the_text(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    engine = RecognizerEngine(SHIPPED_RECOGNIZER, 1)
    found = label_characters(((pixels, text, "china") for pixels, text, _ in images), engine.detect_characters, 0.0)
    assert len(found) > len(images) / 2
    for plate in found:
        ((pixels, text, boxes),) = [one for one in images if one[1] == plate.text]
        assert (plate.pixels[..., :3] == pixels).all()
        assert (plate.pixels[..., 3] == 255).all()
        assert plate.region == "china"
        middles, true = ((corners[:, :2] + corners[:, 2:]) / 2 for corners in (plate.characters, boxes))
        sides = boxes[:, 2:] - boxes[:, :2]
        assert (np.abs(middles - true) < 0.5 * sides).all(), text


def test_a_misread_character_gets_its_true_label_and_other_plates_are_left_out(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    detect = RecognizerEngine(SHIPPED_RECOGNIZER, 1).detect_characters
    pixels, text = next(
        (pixels, text) for pixels, text, _ in images if label_characters([(pixels, text, "")], detect, 0.0)
    )
    other = ("X" if text[0] != "X" else "Y") + text[1:]
    (plate,) = label_characters([(pixels, other, "")], detect, 0.0)
    assert plate.text == other
    mostly_wrong = "".join("X" if one != "X" else "Y" for one in text)
    texts = (text + "7", "", mostly_wrong)
    assert label_characters([(pixels, each, "") for each in texts], detect, 0.0) == []


def test_of_more_characters_than_the_text_has_the_likeliest_are_taken(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    """As of a plate that has a province's character or a seal before its text."""
    engine = RecognizerEngine(SHIPPED_RECOGNIZER, 1)
    compared = 0
    for pixels, text, _ in images:
        complete = label_characters([(pixels, text, "")], engine.detect_characters, 0.0)
        if len(set(text)) < len(text) or not complete:
            continue
        (plate,) = label_characters([(pixels, text[1:], "")], engine.detect_characters, 0.0)
        np.testing.assert_array_equal(plate.characters, complete[0].characters[1:])
        compared += 1
    assert compared > 3


def test_what_is_around_the_plate_is_kept_and_is_not_of_its_box(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    engine = RecognizerEngine(SHIPPED_RECOGNIZER, 1, 0.25, (0.25,))
    padded = [
        (np.pad(pixels, [(24, 24), (24, 24), (0, 0)], mode="edge"), text, "") for pixels, text, _ in images
    ]  # a quarter of the 96 px
    found = label_characters(padded, engine.detect_characters, 0.25)
    assert found
    assert {plate.box for plate in found} == {(24, 24, 264, 120)}


def found_at(places: list[tuple[float, float]], text: str) -> Characters:
    """Characters of 20 × 40 px, a 1 of 6 × 40 px, with their left upper corners relative to cells at these places."""
    lefts = [
        (x + 7, y, x + 13, y + 40) if one == "1" else (x, y, x + 20, y + 40)
        for (x, y), one in zip(places, text, strict=True)
    ]
    labels = np.eye(len(CHARACTERS))[[CHARACTERS.index(one) for one in text]]
    return Characters(np.array(lefts, float), np.full(len(text), 0.9), labels)


CHINESE = [(60, 40), (98, 43), (123, 45), (148, 47), (173, 49), (198, 51)]  # 25 px and 2 px apart but for the first gap


def test_a_character_that_the_network_does_not_know_gets_the_box_before_the_first_it_finds() -> None:
    crop = np.zeros((120, 300, 3), np.uint8)
    (plate,) = label_characters([(crop, "京A81731", "china")], lambda _: found_at(CHINESE, "A81731"), 0.35)
    assert plate.text == "京A81731"
    np.testing.assert_allclose(plate.characters[0], (35, 38, 55, 78), atol=1)
    np.testing.assert_array_equal(plate.characters[1:], found_at(CHINESE, "A81731").boxes)
    # What is found in its place, or beside the plate, is none of the line's characters.
    more = found_at([(33, 37), *CHINESE, (260, 55)], "EA81731I")
    (same,) = label_characters([(crop, "京A81731", "china")], lambda _: more, 0.35)
    np.testing.assert_array_equal(same.characters, plate.characters)
    (two,) = label_characters([(crop, "品川A81731", "")], lambda _: found_at(CHINESE, "A81731"), 0.35)
    np.testing.assert_allclose(two.characters[:2, 0], [10, 35], atol=1)


@pytest.mark.parametrize(("text", "left"), [("A8173学", 60), ("A8京1731", 60), ("京", 60), ("京A81731", 20)], ids=str)
def test_a_plate_is_left_out_where_the_place_of_such_a_character_is_unknown(text: str, left: int) -> None:
    """At the end and between others; alone; and where it would be outside the image."""
    places = [(x - 60 + left, y) for x, y in CHINESE]
    crops = [(np.zeros((120, 300, 3), np.uint8), text, "")]
    assert label_characters(crops, lambda _: found_at(places, "A81731"), 0.35) == []


def test_a_plate_is_left_out_where_no_neighbours_tell_the_distance() -> None:
    two_lines = found_at([(60, 10), (20, 60), (50, 60), (80, 60)], "A123")
    crop = np.zeros((120, 300, 3), np.uint8)
    assert label_characters([(crop, "A123", "")], lambda _: two_lines, 0.35)
    assert label_characters([(crop, "京A123", "")], lambda _: two_lines, 0.35) == []
