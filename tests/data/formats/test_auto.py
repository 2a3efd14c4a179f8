"""Formats recognised by their content: the same two images from every tool, and what is refused in which words."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from annotation_sources import labels, obtained, source
from tool_exports import CAR, EXPORTS, IGNORED, PLATE, coco, dump, images, via_csv, voc, yolo

from lpr.composition.compose import compose
from lpr.config import Data, plugins
from lpr.data.annotations import read_annotations
from lpr.data.image_cache import download
from lpr.data.sources import obtain
from lpr.errors import UserError

SAME = sorted(EXPORTS.keys() - {"ccpd", "dataturks"})


def test_there_is_an_export_of_every_format() -> None:
    assert {*plugins.names("lpr.data.formats")} == {*EXPORTS, "auto", "synthetic"}


@pytest.mark.parametrize("name", [*EXPORTS, "via_csv"])
def test_every_format_is_recognised_and_named(
    tmp_path: Path, data: Data, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = (EXPORTS | {"via_csv": via_csv})[name](tmp_path / "set")
    mine = source("auto", path)
    found = obtained(mine, tmp_path / "sources" / "mine", data)
    name = name.removesuffix("_csv")
    assert f"source mine: {path} is of the format {name}\n" in capsys.readouterr().out
    rows = labels(tmp_path / "sources" / "mine")
    assert found.rejects.empty

    if name in SAME:
        assert rows[0][0] == ("0a1b2c3d-car.jpg" if name == "label_studio" else "car.jpg")
        assert (rows[0][1], rows[0][3:]) == ([*PLATE], ("KA05" if name != "yolo" else "", False))
        ignored = [row for row in rows if row[4]]
        assert [row[1] for row in ignored] == ([] if name in ("yolo", "openalpr") else [[*IGNORED]])
        assert found.other_labels == ({} if name == "openalpr" else {"car": 1})
        assert [row[1] for row in rows if row[2].lower() == "car"] == [[*CAR]] * (name != "openalpr")
        assert rows[-1][0].endswith("street.jpg")
        assert found.plates["top_x"].isna().tolist() == [*[False] * (len(found.plates) - 1), True]

    if name != "dataturks":  # whose images a server has
        tables = tmp_path / "images.csv", tmp_path / "failures.csv"
        mine_alone = data.model_copy(update={"sources": [mine]})
        counts = download(found.plates, mine_alone, tmp_path / "sources", tmp_path / "cache", *tables)
        assert (counts["images"], counts["failed"]) == (2, 0)


@pytest.mark.parametrize("name", SAME)
def test_a_format_that_is_named_reads_the_same(tmp_path: Path, data: Data, name: str) -> None:
    path = EXPORTS[name](tmp_path / "set")
    obtain(source("auto", path), tmp_path / "auto", data)
    obtain(source(name, path), tmp_path / "named", data)
    assert labels(tmp_path / "auto") == labels(tmp_path / "named")


@pytest.mark.parametrize("name", sorted(EXPORTS.keys() - {"dataturks", "table"}))
def test_annotations_that_are_not_there_or_of_another_format_are_refused(tmp_path: Path, data: Data, name: str) -> None:
    with pytest.raises(UserError, match=r"source mine: there is no file .*gone"):
        obtain(source(name, tmp_path / "gone"), tmp_path / "out", data)
    (tmp_path / "empty").mkdir()
    other = tmp_path / "empty" if name in ("voc", "yolo", "labelme", "ccpd", "openalpr") else tmp_path / "other.json"
    (tmp_path / "other.json").write_text("[1, 2]")
    with pytest.raises(UserError) as refused:
        obtained(source(name, other), tmp_path / "out", data)
    assert str(other) in str(refused.value) or "it is empty" in str(refused.value)


def test_dataturks_takes_its_images_from_a_folder(tmp_path: Path, data: Data) -> None:
    path = EXPORTS["dataturks"](tmp_path / "set")
    images(tmp_path / "mirror")
    mine = source("auto", path, image_root=tmp_path / "mirror")
    found = obtained(mine, tmp_path / "sources" / "mine", data)
    tables = tmp_path / "images.csv", tmp_path / "failures.csv"
    mine_alone = data.model_copy(update={"sources": [mine]})
    counts = download(found.plates, mine_alone, tmp_path / "sources", tmp_path / "cache", *tables)
    assert (counts["images"], counts["failed"]) == (1, 0)


def test_the_folder_of_an_export_is_enough_where_it_holds_one_file(tmp_path: Path, data: Data) -> None:
    coco(tmp_path / "set")
    found = obtained(source("auto", tmp_path / "set"), tmp_path / "out", data)
    assert (found.counts["images"], found.counts["without_plates"]) == (2, 1)
    coco(tmp_path / "set" / "more")
    with pytest.raises(
        UserError,
        match=r"may be any of .*instances_default\.json \(coco\), .*; set data\.annotations .*`lpr data merge",
    ):
        obtain(source("auto", tmp_path / "set"), tmp_path / "out", data)


def test_a_folder_of_two_formats_is_refused(tmp_path: Path, data: Data) -> None:
    voc(tmp_path / "set")
    yolo(tmp_path / "set")
    with pytest.raises(UserError, match=r"may be any of .*\(voc\), .*\(yolo\); .* data\.format=voc"):
        obtain(source("auto", tmp_path / "set"), tmp_path / "out", data)


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("a.json", json.dumps({"plates": [], "version": 2}), "an object with the keys plates, version"),
        ("a.json", json.dumps([{"url": "a.jpg"}]), "a JSON array of objects with the keys url"),
        ("a.json", "[]", "JSON without an object"),
        ("a.xml", "<gpx><trk/></gpx>", "XML whose root is <gpx>"),
        ("a.csv", "file;left;top\na.jpg;1;2\n", r"a table with the columns file, left, top.*data\.columns="),
        ("a.bin", "\0\1", "no text"),
        ("a.json", '{"images": [', "a table with the columns|text that is no JSON"),
    ],
)
def test_what_is_not_recognised_is_refused_with_what_it_is(
    tmp_path: Path, data: Data, name: str, content: str, seen: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=rf"the format of .*{name} is not recognised: it is ({seen}).*") as refused:
        obtain(source("auto", tmp_path / name), tmp_path / "out", data)
    assert "The formats are ccpd, coco, cvat, dataturks, label_studio" in str(refused.value)


def test_a_folder_that_is_not_recognised_is_described(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "set")
    dump(tmp_path / "set" / "notes.json", {"author": "me"})
    with pytest.raises(
        UserError, match=r"a folder with 2 \.jpg, 1 \.json; notes\.json is an object with the keys author"
    ):
        obtain(source("auto", tmp_path / "set"), tmp_path / "out", data)


CAR_IMAGE = {"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}
RESULT = {"original_width": 200, "original_height": 100, "type": "rectanglelabels"}
SIZE = {"imageWidth": 200, "imageHeight": 100}
HUGE = [{"x": 10**400, "y": 0.1}, {"x": 0.5, "y": 0.5}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            {"images": [CAR_IMAGE], "annotations": [{"image_id": 1, "category_id": {}, "bbox": [None, 2, 30, 40]}]},
            "x is nan",
        ),
        ({"images": [CAR_IMAGE], "annotations": [], "categories": 7}, ""),
        ({"images": None, "annotations": [{"image_id": [1]}]}, r"of the image_id \[1\], which no image has"),
        (
            [
                {
                    "data": {"image": "a.jpg"},
                    "annotations": [{"result": [RESULT | {"id": [1], "value": {"x": 10**400}}]}],
                }
            ],
            "a region of the type rectanglelabels",
        ),
        ({"_via_settings": {}, "_via_img_metadata": None}, "it is empty"),
        ({"shapes": [{"label": "plate", "points": 1.5}], "imagePath": "a.jpg", **SIZE}, "0 points where"),
        ({"shapes": 7, "imagePath": ["a.jpg"], "imageWidth": 200, "imageHeight": 100}, "has a list of shapes"),
        ({"shapes": [], "imagePath": ["a.jpg"], "imageWidth": 10**400}, "size is missing"),
        ({"a": {"filename": "a.jpg", "regions": 7}}, "its `regions` are no list"),
        ([{"data": {"image": "a.jpg"}, "annotations": [{"result": 7}]}], "has no list `result`"),
        ({"content": "a.jpg", "annotation": [{"points": HUGE, **SIZE}]}, "x is 1000"),
        ({"content": "a.jpg", "annotation": [{"points": HUGE, **SIZE, "imageWidth": 10**400}]}, "size is missing"),
    ],
)
def test_values_of_other_types_are_rejected(tmp_path: Path, data: Data, content: Any, reason: str) -> None:
    """What random changes of the exports were found to break."""
    dump(tmp_path / "a.json", content)
    obtain(source("auto", tmp_path / "a.json"), tmp_path / "out", data)
    if reason:
        with pytest.raises(UserError, match=f"nothing in its annotation file is usable: .*{reason}"):
            read_annotations(tmp_path / "out" / "annotations.json", "mine")
    else:
        assert read_annotations(tmp_path / "out" / "annotations.json", "mine").counts["without_plates"] == 1


def test_an_archive_is_to_be_unpacked(tmp_path: Path, data: Data) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("annotations.xml", "<annotations/>")
    with pytest.raises(UserError, match="a ZIP archive: unpack it"):
        obtain(source("auto", tmp_path / "export.zip"), tmp_path / "out", data)


def test_the_option_recognises_and_can_name_the_format(in_root: Path) -> None:
    assert compose(["data=annotated", "data.annotations=labels"]).data.sources[0].format == "auto"
    named = compose(["data=annotated", "data.annotations=labels", "data.format=yolo"])
    assert named.data.sources[0].format == "yolo"
