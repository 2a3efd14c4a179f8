"""Images of annotation files, found below an image root by whatever the file calls them."""

import unicodedata
from pathlib import Path

import pytest
from annotation_sources import source
from tool_exports import images

from lpr.config import Data
from lpr.data.labelled_images import ImageFiles, find_image_files, image_size, images_below

SIZE = (20, 10)


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    images(
        tmp_path / "root",
        dict.fromkeys(("gate/a.jpg", "yard/a.jpg", "b.png", "c d (1)#.jpg", "gate/frame_1.png"), SIZE),
    )
    return ImageFiles(tmp_path / "root")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("gate/a.jpg", "gate/a.jpg"),
        ("gate\\a.jpg", "gate/a.jpg"),
        (".\\gate\\a.jpg", "gate/a.jpg"),
        ("C:\\Users\\me\\root\\gate\\a.jpg", "gate/a.jpg"),
        ("/home/me/root/yard/a.jpg", "yard/a.jpg"),
        ("../root/yard/a.jpg", "yard/a.jpg"),
        ("images/b.png", "b.png"),
        ("c d (1)#.jpg", "c d (1)#.jpg"),
        ("gate/frame_1", "gate/frame_1.png"),
        ("gate/Frame_1.PNG", "gate/frame_1.png"),
        ("C:\\Gate\\B.PNG", "b.png"),
        ("s3://bucket/gate/a.jpg", "gate/a.jpg"),
        ("https://host/gate/a.jpg?size=1", "gate/a.jpg"),
        ("https://host/c%20d%20(1)%23.jpg", "c d (1)#.jpg"),
        ("c%20d%20(1)%23.jpg", "c d (1)#.jpg"),
        ("/data/upload/1/c%20d%20%281%29%23.JPG", "c d (1)#.jpg"),
    ],
)
def test_an_image_is_found(files: ImageFiles, name: str, file: str) -> None:
    assert files.locate([[name]], "mine") == [file]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.jpg", "a.jpg"),
        ("c:\\gone\\z.jpg", "gone/z.jpg"),
        ("/gone/my%20car.jpg", "gone/my%20car.jpg"),
        ("gone\\z.jpg", "gone/z.jpg"),
        ("https://host/gate/z.jpg", "https://host/gate/z.jpg"),
        ("../secret.jpg", "../secret.jpg"),
        ("%2e%2e/secret.jpg", "%2e%2e/secret.jpg"),
        ("b\0.png", "b\0.png"),
        ("", ""),
    ],
)
def test_an_image_that_is_not_there_keeps_its_name(files: ImageFiles, tmp_path: Path, name: str, kept: str) -> None:
    images(tmp_path, {"secret.jpg": SIZE})
    assert files.locate([[name]], "mine") == [kept]


def test_two_images_do_not_become_one(files: ImageFiles, capsys: pytest.CaptureFixture[str]) -> None:
    names = [["north/b.png"], ["south/b.png"], ["b.png"], ["street/gate/a.jpg"]]
    assert files.locate(names, "mine") == ["north/b.png", "south/b.png", "b.png", "gate/a.jpg"]
    message = "1 images are found by a part of their names, such as gate/a.jpg by 'street/gate/a.jpg'"
    assert message in capsys.readouterr().out
    assert files.locate([["north/b.png"], ["north/b.png"]], "mine") == ["b.png", "b.png"]


def test_a_file_whose_name_has_a_percent_sign_comes_before_what_it_would_stand_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path, dict.fromkeys(("a b.jpg", "a%20b.jpg", "c d.jpg", "50%.jpg"), SIZE))
    names = [["a%20b.jpg"], ["a b.jpg"], ["c%20d.jpg"], ["50%.jpg"]]
    assert ImageFiles(tmp_path).locate(names, "mine") == ["a%20b.jpg", "a b.jpg", "c d.jpg", "50%.jpg"]
    assert ImageFiles(tmp_path).locate([["c%20d.jpg"], ["c d.jpg"]], "mine") == ["c%20d.jpg", "c d.jpg"]
    assert capsys.readouterr().out == ""


def test_the_root_is_where_most_images_are(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"images/a.jpg": SIZE, "a.jpg": SIZE, "b.jpg": SIZE})

    def root(*names: str, **image_root: object) -> Path | str | None:
        mine, places = source("coco", "x", **image_root), [tmp_path / "images", tmp_path]
        return find_image_files(mine, [[name] for name in names], places, tmp_path / "sources", data).root

    assert root("a.jpg", "b.jpg") == tmp_path
    assert root("a.jpg") == tmp_path / "images"
    assert root("gone.jpg") == tmp_path / "images"
    assert root("https://host/gone.jpg") is None
    assert root("a.jpg", image_root=tmp_path / "elsewhere") == tmp_path / "elsewhere"
    assert root("a.jpg", image_root="https://host/") == "https://host/"


def test_of_several_that_are_alike_none_is_taken(tmp_path: Path) -> None:
    images(tmp_path, dict.fromkeys(("e.jpg", "E.jpg", "f.png", "f.jpg"), SIZE))
    assert ImageFiles(tmp_path).locate([["E.jpg"], ["E.JPG"], ["f"]], "mine") == ["E.jpg", "E.JPG", "f"]


def test_images_below_a_folder(files: ImageFiles, tmp_path: Path) -> None:
    for name in ("notes.txt", ".hidden.jpg", ".trash/a.jpg"):
        (tmp_path / "root" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "root" / name).touch()
    assert images_below(tmp_path / "root") == ["b.png", "c d (1)#.jpg", "gate/a.jpg", "gate/frame_1.png", "yard/a.jpg"]
    assert image_size(tmp_path / "root" / "b.png") == SIZE


def test_an_image_under_two_names_is_one(files: ImageFiles) -> None:
    assert files.locate([["gate/a.jpg"], ["./gate/a.jpg"]], "mine") == ["gate/a.jpg"] * 2


def test_accents_are_found_however_a_system_writes_them(tmp_path: Path) -> None:
    """A Mac writes é as two characters, Windows and most others as one."""
    one, two = unicodedata.normalize("NFC", "caf\u00e9.jpg"), unicodedata.normalize("NFD", "th\u00e9.jpg")
    images(tmp_path, {one: SIZE, two: SIZE})
    written = [[unicodedata.normalize("NFD", one)], [unicodedata.normalize("NFC", two)]]
    assert ImageFiles(tmp_path).locate(written, "mine") == [one, two]
