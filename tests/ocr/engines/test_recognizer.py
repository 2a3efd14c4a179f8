"""The recognizer, with the weights that come with the package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clones import ROOT
from PIL import Image
from plate_images import BEHIND, plate, plate_image

from lpr.composition.compose import compose
from lpr.errors import UserError
from lpr.ocr.crops import crop
from lpr.ocr.engines.base import OcrEngine
from lpr.ocr.engines.recognizer import PlateCharacters, RecognizerEngine, Settings, create
from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.layout import find_layout
from lpr.paths import SHIPPED_RECOGNIZER
from lpr.plates.countries import REGIONS
from lpr.plates.text import CHARACTERS
from lpr.synthesis.indian_plates import LONG, SQUARE


def settings(*overrides: str) -> Settings:
    config = compose(["ocr=recognizer", "ocr.threads=1", *overrides], ROOT / "conf").ocr
    return Settings.model_validate(config.model_dump())


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return create(settings(), Path())


@pytest.mark.parametrize("size_mm", [LONG, SQUARE], ids=["one line", "two lines"])
def test_most_clear_plates_are_read_exactly_line_by_line(engine: OcrEngine, size_mm: tuple[int, int]) -> None:
    plates = [plate_image(size_mm, seed) for seed in range(12)]
    texts = [engine.read(image) for _, image in plates]
    right = [true == found.text for (true, _), found in zip(plates, texts, strict=True)]
    assert sum(right) >= 9
    lines = {len(found.lines) for found, exact in zip(texts, right, strict=True) if exact}
    assert lines == ({1} if size_mm == LONG else {2})
    assert all(0 < found.confidence <= 1 for found in texts if found.text)


@pytest.mark.parametrize("foreshortening", [0.7, 0.4])
def test_thin_characters_side_by_side_are_read_on_a_plate_seen_from_the_side(
    engine: OcrEngine, foreshortening: float
) -> None:
    rng = np.random.default_rng(1)
    right = 0
    for _ in range(20):
        letters = "".join(rng.choice(list("ABEHKLMNPRSTVX"), 5))
        text = f"{letters[:2]}11{letters[2:]}"
        image = plate(text, width=400)
        right += engine.read(image.resize((round(foreshortening * image.width), image.height))).text == text
    assert right >= 19


def test_plates_in_boxes_that_are_much_too_large_are_read(engine: OcrEngine) -> None:
    right = 0
    for seed in range(20):
        text, image = plate_image(LONG, seed)
        around = Image.new("RGB", (round(1.6 * image.width), 3 * image.height), BEHIND)
        around.paste(image, ((around.width - image.width) // 2, image.height))
        small = around.resize((around.width // 2, around.height // 2))
        right += engine.read(small).text == text
    assert right >= 18


def test_plates_that_fill_their_images_are_read(engine: OcrEngine) -> None:
    """The engine takes crops of several margins, for which there is no room in these images."""
    right = 0
    for seed in range(24):
        text, image = plate_image(LONG, seed, margin=0.0)
        edge = round(0.14 * image.height)  # of the plate
        tight = image.crop((edge, edge, image.width - edge, image.height - edge))
        right += engine.read(crop(tight, (0, 0, *tight.size), 0.16)).text == text
    assert right >= 21


def test_a_blurred_plate_has_less_confidence(engine: OcrEngine) -> None:
    _, clear = plate_image(LONG, 3)
    blurred = clear.resize((clear.width // 8, clear.height // 8)).resize(clear.size)
    assert engine.read(blurred).confidence < engine.read(clear).confidence


def test_an_image_without_a_plate_has_almost_no_confidence(engine: OcrEngine) -> None:
    for shade in (0, 90, 200, 255):
        assert engine.read(Image.new("RGB", (200, 60), (shade, shade, shade))).confidence < 0.01


@pytest.mark.parametrize("size_mm", [LONG, SQUARE])
@pytest.mark.parametrize("angle_deg", [14, -20, 30])
def test_rotated_plates_are_read(engine: OcrEngine, size_mm: tuple[int, int], angle_deg: int) -> None:
    plates = [plate_image(size_mm, seed) for seed in range(12)]
    rotated = [(text, image.rotate(angle_deg, expand=True, fillcolor=BEHIND)) for text, image in plates]
    assert sum(engine.read(image).text == text for text, image in rotated) >= 11


def test_o_and_zero_are_resolved_by_the_gaps_between_groups() -> None:
    text, lefts = "R0BO84", [0, 12, 24, 46, 58, 70]
    boxes = np.array([(left, 5, left + 10, 25) for left in lefts], float)
    probabilities = np.full((len(text), len(CHARACTERS)), 0.1 / 35)
    probabilities[np.arange(len(text)), [CHARACTERS.index(character) for character in text]] = 0.9
    found = Characters(boxes, np.full(len(text), 0.99), probabilities, np.full(len(REGIONS), 1 / len(REGIONS)))
    plate = PlateCharacters(np.zeros((30, 90, 3), np.uint8), found, find_layout(boxes))
    (line,) = RecognizerEngine(SHIPPED_RECOGNIZER, 1).text(plate).lines
    assert line.text == "ROB084"
    assert line.candidates[1]["O"] == line.candidates[1]["0"] == 0.9


def test_each_character_has_candidates(engine: OcrEngine) -> None:
    text, image = plate_image(LONG, 1)
    (line,) = engine.read(image).lines
    assert [max(candidates, key=lambda one: candidates[one]) for candidates in line.candidates] == list(line.text)
    assert all(abs(sum(candidates.values()) - 1) < 1e-6 for candidates in line.candidates)
    assert len(line.text) == len(text)


def test_no_further_crop_is_used_from_the_threshold_on() -> None:
    _, image = plate_image(LONG, 1)
    one, all_three, stopped = (
        create(settings(*keys), Path()).read(image).confidence
        for keys in (
            ["ocr.tta_margins=[0.08]", "ocr.tta_threshold=0.0"],
            ["ocr.tta_threshold=1.0"],
            ["ocr.tta_threshold=0.0"],
        )
    )
    assert stopped == one != all_three


def test_images_of_any_size_are_read(engine: OcrEngine) -> None:
    for size in ((8, 8), (9, 300), (4000, 8)):
        engine.read(Image.new("RGB", size, (120, 120, 120)))


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none-here\.onnx"):
        create(settings(f"ocr.weights={tmp_path}/none-here.onnx"), tmp_path)


def test_a_margin_beyond_the_crop_is_refused() -> None:
    with pytest.raises(UserError, match=r"none may be over ocr\.margin=0\.1"):
        settings("ocr.margin=0.1", "ocr.tta_margins=[0.0,0.2]")


def test_it_reads_without_tensorflow() -> None:
    code = (
        "import sys; from PIL import Image; from lpr.ocr.engines.recognizer import RecognizerEngine;"
        "from lpr.paths import SHIPPED_RECOGNIZER;"
        "RecognizerEngine(SHIPPED_RECOGNIZER, 1).read(Image.new('RGB', (90, 30))); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
