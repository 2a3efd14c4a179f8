"""Plug-ins by name: those of the package, those of one's own, and what is refused."""

from pathlib import Path
from typing import Protocol

import pytest

from lpr.config import plugins
from lpr.errors import UserError

ENGINES = "lpr.ocr.engines"


class Asked(Protocol):
    Settings: type

    def create(self) -> None: ...


def test_names_are_the_modules_of_the_package_but_base() -> None:
    assert sorted(plugins.names(ENGINES)) == ["cascade", "ocrspace", "rapidocr", "recognizer", "tesseract"]


def test_a_name_with_a_dot_is_a_module_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package_of_test_plugins").mkdir()
    (tmp_path / "package_of_test_plugins/engine.py").write_text("Settings = int\ndef create(): return 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert plugins.load(ENGINES, "package_of_test_plugins.engine", "ocr.name", Asked).create() == 3
    assert plugins.load(ENGINES, "tesseract", "ocr.name", Asked).__name__ == f"{ENGINES}.tesseract"


@pytest.mark.parametrize("name", ["tesserakt", "nowhere.engine", "lpr.ocr.engines.tesserakt"])
def test_an_unknown_module_is_refused_with_the_nearest_name(name: str) -> None:
    with pytest.raises(UserError, match=f"^ocr.name={name}: there is no module .* did you mean .*'tesseract'"):
        plugins.load(ENGINES, name, "ocr.name", Asked)


def test_a_module_that_a_plug_in_misses_is_not_taken_for_the_plug_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy_of_test_plugins").mkdir()
    (tmp_path / "needy_of_test_plugins/engine.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        plugins.load(ENGINES, "needy_of_test_plugins.engine", "ocr.name", Asked)


def test_what_a_plug_in_lacks_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_of_test_plugins").mkdir()
    (tmp_path / "half_of_test_plugins/engine.py").write_text("Settings = int\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    message = r"^ocr.name=half_of_test_plugins.engine: .*engine\.py has no create, which .* describes"
    with pytest.raises(UserError, match=message):
        plugins.load(ENGINES, "half_of_test_plugins.engine", "ocr.name", Asked)
