"""The tesseract engine, with the real program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from plate_images import plate

from lpr.errors import UserError
from lpr.ocr.engines.base import PlateText
from lpr.ocr.engines.tesseract import Settings, Tesseract, create

CONFIG = Settings(
    name="tesseract",
    splits=["test"],
    margin=0.1,
    grammars=None,
    low_confidence_threshold=0.5,
    language="eng",
    page_segmentation_mode=6,
    height_px=120,
)  # as conf/ocr/tesseract.yaml has it
installed = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the tesseract program is not installed")


@installed
@pytest.mark.parametrize(
    "image", [plate("MH 12 DE 1433"), plate("MH 12", "DE 1433", width=320)], ids=["one line", "two lines"]
)
def test_reads(image: Image.Image) -> None:
    found = Tesseract(CONFIG).read(image)
    assert found.text == "MH12DE1433"
    assert 0 < found.confidence <= 1


@installed
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3000, 1), (300, 80)])
def test_an_image_without_a_plate_has_no_text(size: tuple[int, int]) -> None:
    assert Tesseract(CONFIG).read(Image.new("RGB", size, "grey")) == PlateText("", 0.0)


@installed
def test_a_variable_that_points_to_a_folder_without_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(UserError) as error:
        create(CONFIG, tmp_path)
    assert str(error.value) == (
        f"ocr.language=eng: the environment variable TESSDATA_PREFIX points to {tmp_path}, where there is no "
        "eng.traineddata: unset it, or point it to the folder that has it"
    )


@installed
def test_a_language_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    with pytest.raises(UserError, match="no data for xyz: apt install tesseract-ocr-xyz"):
        Tesseract(CONFIG.model_copy(update={"language": "eng+xyz"}))


def test_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt install tesseract-ocr"):
        create(CONFIG, tmp_path)
