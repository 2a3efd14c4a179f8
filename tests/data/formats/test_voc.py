"""Pascal VOC: the kinds of boxes that tools write, names of images that do not fit, and broken files."""

from pathlib import Path

import pytest
from annotation_sources import corners, labels, obtained, source
from tool_exports import PLATE, images, voc_file, voc_object

from lpr.config import Data

SIZE = (200, 100)


def test_turned_boxes_and_polygons_keep_their_corners(tmp_path: Path, data: Data) -> None:
    box = "<cx>40</cx><cy>30</cy><w>40</w><h>20</h><angle>1.5707963</angle>"
    turned = f"<object><name>plate</name><robndbox>{box}</robndbox>"
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.xml").write_text(voc_file("a.jpg", SIZE, f"{turned}</object>"))
    obtained(source("voc", tmp_path / "set"), tmp_path / "turned", data)
    assert corners(tmp_path / "turned") == [[50, 10], [50, 50], [30, 50], [30, 10]]
    polygon = (
        "<polygon><x1>20</x1><y1>12</y1><x2>60</x2><y2>10</y2><x3>58</x3><y3>30</y3><x4>22</x4><y4>28</y4></polygon>"
    )
    (tmp_path / "set" / "a.xml").write_text(voc_file("a.jpg", SIZE, voc_object("plate", PLATE, polygon)))
    obtained(source("voc", tmp_path / "set"), tmp_path / "polygon", data)
    assert corners(tmp_path / "polygon") == [[20, 12], [60, 10], [58, 30], [22, 28]]
    assert labels(tmp_path / "polygon")[0][1] == [*PLATE]


@pytest.mark.parametrize("more", ["<text>KA05</text>", "<plate>KA05</plate>", "<license_plate> KA05\n</license_plate>"])
def test_a_text_is_a_child_that_is_named_so(tmp_path: Path, data: Data, more: str) -> None:
    (tmp_path / "a.xml").write_text(voc_file("a.jpg", SIZE, voc_object("vehicle plate", PLATE, more, difficult=1)))
    obtained(source("voc", tmp_path / "a.xml"), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", [*PLATE], "vehicle plate", "KA05", True)]


def test_the_image_is_found_by_the_name_in_the_file_or_by_that_of_the_file(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "set", {"gate/a.png": SIZE, "yard/a.png": SIZE, "renamed.jpg": SIZE, "no-suffix.jpg": SIZE})
    for name, written in (
        ("gate/a", "a.png"),
        ("yard/a", "a.png"),
        ("renamed", "IMG_1.JPG"),
        ("no-suffix", "no-suffix"),
        ("gone", "gone.jpg"),
    ):
        (tmp_path / "set" / f"{name}.xml").write_text(voc_file(written, (0, 0), voc_object("plate", PLATE)))
    found = obtained(source("voc", tmp_path / "set"), tmp_path / "out", data)
    assert sorted(found.plates["url"]) == ["gate/a.png", "no-suffix.jpg", "renamed.jpg", "yard/a.png"]
    assert found.plates["image_width"].tolist() == [200] * 4
    assert found.rejects["url"].tolist() == ["gone.jpg"]
    assert "size is missing, and" in found.rejects["reason"][0]
    assert "gone.jpg cannot be opened" in found.rejects["reason"][0]


def test_broken_files_do_not_stop_the_good_ones(tmp_path: Path, data: Data) -> None:
    bad = {
        "b": "<annotation><filename>b.jpg</filename>",
        "c": "<html/>",
        "d": voc_file("d.jpg", SIZE, "<object><name>plate</name></object>"),
        "e": voc_file("e.jpg", SIZE, voc_object("plate", PLATE).replace("<xmin>20</xmin>", "<xmin>left</xmin>")),
    }
    for name, text in {"a": voc_file("a.jpg", SIZE, voc_object("plate", PLATE)), **bad}.items():
        (tmp_path / f"{name}.xml").write_text(text)
    found = obtained(source("voc", tmp_path), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["a.jpg"]
    assert found.rejects[["line", "url"]].to_numpy().tolist() == [
        [2, "b.xml"],
        [3, "c.xml"],
        [4, "d.jpg"],
        [5, "e.jpg"],
    ]
    words = ["no XML: ", "its root is <html>", "without a bndbox", "x is nan"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_xml_of_the_first_labelme(tmp_path: Path, data: Data) -> None:
    """As CVAT exports LabelMe 3.0: attributes as one text, deleted objects, and the size by rows and columns."""
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((20, 12), (60, 10), (58, 30), (22, 28)))
    item = f"<type>polygon</type><polygon>{points}</polygon>"
    (tmp_path / "a.xml").write_text(
        "<annotation><filename>a.jpg</filename><imagesize><nrows>100</nrows><ncols>200</ncols></imagesize>"
        f"<object><name>plate</name><deleted>0</deleted>{item}"
        "<attributes>text=KA 05, blurred=true</attributes></object>"
        f"<object><name>plate</name><deleted>1</deleted>{item}</object></annotation>"
    )
    obtained(source("auto", tmp_path), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", [20, 10, 60, 30], "plate", "KA 05", True)]
    assert corners(tmp_path / "out") == [[20, 12], [60, 10], [58, 30], [22, 28]]


def test_files_that_were_renamed_go_with_the_image_beside_them(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "set", {f"{number}.jpg": SIZE for number in (1, 2, 3)})
    for number in (1, 2, 3):
        plate = voc_object("plate", (10 * number, *PLATE[1:]))
        (tmp_path / "set" / f"{number}.xml").write_text(voc_file(f"{number + 1}.jpg", SIZE, plate))
    found = obtained(source("voc", tmp_path / "set"), tmp_path / "out", data)
    assert found.plates[["url", "top_x"]].to_numpy().tolist() == [["1.jpg", 10], ["2.jpg", 20], ["3.jpg", 30]]
