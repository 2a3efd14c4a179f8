"""COCO: boxes, turned boxes, polygons, flags, and records that do not fit together."""

from pathlib import Path
from typing import Any

import pytest
from annotation_sources import corners, labels, obtained, source
from tool_exports import dump, images

from lpr.config import Data
from lpr.data.image_cache import download

IMAGES = [{"id": 7, "file_name": "car.jpg", "width": 200, "height": 100}]
BOX = {"image_id": 7, "category_id": 3, "bbox": [20, 10, 40, 20]}


def write(folder: Path, *annotations: Any, files: Any = IMAGES) -> Path:
    content = {"images": files, "annotations": annotations, "categories": [{"id": 3, "name": "plate"}]}
    return dump(folder / "labels.json", content)


@pytest.mark.parametrize(
    ("annotation", "box", "points"),
    [
        ({"bbox": [20, 10, 40, 20], "segmentation": []}, [20, 10, 60, 30], [[20, 10], [60, 30]]),
        (
            {"segmentation": [[20, 12, 60, 10, 58, 30, 22, 28]]},
            [20, 10, 60, 30],
            [[20, 12], [60, 10], [58, 30], [22, 28]],
        ),
        ({"segmentation": [[20, 12, 60, 10, 58, 30]]}, [20, 10, 60, 30], [[20, 10], [60, 30]]),
        ({"segmentation": [[20, 10, 30, 20], [50, 20, 60, 30, 55, 29]]}, [20, 10, 60, 30], [[20, 10], [60, 30]]),
        ({"bbox": [20, 10, 40, 20], "segmentation": {"counts": "abc", "size": [100, 200]}}, [20, 10, 60, 30], None),
        # CVAT writes a turned box as it was before.
        (
            {"bbox": [20, 20, 40, 20], "attributes": {"rotation": 90.0}},
            [30, 10, 50, 50],
            [[50, 10], [50, 50], [30, 50], [30, 10]],
        ),
    ],
    ids=["box", "four corners", "polygon", "two polygons", "mask", "turned box"],
)
def test_shapes(tmp_path: Path, data: Data, annotation: Any, box: list[float], points: Any) -> None:
    path = write(tmp_path, {"image_id": 7, "category_id": 3, **annotation})
    found = obtained(source("coco", path), tmp_path / "out", data)
    row = found.plates.iloc[0]
    assert [row["top_x"], row["top_y"], row["bottom_x"], row["bottom_y"]] == box
    assert points in (None, corners(tmp_path / "out"))


@pytest.mark.parametrize(
    ("more", "text", "ignored"),
    [
        ({"text": "KA05"}, "KA05", False),
        ({"attributes": {"Plate Number": "KA05", "occluded": True}}, "KA05", False),
        ({"iscrowd": 1, "text": "KA05"}, "KA05", True),
        ({"ignore": 1}, "", True),
        ({"attributes": {"difficult": "true", "truncated": "1"}}, "", True),
        ({"text": "blurred"}, "", True),
        ({"attributes": {"legible": False, "text": 1234}}, "1234", True),
    ],
)
def test_texts_and_flags(tmp_path: Path, data: Data, more: Any, text: str, ignored: bool) -> None:
    obtained(source("coco", write(tmp_path, BOX | more)), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("car.jpg", [20, 10, 60, 30], "plate", text, ignored)]


def test_what_is_wrong_is_rejected_with_its_reason_and_the_rest_is_kept(tmp_path: Path, data: Data) -> None:
    files = [*IMAGES, {"id": 8, "file_name": "b.jpg", "width": 200, "height": 100}, {"id": 9}, "car", {"id": 10}]
    wrong = [{"bbox": [20, 10, "x", 20]}, {"bbox": None}, {"bbox": [190, 10, 40, 20]}, {"bbox": [20, 10, 0, 20]}]
    path = write(tmp_path, BOX, *({**BOX, **each} for each in wrong), {**BOX, "image_id": 99}, 17, files=files)
    found = obtained(source("coco", path), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    assert found.plates["url"].tolist() == ["car.jpg", "b.jpg"]
    reasons = " | ".join(found.rejects["reason"])
    for words in (
        "x is nan",
        "neither a bbox nor a polygon",
        "outside the image: x = 230.0 of 200",
        "a box of zero area",
        "an image without a name",
        "1 annotations of the image_id 99, which no image has",
    ):
        assert words in reasons


def test_images_are_found_where_the_tools_put_them(tmp_path: Path, data: Data) -> None:
    """Label Studio names images/NAME; Windows separates by a backslash; some write no sizes."""
    images(tmp_path / "images", {"0a-car.jpg": (200, 100), "sub/b.jpg": (300, 150)})
    files = [{"id": 7, "file_name": "images\\0a-car.jpg"}, {"id": 8, "file_name": "C:\\data\\sub\\b.jpg"}]
    found = obtained(source("coco", write(tmp_path, BOX, files=files)), tmp_path / "out", data)
    assert found.plates[["image_width", "image_height"]].to_numpy().tolist() == [[200, 100], [300, 150]]
    root = (tmp_path / "out" / "image_root.txt").read_text()
    assert all((Path(root) / url).is_file() for url in found.plates["url"])


def test_images_that_share_an_id_are_told_and_an_id_may_be_written_as_a_fraction(tmp_path: Path, data: Data) -> None:
    size = {"width": 200, "height": 100}
    files = [{"id": id_, "file_name": f"{name}.jpg", **size} for id_, name in ((1, "a"), (1, "b"), (2, "c"))]
    path = write(tmp_path, {**BOX, "image_id": 1}, {**BOX, "image_id": 2.0}, files=files)
    found = obtained(source("coco", path), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["c.jpg"]
    assert found.plates["top_x"].tolist() == [20]
    assert found.rejects[["url", "reason"]].to_numpy().tolist() == [
        [name, "its id, 1, is that of several images"] for name in ("a.jpg", "b.jpg")
    ]


def test_classes_of_what_shows_no_plate_are_left_out(tmp_path: Path, data: Data) -> None:
    names = ["license plate", "No_Plate", "car_without_plate", "plate no"]
    boxes = [{"image_id": 7, "category_id": n, "bbox": [20 * n, 10, 40, 20]} for n, _ in enumerate(names)]
    categories = [{"id": n, "name": name} for n, name in enumerate(names)]
    path = dump(tmp_path / "labels.json", {"images": IMAGES, "annotations": boxes, "categories": categories})
    found = obtained(source("coco", path), tmp_path / "out", data)
    assert found.plates["top_x"].tolist() == [0, 60]
    assert found.other_labels == {"no_plate": 1, "car_without_plate": 1}


def test_a_name_that_no_file_system_has_costs_its_own_image_alone(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"car.jpg": (200, 100)})
    files = [*IMAGES, {"id": 8, "file_name": "a" * 300 + ".jpg", "width": 200, "height": 100}]
    path = write(tmp_path, BOX, {**BOX, "image_id": 8}, files=files)
    mine = source("coco", path)
    found = obtained(mine, tmp_path / "sources" / "mine", data)
    alone = data.model_copy(update={"sources": [mine], "max_failed_fraction": 0.5})
    places = (tmp_path / name for name in ("sources", "cache", "images.csv", "failures.csv"))
    counts = download(found.plates, alone, *places)
    assert (counts["images"], counts["failed"]) == (1, 1)
    assert "File name too long" in (tmp_path / "failures.csv").read_text()
