"""The project's own reader, with the weights that come with the package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clones import ROOT
from PIL import Image
from plate_images import BEHIND, plate_image

from lpr.composition.compose import compose
from lpr.errors import UserError
from lpr.ocr.engines.base import Reader
from lpr.ocr.engines.recognizer import SHIPPED, PlateCharacters, RecognizerEngine, Settings, create
from lpr.ocr.recognizer.decoding import Characters, lay_out
from lpr.plates.text import CHARACTERS
from lpr.synthesis.plate_art import LONG, SQUARE


def settings(*overrides: str) -> Settings:
    config = compose(["ocr=recognizer", "ocr.threads=1", *overrides], ROOT / "conf").reader
    assert isinstance(config, Settings)
    return config


@pytest.fixture(scope="module")
def reader() -> Reader:
    return create(settings(), Path())


@pytest.mark.parametrize("size_mm", [LONG, SQUARE], ids=["one line", "two lines"])
def test_most_clear_plates_are_read_exactly_line_by_line(reader: Reader, size_mm: tuple[int, int]) -> None:
    plates = [image(size_mm, seed) for seed in range(12)]
    readings = [reader.read(image) for _, image in plates]
    right = [text == reading.text for (text, _), reading in zip(plates, readings, strict=True)]
    assert sum(right) >= 9
    lines = {len(reading.lines) for reading, good in zip(readings, right, strict=True) if good}
    assert lines == ({1} if size_mm == LONG else {2})
    assert all(0 < reading.confidence <= 1 for reading in readings if reading.text)


def test_it_is_less_sure_of_what_can_hardly_be_read(reader: Reader) -> None:
    _, clear = plate_image(LONG, 3)
    blurred = clear.resize((clear.width // 8, clear.height // 8)).resize(clear.size)
    assert reader.read(blurred).confidence < reader.read(clear).confidence


def test_it_is_sure_of_nothing_where_nothing_stands(reader: Reader) -> None:
    for shade in (0, 90, 200, 255):
        assert reader.read(Image.new("RGB", (200, 60), (shade, shade, shade))).confidence < 0.01


def test_plates_that_lean_are_read(reader: Reader) -> None:
    plates = [plate_image(LONG, seed) for seed in range(12)]
    turned = [(text, image.rotate(14, expand=True, fillcolor=BEHIND)) for text, image in plates]
    assert sum(reader.read(image).text == text for text, image in turned) >= 6


def test_o_or_zero_is_told_by_the_gaps_between_groups() -> None:
    text, places = "R0BO84", [0, 12, 24, 46, 58, 70]
    boxes = np.array([(left, 5, left + 10, 25) for left in places], float)
    chances = np.full((len(text), len(CHARACTERS)), 0.1 / 35)
    chances[np.arange(len(text)), [CHARACTERS.index(character) for character in text]] = 0.9
    found = Characters(boxes, np.full(len(text), 0.99), chances)
    (line,) = (
        RecognizerEngine(SHIPPED, 1).text(PlateCharacters(np.zeros((30, 90, 3), np.uint8), found, lay_out(boxes))).lines
    )
    assert line.text == "ROB084"
    assert line.candidates[1]["O"] == line.candidates[1]["0"] == 0.9


def test_each_character_comes_with_what_else_it_may_be(reader: Reader) -> None:
    text, image = plate_image(LONG, 1)
    (line,) = reader.read(image).lines
    assert [max(candidates, key=lambda one: candidates[one]) for candidates in line.candidates] == list(line.text)
    assert all(abs(sum(candidates.values()) - 1) < 1e-6 for candidates in line.candidates)
    assert len(line.text) == len(text)


def test_no_other_look_is_taken_where_one_is_enough() -> None:
    _, image = plate_image(LONG, 1)
    first, all_three, hurried = (
        create(settings(*keys), Path()).read(image).confidence
        for keys in (["ocr.tta_margins=[0.08]"], ["ocr.tta_threshold=1.0"], ["ocr.tta_threshold=0.0"])
    )
    assert hurried == first != all_three


def test_images_of_any_size_are_read(reader: Reader) -> None:
    for size in ((8, 8), (9, 300), (4000, 8)):
        reader.read(Image.new("RGB", size, (120, 120, 120)))


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none-here\.onnx"):
        create(settings(f"ocr.weights={tmp_path}/none-here.onnx"), tmp_path)


def test_a_look_beyond_what_is_cut_out_is_refused() -> None:
    with pytest.raises(UserError, match=r"none may be over reader\.margin=0\.1"):
        settings("ocr.margin=0.1", "ocr.tta_margins=[0.0,0.2]")


def test_it_reads_without_tensorflow() -> None:
    code = (
        "import sys; from pathlib import Path; from PIL import Image; from lpr.ocr.engines.recognizer import RecognizerEngine, SHIPPED;"
        "RecognizerEngine(SHIPPED, 1).read(Image.new('RGB', (90, 30))); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
