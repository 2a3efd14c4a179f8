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
    found = label_characters(((pixels, text) for pixels, text, _ in images), engine.detect_characters)
    assert len(found) > len(images) / 2
    for plate in found:
        ((pixels, text, boxes),) = [one for one in images if one[1] == plate.text]
        assert (plate.pixels[..., :3] == pixels).all()
        assert (plate.pixels[..., 3] == 255).all()
        middles, true = ((corners[:, :2] + corners[:, 2:]) / 2 for corners in (plate.characters, boxes))
        sides = boxes[:, 2:] - boxes[:, :2]
        assert (np.abs(middles - true) < 0.5 * sides).all(), text


def test_a_misread_character_gets_its_true_label_and_other_plates_are_left_out(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    detect = RecognizerEngine(SHIPPED_RECOGNIZER, 1).detect_characters
    pixels, text = next((pixels, text) for pixels, text, _ in images if label_characters([(pixels, text)], detect))
    other = ("X" if text[0] != "X" else "Y") + text[1:]
    (plate,) = label_characters([(pixels, other)], detect)
    assert plate.text == other
    mostly_wrong = "".join(chr(ord(one) ^ 1) for one in text)
    assert label_characters([(pixels, text + "7"), (pixels, ""), (pixels, mostly_wrong)], detect) == []
