"""What conf/ interpolates: the files that DVC's stages depend on."""

import re
from pathlib import Path

import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.config import Source, path_keys


def test_local_files_are_named_and_what_dvc_cannot_watch_is_replaced(in_root: Path) -> None:
    url = "https://localhost/plates.json"
    composed = compose(["data=dataturks", f"data.annotations={url}", "data.texts=texts.csv"])
    (files,) = composed.inputs
    expected = {"name": "dataturks", "annotations": "data/no_file", "texts": "texts.csv", "boxes": "data/no_file"}
    assert {key: files[key] for key in expected} == expected
    assert compose(["data=table", "data.annotations=plates.csv"]).inputs[0]["annotations"] == "plates.csv"


def test_the_stage_source_depends_on_every_file_of_a_source(in_root: Path) -> None:
    (files,) = compose([]).inputs
    used = set(re.findall(r"\$\{item\.(\w+)\}", (ROOT / "dvc.yaml").read_text()))
    assert used == set(files)
    assert set(path_keys(Source)) - {"image_root"} <= used  # images are fetched by a later stage, into a cache


def test_weights_are_those_of_the_engine_or_the_shipped_ones(in_root: Path) -> None:
    shipped = compose([]).weights["ocr"]
    assert any((ROOT / shipped).glob("*.onnx"))
    assert compose(["ocr=tesseract"]).weights["ocr"] == shipped
    assert compose(["ocr.weights=mine.onnx"]).weights["ocr"] == "mine.onnx"


def test_code_of_plug_ins_is_the_packages_folder_or_the_users_own_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed = compose([])
    assert {key: composed.code[key] for key in ("detector", "ocr")} == {"detector": "lpr/detection", "ocr": "lpr/ocr"}
    Path("package_of_test_resolvers").mkdir()
    Path("package_of_test_resolvers/engine.py").write_text(
        "from typing import Literal\nfrom lpr.ocr.engines import tesseract\n"
        "class Settings(tesseract.Settings):\n    name: Literal['package_of_test_resolvers.engine']\n"
        "create = tesseract.create\n"
    )
    monkeypatch.syspath_prepend(str(project))
    composed = compose(["ocr=tesseract", "ocr.name=package_of_test_resolvers.engine"])
    assert composed.code["ocr"] == "package_of_test_resolvers/engine.py"
