"""Plates of images as a reader learns from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.ocr.engines.recognizer import SHIPPED, RecognizerEngine
from lpr.ocr.recognizer.real_plates import labelled
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import draw_plates
from lpr.synthesis.plate_file import load_plates, save_plates


@pytest.fixture(scope="module")
def images() -> list[tuple[np.ndarray, str, np.ndarray]]:
    """Clear crops of drawn plates, which stand in for images: pixels, texts and where the characters are."""
    crops = compose([], ROOT / "conf").recognizer.crops.model_copy(update={"letter_px": [30.0, 50.0], "poor": 0.0})
    shown = []
    for number, plate in enumerate(draw_plates(24, 3)):
        pixels, boxes = draw_crop(plate, 96, 240, np.random.default_rng(number), crops)
        shown.append((pixels, plate.text, boxes))
    return shown


def test_characters_are_where_they_stand_and_called_as_the_text_says(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    network = RecognizerEngine(SHIPPED, 1)
    found = labelled(((pixels, text) for pixels, text, _ in images), network.find)
    assert len(found) > len(images) / 2
    for plate in found:
        ((pixels, text, boxes),) = [one for one in images if one[1] == plate.text]
        assert (plate.pixels[..., :3] == pixels).all()
        assert (plate.pixels[..., 3] == 255).all()
        middles, true = ((corners[:, :2] + corners[:, 2:]) / 2 for corners in (plate.characters, boxes))
        sides = boxes[:, 2:] - boxes[:, :2]
        assert (np.abs(middles - true) < 0.5 * sides).all(), text


def test_a_misread_character_is_called_what_it_is_and_other_plates_are_left_out(
    images: list[tuple[np.ndarray, str, np.ndarray]],
) -> None:
    find = RecognizerEngine(SHIPPED, 1).find
    pixels, text = next((pixels, text) for pixels, text, _ in images if labelled([(pixels, text)], find))
    other = ("X" if text[0] != "X" else "Y") + text[1:]
    (plate,) = labelled([(pixels, other)], find)
    assert plate.text == other
    assert (
        labelled([(pixels, text + "7"), (pixels, ""), (pixels, "".join(chr(ord(one) ^ 1) for one in text))], find) == []
    )


def test_no_plates_are_a_file_too(tmp_path: Path) -> None:
    save_plates([], tmp_path / "none.npz")
    assert load_plates(tmp_path / "none.npz") == []
