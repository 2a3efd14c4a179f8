"""An alphabet with further characters, from plates to an engine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.config import Recognizer
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine
from lpr.ocr.recognizer.batches import crop_batches
from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.export import export
from lpr.ocr.recognizer.layout import find_layout
from lpr.ocr.recognizer.network import build
from lpr.plates.countries import REGIONS
from lpr.plates.text import CHARACTERS, normalize
from lpr.synthesis.lettered_plates import LetteredPlate, draw_lettered_plates

ALPHABET = f"{CHARACTERS}京沪"


@pytest.fixture(scope="module")
def config() -> Recognizer:
    overrides = [f'recognizer.alphabet="{ALPHABET}"', "recognizer.p_real=1", "recognizer.crops.p_no_plate=0"]
    tiny = ["recognizer.stem_channels=4", "recognizer.fpn_channels=8", "recognizer.train.batch_size=4"]
    tiny += ["recognizer.train.threads=1"]  # as in all tests of one process
    return compose([*overrides, *tiny], ROOT / "conf").recognizer


@pytest.fixture(scope="module")
def plates() -> list[LetteredPlate]:
    return draw_lettered_plates(6, 1)


def test_a_crop_of_a_real_plate_teaches_further_characters(config: Recognizer, plates: list[LetteredPlate]) -> None:
    real = [replace(plate, text=f"京{plate.text[1:]}") for plate in plates]
    _, characters = next(iter(crop_batches(plates, real, config, range(1))))
    assert (np.asarray(characters)[:, 0, 4] == ALPHABET.index("京")).all()


def test_an_engine_reads_the_characters_of_its_networks_alphabet(
    config: Recognizer, plates: list[LetteredPlate], tmp_path: Path
) -> None:
    model, onnx = tmp_path / "recognizer.keras", tmp_path / "recognizer.onnx"
    build(config, "float32").save(model)
    assert export(model, config, plates, onnx, tmp_path / "recognizer.int8.onnx").alphabet == ALPHABET
    engine = RecognizerEngine(onnx, 1)
    labels = [ALPHABET.index(character) for character in "京A12345"]
    boxes = np.array([(12 * place, 5, 12 * place + 10, 25) for place in range(len(labels))], float)
    found = Characters(boxes, np.full(7, 0.99), np.eye(len(ALPHABET))[labels], np.full(len(REGIONS), 1 / len(REGIONS)))
    image = np.zeros((30, 90, 3), np.uint8)
    text = engine.text(PlateCharacters(image, found, find_layout(boxes)))
    assert text.text == normalize("京A·12345") == "京A12345"
    assert [set(candidates) for candidates in text.lines[0].candidates] == [set(ALPHABET)] * 7
    assert engine.detect_characters(image).probabilities.shape[1] == len(ALPHABET)
