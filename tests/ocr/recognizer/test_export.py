"""The exported recognizer: the same texts in floating point and in 8-bit integers."""

from pathlib import Path

import pytest
from clones import ROOT
from PIL import Image
from plate_images import plate_image

from lpr.composition.compose import compose
from lpr.nn.onnx_file import open_onnx
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognizer.export import export
from lpr.paths import SHIPPED_RECOGNIZER
from lpr.synthesis.indian_plates import LONG, SQUARE
from lpr.synthesis.lettered_plates import draw_lettered_plates


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The network that ships, as `recognizer.onnx` and `recognizer.int8.onnx`."""
    folder = tmp_path_factory.mktemp("exported")
    files = folder / "recognizer.onnx", folder / "recognizer.int8.onnx"
    config = compose(["recognizer.train.threads=1"], ROOT / "conf").recognizer
    export(SHIPPED_RECOGNIZER.with_suffix(".keras"), config, draw_lettered_plates(40, 1), *files)
    return files


@pytest.fixture(scope="module")
def plates() -> list[tuple[str, Image.Image]]:
    return [plate_image(size_mm, seed) for size_mm in (LONG, SQUARE) for seed in range(12)]


def test_in_8_bit_integers_the_same_texts_are_read_by_a_smaller_file(
    exported: tuple[Path, Path], plates: list[tuple[str, Image.Image]]
) -> None:
    plain, quantized = exported
    assert quantized.stat().st_size < 0.35 * plain.stat().st_size
    engines = [RecognizerEngine(file, 1, tta_threshold=0.0) for file in (plain, quantized)]  # of one crop of each plate
    one, other = ([engine.read(image) for _, image in plates] for engine in engines)
    assert sum(a.text == b.text for a, b in zip(one, other, strict=True)) >= 22
    assert max(abs(a.confidence - b.confidence) for a, b in zip(one, other, strict=True) if a.text == b.text) < 0.2
    assert sum(text == found.text for (text, _), found in zip(plates, other, strict=True)) >= 18


def test_both_files_have_the_same_metadata(exported: tuple[Path, Path]) -> None:
    plain, quantized = (open_onnx(file, "")[1] for file in exported)
    assert plain == quantized
    assert plain is not None
