"""VGG Image Annotator: both versions, JSON and CSV, polygons, and regions that are no boxes."""

import csv
import json
from pathlib import Path

import pytest
from annotation_sources import corners, labels, obtained, source
from tool_exports import dump, images, via_region

from lpr.config import Data
from lpr.data.sources import obtain
from lpr.errors import UserError

XS, YS = [20, 60, 58, 22], [12, 10, 30, 28]
POLYGON = {"name": "polygon", "all_points_x": XS, "all_points_y": YS}


def test_version_1_numbers_its_regions_and_closes_its_polygons(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100)})
    closed = {"name": "polygon", "all_points_x": [*XS, 20], "all_points_y": [*YS, 12]}
    regions = {"0": {"shape_attributes": closed, "region_attributes": {"plate": "KA05"}}}
    content = {"a.jpg825": {"fileref": "", "size": 825, "filename": "a.jpg", "base64_img_data": "", "regions": regions}}
    found = obtained(source("auto", dump(tmp_path / "via_region_data.json", content)), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", [20, 10, 60, 30], "number_plate", "KA05", False)]
    assert corners(tmp_path / "out") == [[20, 12], [60, 10], [58, 30], [22, 28]]
    assert found.rejects.empty


def test_sizes_come_from_the_images_as_they_are_displayed(tmp_path: Path, data: Data) -> None:
    from PIL import Image

    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (100, 200)).save(tmp_path / "a.jpg", exif=turned)
    content = {"a": {"filename": "a.jpg", "size": 1, "regions": [via_region((150, 10, 190, 30))]}}
    found = obtained(source("via", dump(tmp_path / "via.json", content)), tmp_path / "out", data)
    assert found.plates[["image_width", "image_height", "bottom_x"]].to_numpy().tolist() == [[200, 100, 190]]


def test_bad_regions_and_missing_images_leave_the_good_ones(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100)})
    regions = [
        via_region((20, 10, 60, 30)),
        {"shape_attributes": {"name": "circle", "cx": 9, "cy": 9, "r": 3}, "region_attributes": {}},
        {"shape_attributes": {"name": "rect", "x": 1, "y": None, "width": 9, "height": 9}},
        {"region_attributes": {}},
        17,
    ]
    content = {"a": {"filename": "a.jpg", "regions": regions}, "b": {"filename": "b.jpg", "regions": []}, "c": {}}
    found = obtained(source("via", dump(tmp_path / "via.json", content)), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    words = [
        "a circle, which",
        "y is nan",
        "without shape",
        "without shape",
        "b.jpg cannot be opened",
        "`regions` are no list",
    ]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_bad_rows_of_a_csv_leave_the_good_ones(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100)})
    with (tmp_path / "via.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            [
                *["#filename", "file_size", "file_attributes", "region_count", "region_id"],
                *["region_shape_attributes", "region_attributes"],
            ]
        )
        table.writerow(["a.jpg", 1, "{}", 2, 0, json.dumps(POLYGON), '{"text": "KA05"}'])
        table.writerow(["a.jpg", 1, "{}", 2, 1, "{broken", "{}"])
        table.writerow(["", 1, "{}", 2, 1, json.dumps(POLYGON), "{}"])
    found = obtained(source("auto", tmp_path / "via.csv"), tmp_path / "out", data)
    assert found.plates["text"].tolist() == ["KA05"]
    assert sorted(found.rejects["reason"]) == ["a region without shape attributes", "line 4: no filename"]


def test_another_json_is_refused_with_what_it_is(tmp_path: Path, data: Data) -> None:
    with pytest.raises(UserError, match=r"neither a project of VGG .* but an object with the keys a"):
        obtain(source("via", dump(tmp_path / "via.json", {"a": 1})), tmp_path / "out", data)


def version_3(*files: dict[str, object], **regions: dict[str, object]) -> dict[str, object]:
    """A project as VGG Image Annotator 3 saves it: each view shows one file."""
    options = {"1": "plate", "2": "car", "blurred": "is blurred"}
    names = {"1": ("type", 4, options), "2": ("text", 1, {}), "3": ("quality", 2, {"blurred": "blurred"})}
    attributes = {
        key: {"aname": name, "anchor_id": "FILE1_Z0_XY1", "type": kind, "desc": "", "options": choices}
        for key, (name, kind, choices) in names.items()
    }
    return {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "pname": "plates",
            "vid_list": [str(n + 1) for n in range(len(files))],
        },
        "config": {"file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}}, "ui": {}},
        "attribute": attributes,
        "file": {str(n): {"fid": str(n), "type": 2, "loc": 1, "src": ""} | file for n, file in enumerate(files, 1)},
        "view": {str(n): {"fid_list": [n]} for n in range(1, len(files) + 1)},
        "metadata": {f"{key}_x": {"vid": "1", "flg": 0, "z": [], "av": {}} | region for key, region in regions.items()},
    }


def test_a_project_of_version_3(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100), "b.jpg": (200, 100)})
    content = version_3(
        {"fname": "a.jpg"},
        {"fname": "b.jpg", "src": "file:///home/me/images/b.jpg", "loc": 3},
        plate={"xy": [2, 20, 10, 40, 20], "av": {"1": "1", "2": "KA05"}},
        polygon={"xy": [7, 20, 12, 60, 10, 58, 30, 22, 28], "av": {"1": "1", "3": "blurred"}, "vid": "2"},
        car={"xy": [2, 10, 5, 180, 90], "av": {"1": "2"}},
        whole={"xy": [], "av": {"2": "not of a region"}},
    )
    found = obtained(source("auto", dump(tmp_path / "project.json", content)), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [
        ("a.jpg", [20, 10, 60, 30], "plate", "KA05", False),
        ("a.jpg", [10, 5, 190, 95], "car", "", False),
        ("b.jpg", [20, 10, 60, 30], "plate", "", True),
    ]
    assert found.rejects.empty


def test_what_version_3_can_hold_and_no_image_shows_is_rejected(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100)})
    content = version_3(
        {"fname": "a.jpg"},
        {"fname": "a.mp4", "type": 4},
        plate={"xy": [2, 20, 10, 40, 20]},
        circle={"xy": [3, 20, 10, 40]},
        unknown={"xy": [99, 20, 10, 40]},
        frame={"xy": [2, 20, 10, 40, 20], "z": [0.9], "vid": "2"},
        elsewhere={"xy": [2, 20, 10, 40, 20], "vid": "7"},
    )
    found = obtained(source("via", dump(tmp_path / "project.json", content)), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    words = ["a view that", "a circle, which", "without shape attributes", "a video or sound, with 1 regions"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_the_class_is_found_in_any_case_and_as_the_option_that_is_chosen(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100)})
    classes = [{"Class": "car"}, {"type": {"car": True, "plate": False}}, {"Label": "licence plate"}, {"CLASS": "Car"}]
    shape = {"name": "rect", "y": 10, "width": 40, "height": 20}
    regions = [{"shape_attributes": shape | {"x": 20 * n}, "region_attributes": each} for n, each in enumerate(classes)]
    content = {"a": {"filename": "a.jpg", "size": 1, "regions": regions}}
    found = obtained(source("via", dump(tmp_path / "via.json", content)), tmp_path / "out", data)
    assert found.plates["top_x"].tolist() == [40]
    assert found.other_labels == {"car": 3}
