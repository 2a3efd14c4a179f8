"""YOLO: the layouts of its data sets, its kinds of labels, and what is missing or wrong in them."""

from pathlib import Path

import pytest
from annotation_sources import corners, labels, obtained, source
from tool_exports import PLATE, images, yolo_line

from lpr.config import Data
from lpr.data.image_cache import download
from lpr.data.sources import obtain
from lpr.errors import UserError

SIZE = (200, 100)
BOX = yolo_line(0, PLATE)


def test_corners_polygons_and_predictions(tmp_path: Path, data: Data) -> None:
    images(tmp_path, dict.fromkeys(("corners.jpg", "polygon.jpg", "predicted.jpg"), SIZE))
    (tmp_path / "corners.txt").write_text("0 0.1 0.12 0.3 0.1 0.29 0.3 0.11 0.28\n")
    (tmp_path / "polygon.txt").write_text("0 0.1 0.12 0.3 0.1 0.29 0.3\n")
    (tmp_path / "predicted.txt").write_text(BOX.strip() + " 0.87\n")
    obtained(source("yolo", tmp_path), tmp_path / "out", data)
    assert corners(tmp_path / "out") == [[20, 12], [60, 10], [58, 30], [22, 28]]
    assert [row[:2] for row in labels(tmp_path / "out")] == [
        (name, [20, 10, 60, 30]) for name in ("corners.jpg", "polygon.jpg", "predicted.jpg")
    ]


def test_keypoints_after_a_box_are_left_out(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "images", {"a.jpg": SIZE})
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(BOX.strip() + " 0.1 0.1 2 0.9 0.9 2 0.9 0.1 2 0.1 0.9 2\n")
    (tmp_path / "plates.yaml").write_text("train: images\nval: images\nkpt_shape: [4, 3]\nnames: {0: plate}\n")
    obtained(source("yolo", tmp_path / "plates.yaml"), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", [*PLATE], "plate", "", False)]


@pytest.mark.parametrize(
    ("image", "label", "more"),
    [
        (
            "images/train/a.jpg",
            "labels/train/a.txt",
            {"data.yaml": "path: .\ntrain: images/train\nnames: {0: plate}\n"},
        ),
        ("train/images/a.jpg", "train/labels/a.txt", {"data.yaml": "train: ../train/images\nnames: [plate]\n"}),
        ("images/a.jpg", "labels/a.txt", {"classes.txt": "plate\n"}),
        (
            "obj_train_data/a.jpg",
            "obj_train_data/a.txt",
            {"obj.names": "plate\n", "train.txt": "data/obj_train_data/a.jpg\n"},
        ),
        ("a.jpg", "a.txt", {"classes.txt": "plate\n"}),
    ],
    ids=["ultralytics", "roboflow", "label studio", "darknet", "labelimg"],
)
def test_layouts(tmp_path: Path, data: Data, image: str, label: str, more: dict[str, str]) -> None:
    place = tmp_path / "set"
    images(place, {image: SIZE})
    for name, text in {label: BOX, **more}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    for path in (place, *place.glob("data.yaml")):
        found = obtained(source("auto", path), tmp_path / "out", data)
        assert labels(tmp_path / "out") == [(found.plates["url"][0], [*PLATE], "plate", "", False)]
        assert found.rejects.empty
        assert (Path((tmp_path / "out" / "image_root.txt").read_text()) / found.plates["url"][0]) == place / image


def test_labels_apart_from_the_images(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "street", {"day/a.jpg": SIZE})
    (tmp_path / "txt" / "day").mkdir(parents=True)
    (tmp_path / "txt" / "day" / "a.txt").write_text(BOX)
    obtained(source("yolo", tmp_path / "txt", image_root=tmp_path / "street"), tmp_path / "out", data)
    assert [row[:2] for row in labels(tmp_path / "out")] == [("day/a.jpg", [*PLATE])]


def test_labels_in_another_layout_than_the_images_are_those_of_the_only_image_of_that_name(
    tmp_path: Path, data: Data
) -> None:
    """As CVAT's obj_train_data/; labels of a name that two images have are not guessed."""
    images(tmp_path / "street", {"day/a.jpg": SIZE, "day/b.jpg": SIZE, "night/b.jpg": SIZE})
    (tmp_path / "obj_train_data").mkdir()
    for name in "ab":
        (tmp_path / "obj_train_data" / f"{name}.txt").write_text(BOX)
    (tmp_path / "obj.names").write_text("plate\n")
    path = source("auto", tmp_path, image_root=tmp_path / "street")
    found = obtained(path, tmp_path / "out", data)
    assert [row[:2] for row in labels(tmp_path / "out") if row[1]] == [("day/a.jpg", [*PLATE])]
    assert found.rejects["url"].tolist() == ["obj_train_data/b.txt"]


def test_an_image_without_a_file_shows_no_plate_and_a_file_without_an_image_is_rejected(
    tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path, {"a.jpg": SIZE, "street.jpg": SIZE})
    (tmp_path / "a.txt").write_text(BOX)
    (tmp_path / "gone.txt").write_text(BOX)
    (tmp_path / "notes.txt").write_text("of last Monday\n")
    found = obtained(source("yolo", tmp_path), tmp_path / "out", data)
    assert (found.counts["plates"], found.counts["without_plates"]) == (1, 1)
    assert "1 of 2 images have no .txt" in capsys.readouterr().out
    assert found.rejects[["url", "reason"]].to_numpy().tolist() == [
        ["gone.txt", "labels of an image that is not there"]
    ]


def test_bad_lines_leave_the_good_ones(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": SIZE})
    lines = [BOX.strip(), "plate 0.1 0.1 0.1 0.1", "0 0.1 0.1 0.1", "0 0.5 0.5 nan 0.1", "0 0.9 0.5 0.4 0.1"]
    lines += ["0 0.1 0.1 0.2 0.1 0.2 0.2 0.3 0.3 0.4", "", "0 a b c d"]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    found = obtained(source("yolo", tmp_path), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    words = [
        "a.txt:2: no line of YOLO's labels: 'plate",
        "a.txt:3: no line",
        "x is nan",
        "outside the image: x = 220.0",
    ]
    words += ["a.txt:6: no line", "x is nan"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_a_broken_image_is_rejected(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": SIZE})
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff")
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(BOX)
    found = obtained(source("yolo", tmp_path), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["a.jpg"]
    assert "b.jpg cannot be opened" in found.rejects["reason"][0]


def test_images_that_are_links_are_read_where_they_lie(
    tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path / "street", {"a.jpg": SIZE})
    for name in ("images", "labels"):
        (tmp_path / "set" / name).mkdir(parents=True)
    (tmp_path / "set" / "images" / "1.jpg").symlink_to(tmp_path / "street" / "a.jpg")
    (tmp_path / "set" / "labels" / "1.txt").write_text(BOX)
    mine = source("yolo", tmp_path / "set")
    found = obtained(mine, tmp_path / "sources" / "mine", data)
    assert labels(tmp_path / "sources" / "mine")[0][:2] == ("a.jpg", [*PLATE])
    assert "1 images are links, such as" in capsys.readouterr().out
    alone = data.model_copy(update={"sources": [mine]})
    counts = download(found.plates, alone, tmp_path / "sources", tmp_path / "cache", tmp_path / "i", tmp_path / "f")
    assert (counts["images"], counts["failed"]) == (1, 0)


def test_several_classes_of_which_none_is_a_plate_are_refused_with_the_list(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": SIZE})
    (tmp_path / "a.txt").write_text(BOX + yolo_line(1, (0, 0, 9, 9)))
    with pytest.raises(UserError, match=r"none of its labels is known .* 'class 0' \(1×\), 'class 1' \(1×\)"):
        obtained(source("yolo", tmp_path), tmp_path / "out", data)


def test_images_at_a_url_and_broken_yaml_are_refused(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": SIZE})
    with pytest.raises(UserError, match="the images, so these must be in a folder"):
        obtain(source("yolo", tmp_path, image_root="https://host/images"), tmp_path / "out", data)
    (tmp_path / "data.yaml").write_text("names: [plate\n")
    with pytest.raises(UserError, match=r"data\.yaml: no YAML"):
        obtain(source("yolo", tmp_path / "data.yaml"), tmp_path / "out", data)


def test_splits_that_are_no_folders_are_said(tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    images(tmp_path, {"train/images/a.jpg": SIZE, "valid/images/b.jpg": SIZE})
    (tmp_path / "data.yaml").write_text("train: train\\images\nval: [val/images, list.txt]\nnames: [plate]\n")
    obtained(source("yolo", tmp_path / "data.yaml"), tmp_path / "out", data)
    assert [row[0] for row in labels(tmp_path / "out")] == ["a.jpg"]
    said = capsys.readouterr().out
    for entry in ("val/images", "list.txt"):
        assert f"val: {entry} of data.yaml is no folder that is there, and is not used" in said
