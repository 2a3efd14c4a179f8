"""Plates of real images, labelled for training."""

from __future__ import annotations

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognizer.real_plates import label_characters
from lpr.paths import SHIPPED_RECOGNIZER
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
