"""`lpr data convert` and `lpr data merge`: what is written is read again as the same plates, what is lost is said."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO
from tool_exports import EXPORTS, SIZES, coco, dump

from lpr.boxes import BOX_COLUMNS
from lpr.cli.main import main
from lpr.data.originals import visit_originals
from lpr.data.placement import place_boxes
from lpr.datasets.reading import Options, opened

CORNERS = [20.0, 12.0, 60.0, 10.0, 58.0, 28.0, 22.0, 30.0]
SET = {"coco": "annotations.json", "yolo": "data.yaml", "csv": "annotations.csv"}


def plates(path: Path, **options: str) -> list[tuple[str, list[float], str, bool]]:
    """What training would have of a set, a row a plate: image, box in pixels of the image, text, whether ignored."""
    with opened([str(path)], Options(**options)) as sets:
        listed = sets.sets[0].annotations.plates
        images, failures, _ = visit_originals(listed, sets.data, sets.folder, lambda _: None)
        assert failures.empty
        assert sets.sets[0].annotations.rejects.empty
    urls = listed.drop_duplicates("image").set_index("image")["url"]
    return sorted(
        (urls[row["image"]], [round(row[column], 1) for column in BOX_COLUMNS], row["text"], row["ignored"])
        for row in place_boxes(listed, images).fillna(-1).to_dict("records")
    )


def corners(path: Path) -> list[list[tuple[float, float]]]:
    """The four corners that a set has, of each plate that has them."""
    with opened([str(path)], Options()) as sets:
        return [
            [(round(x, 1), round(y, 1)) for x, y in detail.corners]
            for detail in sets.sets[0].annotations.details
            if detail.corners
        ]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """COCO of a plate with four corners, one to be ignored, a car, an image without plates, one turned by EXIF, …"""
    path = coco(tmp_path / "mixed")
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = [CORNERS]
    folder = path.parent.parent / "images" / "default"
    for number, name in enumerate(["gate 1/a#b.jpg", "images/a#b.jpg", "turned.jpg"], start=3):
        (folder / name).parent.mkdir(exist_ok=True)
        exif = Image.Exif()
        if name == "turned.jpg":
            exif[0x0112] = 6
        Image.new("RGB", (100, 50), (number, 0, 0)).save(folder / name, exif=exif)
        size = {"width": 50, "height": 100} if name == "turned.jpg" else {"width": 100, "height": 50}
        content["images"].append({"id": number, "file_name": name, **size})
        plate = {"id": number + 1, "image_id": number, "category_id": 1, "bbox": [10.5, 20.25, 30, 12]}
        content["annotations"].append(plate | {"text": f"Ж {number}", "iscrowd": 0})
    return dump(path, content)


@pytest.mark.parametrize("target", SET)
def test_a_set_is_read_again_to_the_same_plates(
    tmp_path: Path, mixed: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "converted"
    assert main(["data", "convert", str(mixed), "--to", target, "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    expected = plates(mixed)
    # No folder within images/ is called images, by which YOLO finds labels; a#b.jpg is free there.
    expected = sorted((url.replace("images/", ""), *rest) for url, *rest in expected)
    if target == "yolo":
        expected = [row for row in expected if not row[3]]
    texts = {"texts": str(output / "texts.csv")} if target == "yolo" else {}
    assert plates(output / SET[target], **texts) == expected
    assert plates(output, **texts) == expected
    assert "left out, not plates by their labels: car (1×)" in printed
    held = {
        "coco": "4 plates, 4 texts, 1 ignored boxes, 1 boxes with four corners",
        "csv": "4 plates, 4 texts, 1 ignored boxes",
        "yolo": "4 plates, 1 boxes with four corners",
    }[target]
    assert printed.startswith(f"source mixed: {mixed} is of the format coco\n")
    assert f"\n{output / SET[target]}: 5 images, {held}\n" in printed


def test_coco_keeps_all_and_is_read_by_pycocotools(tmp_path: Path, mixed: Path) -> None:
    main(["data", "convert", str(mixed), "--to", "coco", "--output", str(tmp_path / "out")])
    assert corners(tmp_path / "out") == [[(20, 12), (60, 10), (58, 28), (22, 30)]]
    found = COCO(str(tmp_path / "out" / "annotations.json"))
    assert len(found.imgs) == 5
    ignored = found.loadAnns(found.getAnnIds(iscrowd=True))
    assert [each["bbox"] for each in ignored] == [[100, 50, 40, 20]]
    first = found.loadAnns(found.getAnnIds(imgIds=1, iscrowd=False))[0]
    assert (first["text"], first["category_id"], first["segmentation"]) == ("KA05", 1, [CORNERS])
    original = (tmp_path / "mixed" / "images" / "default" / "car.jpg").read_bytes()
    assert (tmp_path / "out" / "images" / "car.jpg").read_bytes() == original


def test_yolo_writes_four_corners_where_there_are_some(
    tmp_path: Path, mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["data", "convert", str(mixed), "--to", "yolo", "--output", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert "yolo cannot hold ignored boxes: 1; they are background now" in printed
    assert "yolo cannot hold texts: 4; they are in texts.csv" in printed
    labels = tmp_path / "out" / "labels"
    fractions = [float(word) for word in (labels / "car.txt").read_text().split()]
    assert fractions == [0, *(round(value / side, 6) for value, side in zip(CORNERS, [200, 100] * 4, strict=True))]
    assert len((labels / "turned.txt").read_text().split()) == 9
    assert (labels / "street.txt").read_text() == ""
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())["names"] == {0: "plate"}
    assert corners(tmp_path / "out")[1] == [(20, 12), (60, 10), (58, 28), (22, 30)]


def test_a_table_says_that_corners_are_lost(tmp_path: Path, mixed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["data", "convert", str(mixed), "--to", "csv", "--output", str(tmp_path / "out")])
    assert "csv cannot hold boxes with four corners: 1; their upright hulls are kept" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "out" / "annotations.csv")
    assert table.loc[table["image"] == "street.jpg", ["xmin", "text"]].isna().all(axis=None)


def test_what_is_not_usable_is_listed_and_the_rest_is_written(
    tmp_path: Path, mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mixed" / "images" / "default" / "turned.jpg").write_text("no image")
    content = json.loads(mixed.read_text())
    content["annotations"][3]["bbox"] = [10, 10, 0, 0]
    dump(mixed, content)
    assert main(["data", "convert", str(mixed), "--to", "csv", "--output", str(tmp_path / "out")]) == 3
    printed = capsys.readouterr().out
    assert "a box of zero area" in printed
    assert "turned.jpg  not an image but something else" in printed
    assert {row[0] for row in plates(tmp_path / "out" / "annotations.csv")} == {*SIZES, "a#b.jpg"}
    assert pd.read_csv(tmp_path / "out" / "failures.csv")["url"].tolist() == ["turned.jpg"]
    assert pd.read_csv(tmp_path / "out" / "rejects.csv")["reason"].tolist() == ["a box of zero area"]


def test_an_output_is_never_overwritten_and_never_half(
    tmp_path: Path, mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    assert main(["data", "convert", str(mixed), "--to", "csv", "--output", str(tmp_path / "there")]) == 1
    assert "is there already" in capsys.readouterr().err
    for image in (tmp_path / "mixed" / "images").rglob("*.jpg"):
        image.write_text("no image")
    assert main(["data", "convert", str(mixed), "--to", "csv", "--output", str(tmp_path / "out")]) == 1
    assert "none of the 5 images can be read: not an image but something else (5×)" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixed", "there"]


def test_sets_of_any_formats_are_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Images of one name stay two, identical ones are written once, and the folder says where each is from."""
    first = EXPORTS["voc"](tmp_path / "first")
    second = EXPORTS["cvat"](tmp_path / "second")
    Image.new("RGB", (200, 100), "red").save(tmp_path / "second" / "images" / "car.jpg")
    third = EXPORTS["openalpr"](tmp_path / "third")  # its images are those of the first, without the ignored box
    output = tmp_path / "all"
    assert main(["data", "merge", *map(str, (first, second, third)), "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    assert "identical images, written once: 3\n" in printed
    assert "identical images whose labels differ, of which the first's are kept: 1: third/car.jpg" in printed
    assert "left out, not plates by their labels: car (2×)" in printed
    names = sorted(path.relative_to(output / "images").as_posix() for path in (output / "images").rglob("*.jpg"))
    assert names == ["first/car.jpg", "first/street.jpg", "second/car.jpg"]
    rows = plates(output / "annotations.csv")
    assert [(name, text, ignored) for name, _, text, ignored in rows] == [
        ("first/car.jpg", "KA05", False),
        ("first/car.jpg", "", True),
        ("first/street.jpg", "", False),
        ("second/car.jpg", "KA05", False),
        ("second/car.jpg", "", True),
    ]


def test_merged_sets_of_one_folder_name_are_numbered(tmp_path: Path) -> None:
    for side, colour in (("left", "red"), ("right", "blue")):
        path = EXPORTS["openalpr"](tmp_path / side / "gate")
        for name, size in SIZES.items():
            Image.new("RGB", size, colour).save(path / name)
    folders = [str(tmp_path / side / "gate") for side in ("left", "right")]
    assert main(["data", "merge", *folders, "--to", "coco", "--output", str(tmp_path / "all")]) == 0
    assert {row[0] for row in plates(tmp_path / "all")} == {
        f"{folder}/{name}" for folder in ("gate", "gate-2") for name in SIZES
    }
