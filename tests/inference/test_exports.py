"""Predictions in the formats of labelling tools, read back as those tools read them."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from annotation_sources import obtained, source
from pycocotools.coco import COCO
from tool_exports import images

from lpr.boxes import BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.data.image_cache import download
from lpr.errors import UserError
from lpr.inference.alpr import UNREAD
from lpr.inference.exports import WRITERS, export
from lpr.inference.plates import Plate
from lpr.inference.results import JSONL, Results, error_record, frame_record, image_record, video_record

PLATES = [Plate((20, 10, 60, 30), 0.9, "KA05", 0.8), Plate((0, 0, 10, 5), 0.4)]


@pytest.fixture
def predicted(tmp_path: Path) -> Path:
    """The JSONL of two images of the same name, one of them without plates, a video, and a broken file."""
    with Results(tmp_path, {}, table=False, resume=False) as results:
        results.add(image_record(Path("a/car.jpg"), 200, 100, PLATES, None))
        results.add(image_record(Path("b/car.jpg"), 80, 40, [], None))
        results.add(frame_record(Path("drive.mp4"), 0, 200, 100, PLATES))
        results.add(video_record(Path("drive.mp4"), 1, 25.0, [], None, None))
        results.add(error_record(Path("broken.jpg"), "an empty file"))
    return tmp_path / JSONL


def test_coco_is_read_by_pycocotools(predicted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(["coco"], predicted) == ["coco.json"]
    coco = COCO(str(predicted.parent / "coco.json"))
    assert [coco.imgs[key]["file_name"] for key in sorted(coco.imgs)] == ["a/car.jpg", "b/car.jpg"]
    assert coco.cats == {1: {"id": 1, "name": "plate"}}
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=1))
    assert (first["bbox"], first["area"], first["text"]) == ([20, 10, 40, 20], 800, "KA05")
    assert (second["bbox"], second["score"], second["text"]) == ([0, 0, 10, 5], 0.4, "")
    assert coco.getAnnIds(imgIds=2) == []


def test_yolo_has_fractions_and_a_link_to_each_image(predicted: Path) -> None:
    assert export(["yolo"], predicted) == ["yolo/"]
    root = predicted.parent / "yolo"
    data = yaml.safe_load((root / "data.yaml").read_text())
    assert data["path"] == str(root)
    assert list(data["names"].values()) == ["plate"]
    assert sorted(path.name for path in (root / "labels").iterdir()) == ["car-2.txt", "car.txt"]
    lines = (root / "labels" / "car.txt").read_text().splitlines()
    assert lines == ["0 0.200000 0.200000 0.200000 0.200000", "0 0.025000 0.025000 0.050000 0.050000"]
    assert (root / "labels" / "car-2.txt").read_text() == ""
    assert (root / "images" / "car-2.jpg").readlink() == Path("b/car.jpg").absolute()
    export(["yolo"], predicted)  # again, over the links
    (predicted.parent / JSONL).write_text("")
    export(["yolo"], predicted)  # of an earlier export nothing is left
    assert [path.name for path in root.rglob("*") if path.is_symlink() or path.suffix == ".txt"] == []


def test_an_export_into_a_data_set_of_ones_own_is_refused(predicted: Path) -> None:
    own = predicted.parent / "yolo" / "images" / "car.jpg"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"a photograph")
    with pytest.raises(UserError, match=r"has images of its own, such as car\.jpg: choose another --output"):
        export(["yolo"], predicted)
    assert own.read_bytes() == b"a photograph"


def test_label_studio_has_a_region_a_plate_in_per_cent(predicted: Path) -> None:
    export(["labelstudio"], predicted)
    tasks = json.loads((predicted.parent / "labelstudio.json").read_text())
    assert [task["data"]["image"] for task in tasks] == [f"/data/local-files/?d={name}/car.jpg" for name in "ab"]
    box, text, second = tasks[0]["predictions"][0]["result"]
    expected = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0}
    assert box["value"] == {**expected, "rectanglelabels": ["plate"]}
    assert text["value"] == {**expected, "text": ["KA05"]}
    assert box["id"] == text["id"] != second["id"]
    assert (box["original_width"], box["original_height"], box["score"]) == (200, 100, 0.9)
    assert tasks[1]["predictions"][0]["result"] == []


def test_the_command_line_knows_every_choice() -> None:
    from lpr.cli.predict import _FORMATS, _UNREAD

    assert set(_FORMATS) == set(WRITERS)
    assert _UNREAD == UNREAD


@pytest.mark.parametrize("written", ["coco.json", "yolo", "labelstudio.json", "predictions.csv"])
@pytest.mark.parametrize("named", ["relative", "absolute", "elsewhere"])
def test_what_is_written_is_read_back(
    in_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, named: str
) -> None:
    """Predictions of a folder of images are annotations: their boxes, texts and images, and images without plates."""
    data = compose([]).data
    first, second = "IMG #1 50% R&D+.jpg", "sub/a.jpg"
    images(tmp_path / "project" / "street", {first: (200, 100), second: (80, 40)})
    monkeypatch.chdir(tmp_path / "project")
    if named == "elsewhere":
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
    place = {"relative": Path("street"), "absolute": Path("street").absolute(), "elsewhere": Path("../project/street")}
    with Results(Path("predictions"), {}, table=True, resume=False) as results:
        results.add(image_record(place[named] / first, 200, 100, PLATES, None))
        results.add(image_record(place[named] / second, 80, 40, [], None))
    export(list(WRITERS), Path("predictions") / JSONL)

    root = {"image_root": place[named]} if named == "elsewhere" and written != "yolo" else {}
    mine = source("auto", Path("predictions") / written, **root)
    found = obtained(mine, Path("sources") / "mine", data)
    assert found.rejects.empty
    plates = found.plates.sort_values(["image_width", "top_x"], ascending=False, ignore_index=True)
    assert plates.loc[:1, BOX_COLUMNS].to_numpy() == pytest.approx(np.array([[20, 10, 60, 30], [0, 0, 10, 5]]))
    assert plates["top_x"].isna().tolist() == [False, False, True]
    assert plates["text"].tolist() == (["", "", ""] if written == "yolo" else ["KA05", "", ""])
    assert plates["image_width"].tolist() == [200, 200, 80]
    alone = data.model_copy(update={"sources": [mine]})
    counts = download(found.plates, alone, Path("sources"), Path("cache"), Path("images.csv"), Path("failures.csv"))
    assert (counts["images"], counts["failed"], counts["resized"]) == (2, 0, 0)
