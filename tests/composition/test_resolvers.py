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
    home = compose(["data=table", "data.annotations='~/plates.csv'"]).inputs[0]["annotations"]
    assert home == str(Path.home() / "plates.csv")


def test_the_stage_source_depends_on_every_file_of_a_source(in_root: Path) -> None:
    (files,) = compose([]).inputs
    used = set(re.findall(r"\$\{item\.(\w+)\}", (ROOT / "dvc.yaml").read_text()))
    assert used == set(files)
    assert set(path_keys(Source)) - {"image_root"} | {"images"} <= used


def test_the_folder_of_the_images_is_the_one_that_is_named_or_where_formats_expect_them(project: Path) -> None:
    for folder in ("named", "beside/images", "voc/JPEGImages", "loose", "phone", "yolo/train/images", "data"):
        Path(folder).mkdir(parents=True)
    Path("loose/1.JPG").touch()
    Path("phone/1.heic").touch()

    def watched(annotations: str, *more: str) -> str:
        return compose(["data=annotated", f"data.annotations={annotations}", *more]).inputs[0]["images"]

    assert watched("beside/plates.csv") == "beside/images"
    assert watched("beside/plates.csv", "data.image_root=named") == "named"
    assert watched("voc/Annotations") == "voc/JPEGImages"
    assert watched("loose/plates.json") == "loose"
    assert watched("phone/plates.json") == "phone"
    assert watched("yolo/data.yaml") == "yolo", "its labels are in subfolders, too"
    nothing = "data/no_file"
    assert watched("named/plates.csv") == nothing, "there are no images"
    assert watched("loose/plates.json", "data.image_root=https://localhost/x") == nothing
    assert watched("https://localhost/plates.json") == nothing
    # No stage can depend on what it writes.
    assert watched("loose/plates.json", "data.image_root=.") == nothing
    assert watched("loose/plates.json", "data.image_root=data/images") == nothing


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
