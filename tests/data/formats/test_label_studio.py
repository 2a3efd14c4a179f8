"""Label Studio: regions of all kinds, addresses of images, and tasks that are not annotated."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from annotation_sources import corners, labels, obtained, source
from tool_exports import PLATE, dump, images, label_studio_region

from lpr.config import Data
from lpr.data.csv_files import read_csv
from lpr.data.image_cache import download
from lpr.data.sources import obtain
from lpr.errors import UserError


def task(image: str, *results: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"image": image}, "annotations": [{"id": 1, "result": results}]} | more


def test_a_turned_box_is_turned_about_its_top_left_corner(tmp_path: Path, data: Data) -> None:
    """In pixels: per cent of a side that is twice as long as the other would be another shape."""
    region = label_studio_region("a", (40, 20, 80, 40), "Plate", rotation=30)
    obtained(source("label_studio", dump(tmp_path / "a.json", [task("a.jpg", region)])), tmp_path / "out", data)
    cos, sin = math.cos(math.radians(30)), math.sin(math.radians(30))
    right, lower = (40 * cos, 40 * sin), (-20 * sin, 20 * cos)
    expected = [(40, 20), (40 + right[0], 20 + right[1]), (40 + right[0] + lower[0], 20 + right[1] + lower[1])]
    expected.append((40 + lower[0], 20 + lower[1]))
    assert corners(tmp_path / "out") == [[round(x, 2), round(y, 2)] for x, y in expected]


def test_polygons_and_labels_of_their_own_results(tmp_path: Path, data: Data) -> None:
    points = [[10, 12], [30, 10], [29, 30], [11, 28]]
    size = {"original_width": 200, "original_height": 100, "to_name": "image"}
    polygon = {**size, "id": "a", "from_name": "shape", "type": "polygon", "value": {"points": points}}
    name = {**polygon, "from_name": "kind", "type": "labels", "value": {"points": points, "labels": ["Number plate"]}}
    text = {**polygon, "from_name": "text", "type": "textarea", "value": {"points": points, "text": "KA05"}}
    path = dump(tmp_path / "a.json", [task("a.jpg", polygon, name, text)])
    obtained(source("label_studio", path), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", [20, 10, 60, 30], "Number plate", "KA05", False)]
    assert corners(tmp_path / "out") == [[20, 12], [60, 10], [58, 30], [22, 28]]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/3/0a1b2c3d-car.jpg", "car.jpg"),
        ("/data/upload/3/0a1b2c3d-my%20F%C3%BC%C3%9F.jpg", "my Füß.jpg"),
        ("/data/upload/3/0a1b2c3d-my%20car.jpg", "0a1b2c3d-my car.jpg"),
        ("/data/local-files/?d=street%2Fgate/car.jpg", "gate/car.jpg"),
        ("/data/local-files/?d=/mnt/street/gate/car.jpg", "gate/car.jpg"),
        ("s3://bucket/street/gate/car.jpg", "gate/car.jpg"),
        ("https://host/street/gate/car.jpg?x=1", "gate/car.jpg"),
    ],
)
def test_images_are_found_by_what_tasks_call_them(tmp_path: Path, data: Data, address: str, name: str) -> None:
    images(tmp_path / "street", {name: (200, 100)})
    path = dump(tmp_path / "a.json", [task(address, label_studio_region("a", PLATE, "Plate"))])
    found = obtained(source("label_studio", path, image_root=tmp_path / "street"), tmp_path / "out", data)
    assert found.plates["url"].tolist() == [name]


def test_an_upload_that_is_not_there_is_said_to_be_missing(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "images", {"car.jpg": (200, 100)})
    tasks = [
        task(f"/data/upload/3/0a1b2c3d-{name}.jpg", label_studio_region("a", PLATE, "Plate")) for name in ("car", "van")
    ]
    mine = source("label_studio", dump(tmp_path / "a.json", tasks))
    found = obtained(mine, tmp_path / "sources" / "mine", data)
    settings = data.model_copy(update={"sources": [mine], "max_failed_fraction": 0.5})
    tables = tmp_path / "images.csv", tmp_path / "failures.csv"
    download(found.plates, settings, tmp_path / "sources", tmp_path / "cache", *tables)
    failures = read_csv(tables[1], ["url", "reason"])
    assert failures[["url", "reason"]].to_numpy().tolist() == [["data/upload/3/0a1b2c3d-van.jpg", "no such file"]]


def test_images_at_urls_are_fetched_from_there(tmp_path: Path, data: Data) -> None:
    path = dump(tmp_path / "a.json", [task("https://host/car.jpg", label_studio_region("a", PLATE, "Plate"))])
    found = obtained(source("label_studio", path), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["https://host/car.jpg"]
    assert not (tmp_path / "out" / "image_root.txt").exists()


def test_the_latest_annotation_that_was_not_cancelled_counts(tmp_path: Path, data: Data) -> None:
    def annotation(box: tuple[float, ...], updated: str, **more: Any) -> dict[str, Any]:
        return {"result": [label_studio_region("a", box, "Plate")], "updated_at": updated} | more

    annotations = [
        annotation((0, 0, 20, 10), "2024-01-01"),
        annotation(PLATE, "2024-02-01"),
        annotation((0, 0, 30, 10), "2024-03-01", was_cancelled=True),
    ]
    path = dump(tmp_path / "a.json", [{"data": {"image": "a.jpg"}, "annotations": annotations}])
    obtained(source("label_studio", path), tmp_path / "out", data)
    assert [row[1] for row in labels(tmp_path / "out")] == [[*PLATE]]


def test_tasks_that_nobody_annotated_are_not_images_without_plates(tmp_path: Path, data: Data) -> None:
    guess = [{"result": [label_studio_region("a", PLATE, "Plate")]}]
    tasks = [
        task("a.jpg", label_studio_region("a", PLATE, "Plate")),
        {"data": {"image": "b.jpg"}, "annotations": [], "predictions": guess},
        {"data": {"image": "c.jpg"}, "annotations": [{"result": [], "was_cancelled": True}]},
    ]
    found = obtained(source("label_studio", dump(tmp_path / "a.json", tasks)), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["a.jpg"]
    assert found.rejects[["url", "reason"]].to_numpy().tolist() == [
        [name, "a task that nobody has annotated"] for name in ("b.jpg", "c.jpg")
    ]


def test_bad_regions_leave_the_good_ones(tmp_path: Path, data: Data) -> None:
    good = label_studio_region("a", PLATE, "Plate")
    wrong = [
        label_studio_region("b", PLATE, "Plate", width=None),
        {
            **good,
            "id": "c",
            "value": {"x": 1, "y": 1, "radiusX": 3, "ellipselabels": ["Plate"]},
            "type": "ellipselabels",
        },
        {**good, "id": "d", "value": {"points": [[1, 1], "x", [3, 3]], "polygonlabels": ["Plate"]}},
        label_studio_region("e", (190, 0, 220, 20), "Plate"),
        "no region",
        {"id": "f", "value": None},
    ]
    path = dump(tmp_path / "a.json", [task("a.jpg", good, *wrong), 17, {"data": 3, "annotations": []}])
    found = obtained(source("label_studio", path), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    words = ["x is nan", "a region of the type ellipselabels", "x is nan", "outside", "nobody", "nobody"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def record(image: str, *regions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As JSON-MIN has it, a record an annotation."""
    size = {"original_width": 200, "original_height": 100}
    shapes = [{**each["value"], **size} for each in regions]
    common = {"annotator": 1, "annotation_id": 1, "updated_at": "2024-01-01", "lead_time": 3.2}
    return {"image": image, "label": shapes, **common, **more}


def test_texts_of_json_min_are_those_of_the_regions_where_there_are_as_many(
    tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = label_studio_region("a", PLATE, "Plate"), label_studio_region("b", (100, 50, 140, 70), "Plate")
    lines = {key: two["value"][key] for key in ("x", "y", "width", "height", "rotation")} | {"text": ["MH", "12"]}
    records = [
        record("a.jpg", one, two, id=1, text=["KA05", "MH12"]),
        record("b.jpg", one, id=2, text="KA05", quality="unreadable"),
        record("c.jpg", one, two, id=3, text="KA05"),
        record("d.jpg", one, two, id=4, plate_text=[lines]),
    ]
    obtained(source("auto", dump(tmp_path / "a.json", records)), tmp_path / "out", data)
    assert [(row[0], row[3], row[4]) for row in labels(tmp_path / "out")] == [
        ("a.jpg", "KA05", False),
        ("a.jpg", "MH12", False),
        ("b.jpg", "KA05", True),
        ("c.jpg", "", False),
        ("c.jpg", "", False),
        ("d.jpg", "", False),
        ("d.jpg", "MH 12", False),
    ]
    assert "source mine: 1 texts and choices are left out" in capsys.readouterr().out


def test_the_latest_annotation_of_json_min_counts_and_unannotated_tasks_are_rejected(
    tmp_path: Path, data: Data
) -> None:
    records = [
        record("a.jpg", label_studio_region("a", (0, 0, 20, 10), "Plate"), id=1),
        record("a.jpg", label_studio_region("a", PLATE, "Plate"), id=1, updated_at="2024-02-01"),
        record("b.jpg", id=2, annotation_id=None),
        17,
    ]
    found = obtained(source("label_studio", dump(tmp_path / "a.json", records)), tmp_path / "out", data)
    assert [row[:2] for row in labels(tmp_path / "out")] == [("a.jpg", [*PLATE])]
    assert found.rejects["reason"].tolist() == ["a task that nobody has annotated"] * 2


def test_bad_cells_of_csv_leave_the_good_rows(tmp_path: Path, data: Data) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["annotation_id", "annotator", "id", "image", "label", "text"])
        good = record("a.jpg", label_studio_region("a", PLATE, "Plate"))["label"]
        table.writerow([1, "1", 1, "a.jpg", json.dumps(good), "KA05"])
        table.writerow([2, "1", 2, "b.jpg", json.dumps(good)[:-9], "KA05"])
        table.writerow([3, "1", 3, "c.jpg", json.dumps(good), "KA05", "more"])
    found = obtained(source("auto", tmp_path / "a.csv"), tmp_path / "out", data)
    assert [(row[0], row[3]) for row in labels(tmp_path / "out")] == [("a.jpg", "KA05")]
    words = ["line 3: no JSON in the column label", "line 4: 7 cells, where the header has 6"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_brushes_are_rejected_and_not_lost(tmp_path: Path, data: Data) -> None:
    brush = {"original_width": 200, "original_height": 100, "type": "brushlabels", "id": "b"}
    brush["value"] = {"format": "rle", "rle": [1, 2], "brushlabels": ["Plate"]}
    path = dump(tmp_path / "a.json", [task("a.jpg", label_studio_region("a", PLATE, "Plate"), brush)])
    found = obtained(source("label_studio", path), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    assert found.rejects["reason"].tolist() == ["a region of the type brushlabels"]


def test_another_json_is_refused_with_what_it_is(tmp_path: Path, data: Data) -> None:
    path = dump(tmp_path / "a.json", [{"image": "/data/upload/1/a.jpg", "label": [], "id": 1}])
    with pytest.raises(UserError, match=r"no export of Label Studio as JSON, JSON-MIN.* with the keys id, image"):
        obtain(source("label_studio", path), tmp_path / "out", data)
