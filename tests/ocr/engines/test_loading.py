"""Engines by name: those of the package, one of a user's own, and the settings of either."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from clones import ROOT
from PIL import Image

from lpr.composition.compose import compose
from lpr.config import Ocr
from lpr.errors import UserError
from lpr.ocr import engines
from lpr.ocr.engines.base import PlateText

OWN = """
from pathlib import Path

from PIL import Image

from lpr.config import Ocr
from lpr.ocr.engines.base import OcrEngine, PlateText


class Settings(Ocr):
    text: str


def create(settings: Settings, cache: Path) -> OcrEngine:
    return Constant(settings.text)


class Constant:
    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, image: Image.Image) -> PlateText:
        return PlateText(self.text, 1.0)
"""
COMMON = "splits: [test]\nmargin: 0.1\ngrammars: null\nlow_confidence_threshold: 0.5\n"


@pytest.fixture
def own(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an engine of one's own, which is a module and an option of conf/."""
    (project / "own_engine").mkdir()
    (project / "own_engine/constant.py").write_text(OWN)
    (project / "conf/ocr/constant.yaml").write_text(f"name: own_engine.constant\n{COMMON}text: AB12\n")
    monkeypatch.syspath_prepend(project)
    yield "own_engine.constant"
    for module in ("own_engine.constant", "own_engine"):
        sys.modules.pop(module, None)


def test_the_packages_engines_are_listed_by_name() -> None:
    assert engines.names() == ["cascade", "ocrspace", "rapidocr", "recognizer", "tesseract"]


@pytest.mark.parametrize("name", engines.names())
def test_every_option_of_conf_is_complete(name: str) -> None:
    config = compose([f"ocr={name}"], ROOT / "conf").ocr
    assert engines.load(name).Settings.model_validate(config.model_dump()).name == name


def test_an_engine_of_ones_own_reads(own: str, project: Path) -> None:
    config = compose(["ocr=constant"]).ocr
    assert config.name == own
    assert engines.create(config, project / "cache").read(Image.new("RGB", (90, 30))) == PlateText("AB12", 1.0)


def test_an_unknown_key_of_an_engine_is_named(own: str, project: Path) -> None:
    config = compose(["ocr=constant"]).ocr.model_copy(update={"colour": "red"})
    with pytest.raises(UserError, match="colour"):
        engines.create(config, project / "cache")


def test_an_unknown_engine_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(UserError, match="rapidocr"):
        engines.load("rapidcr")


def test_settings_come_from_params_yaml_or_the_option(project: Path) -> None:
    assert engines.load_settings().name == "cascade"
    (project / "params.yaml").write_text(
        f"ocr:\n  name: rapidocr\n  {COMMON.strip().replace(chr(10), chr(10) + '  ')}\n"
        "  side_px: 320\n  min_line_height: 0.5\n  threads: 1\n"
    )
    chosen = engines.load_settings()
    assert (chosen.name, chosen.model_dump()["side_px"]) == ("rapidocr", 320)
    assert engines.load_settings("rapidocr").model_dump()["side_px"] == 320
    assert isinstance(engines.load_settings("recognizer"), Ocr)
    assert engines.load_settings("recognizer").name == "recognizer"


def test_settings_of_an_engine_without_an_option(project: Path) -> None:
    with pytest.raises(UserError, match="nothing"):
        engines.load_settings("nothing")
