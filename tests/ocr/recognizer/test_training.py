"""From plates with a further character to an engine that reads it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from clones import ROOT

from lpr.composition.compose import compose
from lpr.nn.runtime import choose_hardware
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine
from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.export import export
from lpr.ocr.recognizer.layout import find_layout
from lpr.ocr.recognizer.training import train
from lpr.plates.countries import REGIONS
from lpr.plates.text import CHARACTERS, normalize
from lpr.synthesis.lettered_plates import draw_lettered_plates

ALPHABET = f"{CHARACTERS}京沪"


def test_an_engine_reads_the_characters_of_the_alphabet_that_was_trained(tmp_path: Path) -> None:
    config = compose(
        [
            f'recognizer.alphabet="{ALPHABET}"',
            "recognizer.p_real=0.5",
            "recognizer.stem_channels=4",
            "recognizer.fpn_channels=8",
            "recognizer.train.epochs=2",
            "recognizer.train.steps_per_epoch=2",
            "recognizer.train.batch_size=4",
            "recognizer.train.threads=1",
        ],
        ROOT / "conf",
    ).recognizer
    plates = draw_lettered_plates(6, 1)
    real = [replace(plate, text=f"京{plate.text[1:]}") for plate in plates]
    model, onnx = tmp_path / "recognizer.keras", tmp_path / "recognizer.onnx"
    train(config, plates, real, choose_hardware("auto", 1), model, tmp_path / "history.csv", tmp_path / "state")
    assert export(model, config, plates, onnx).alphabet == ALPHABET

    engine = RecognizerEngine(onnx, 1)
    labels = [ALPHABET.index(character) for character in "京A12345"]
    boxes = np.array([(12 * place, 5, 12 * place + 10, 25) for place in range(len(labels))], float)
    found = Characters(boxes, np.full(7, 0.99), np.eye(len(ALPHABET))[labels], np.full(len(REGIONS), 1 / len(REGIONS)))
    image = np.zeros((30, 90, 3), np.uint8)
    text = engine.text(PlateCharacters(image, found, find_layout(boxes)))
    assert text.text == normalize("京A·12345") == "京A12345"
    assert [set(candidates) for candidates in text.lines[0].candidates] == [set(ALPHABET)] * 7
    assert engine.detect_characters(image).probabilities.shape[1] == len(ALPHABET)
