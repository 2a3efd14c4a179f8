"""The RapidOCR engine, with its real models."""

from __future__ import annotations

import socket
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps
from plate_images import plate

from lpr.ocr.crops import crop
from lpr.ocr.engines.base import PlateText
from lpr.ocr.engines.rapidocr import RapidOcr, Settings

CONFIG = Settings(
    name="rapidocr",
    splits=["test"],
    margin=0.1,
    grammars=None,
    low_confidence_threshold=0.5,
    side_px=480,
    min_line_height=0.5,
    threads=None,
)  # as conf/ocr/rapidocr.yaml has it


def marked(image: Image.Image, mark: str, size: int) -> Image.Image:
    """The plate with a mark at its left edge."""
    ImageDraw.Draw(image).text((40, image.height / 2), mark, "black", ImageFont.load_default(size), anchor="mm")
    return image


def stacked(above: str, below: str, beside: str) -> Image.Image:
    """A plate with two small lines on the left, beside a tall one."""
    image = Image.new("RGB", (600, 140), "white")
    pen = ImageDraw.Draw(image)
    for text, place, size in ((above, (100, 42), 52), (below, (100, 98), 52), (beside, (390, 70), 140)):
        pen.text(place, text, "black", ImageFont.load_default(size), anchor="mm")
    return image


def dated(image: Image.Image, date: str) -> Image.Image:
    """The plate with a date under its line, two thirds as high as that."""
    taller = ImageOps.expand(image.crop((3, 3, image.width - 3, image.height - 3)), (0, 0, 0, 50), "white")
    ImageDraw.Draw(taller).text(
        (taller.width / 2, taller.height - 34), date, "black", ImageFont.load_default(48), anchor="mm"
    )
    return taller


@pytest.fixture(scope="module")
def engine() -> RapidOcr:
    return RapidOcr(CONFIG)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (plate("MH 12 DE 1433"), "MH12DE1433"),
        (plate("MH 12", "DE 1433", width=320), "MH12DE1433"),
        (plate("KA 05", "MJ 8827", width=320).resize((100, 63)), "KA05MJ8827"),
        (plate("TN 09 BC 4471", small="SHREE MOTORS CHENNAI"), "TN09BC4471"),
        (plate("GJ 27", "AK 6139", width=320).rotate(12, expand=True, fillcolor="grey"), "GJ27AK6139"),
        (Image.eval(plate("RJ 14 CV 2286"), lambda value: 255 - value), "RJ14CV2286"),
        (plate("KERALA", "KL 07", "CD 4821", width=320), "KL07CD4821"),
        (marked(plate("TS 08 FA 2934", width=760), "IND", 40), "TS08FA2934"),
        (plate("OX 340 QOO"), "OX340QOO"),
        (plate("N      9      KK", width=760), "N9KK"),
        (dated(plate("AB 5571 SA"), "07.23"), "AB5571SA"),
        (stacked("KA09", "MA", "2662"), "KA09MA2662"),
    ],
    ids=[
        "one line",
        "two lines",
        "small",
        "maker's name",
        "tilted",
        "white on black",
        "state",
        "mark",
        "O and 0",
        "letters apart",
        "date",
        "two lines beside a tall one",
    ],
)
def test_reads(engine: RapidOcr, image: Image.Image, text: str) -> None:
    found = engine.read(image)
    assert found.text == text
    assert 0.7 < found.confidence <= 1
    assert engine.read(image) == found


@pytest.mark.parametrize("size", [(8, 8), (8, 600), (600, 8), (1600, 400)])
def test_an_image_without_a_plate_has_no_text(engine: RapidOcr, size: tuple[int, int]) -> None:
    assert engine.read(Image.new("RGB", size, "grey")) == PlateText("", 0.0)


def test_a_plate_of_letters_alone_is_not_taken_for_a_name(engine: RapidOcr) -> None:
    assert engine.read(plate("TVPAZ", width=400)).text == "TVPAZ"
    assert engine.read(marked(plate("GOOGLE", width=560), "2", 90)).text.endswith("GOOGLE")


def test_needs_no_internet_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = RapidOcr(CONFIG.model_copy(update={"threads": 1}))
    assert engine.read(plate("MH 12 DE 1433")).text == "MH12DE1433"
    engine.read(Image.new("RGB", (100, 40)))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "lines", "at_least"), [("dataturks", 1, 0.92), ("dataturks", 2, 0.85), ("openalpr_eu", None, 0.83)]
)
def test_reads_real_images(engine: RapidOcr, real_data: Path, name: str, lines: int | None, at_least: float) -> None:
    folder = real_data / name
    if lines is None:
        plates, images = pd.read_csv(folder / "annotations.csv", dtype={"text": str}), folder / "images"
    else:
        plates, images = pd.read_csv(folder / "plate_text.csv", dtype={"text": str}), folder / "mirror"
        plates = plates[(plates.agreed == 1) & (plates.lines == lines)]
    right = 0
    for row in plates.itertuples():
        with Image.open(images / row.image) as stored:
            image = ImageOps.exif_transpose(stored).convert("RGB")
        box = (row.xmin, row.ymin, row.xmax, row.ymax)
        right += engine.read(crop(image, box, CONFIG.margin)).text == row.text
    assert right / len(plates) >= at_least
