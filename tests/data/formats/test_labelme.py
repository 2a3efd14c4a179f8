"""LabelMe: shapes, paths of images as Windows writes them, and broken files."""

from pathlib import Path
from typing import Any

from annotation_sources import corners, labels, obtained, source
from tool_exports import PLATE, dump, images, labelme_file, labelme_shape

from lpr.config import Data

SIZE = (200, 100)


def shape(kind: str, points: list[list[float]], **more: Any) -> dict[str, Any]:
    return {"label": "plate", "points": points, "shape_type": kind, "flags": {}} | more


def test_polygons_and_turned_boxes_keep_four_corners(tmp_path: Path, data: Data) -> None:
    four = [[20.0, 12.0], [60.0, 10.0], [58.0, 30.0], [22.0, 28.0]]
    for kind in ("polygon", "rotation", "oriented_rectangle"):
        path = dump(
            tmp_path / f"{kind}.json", labelme_file("a.jpg", SIZE, shape(kind, four, attributes={"text": "KA05"}))
        )
        obtained(source("labelme", path), tmp_path / "out", data)
        assert corners(tmp_path / "out") == four
        assert labels(tmp_path / "out") == [("a.jpg", [20, 10, 60, 30], "plate", "KA05", False)]


def test_images_are_found_from_the_folder_of_their_json(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "images", {"day/a.jpg": SIZE, "night/a.jpg": SIZE})
    for when in ("day", "night"):
        named = f"..\\..\\images\\{when}\\a.jpg"
        dump(tmp_path / "json" / when / "a.json", labelme_file(named, SIZE, labelme_shape("plate", PLATE)))
    found = obtained(source("labelme", tmp_path / "json"), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["day/a.jpg", "night/a.jpg"]
    assert Path((tmp_path / "out" / "image_root.txt").read_text()) == tmp_path / "images"


def test_bad_files_and_shapes_leave_the_good_ones(tmp_path: Path, data: Data) -> None:
    wrong = [
        shape("circle", [[9, 9], [20, 9]]),
        shape("polygon", [[9, 9]]),
        shape("rectangle", [[9, 9], ["x", 20]]),
        17,
    ]
    dump(tmp_path / "a.json", labelme_file("a.jpg", SIZE, labelme_shape("plate", PLATE), *wrong))  # type: ignore[arg-type]
    (tmp_path / "b.json").write_text('{"shapes": [')
    dump(tmp_path / "c.json", {"classes": ["plate"]})
    found = obtained(source("labelme", tmp_path), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    words = [
        "a circle, which is neither",
        "1 points where",
        "x is nan",
        "0 points",
        "b.json: no JSON",
        "no JSON of LabelMe",
    ]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))
    assert found.rejects["line"].tolist() == [1, 1, 1, 1, 2, 3]
