"""`lpr data check`: what it says of a set, its exit status and its page, by the command line."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from annotation_sources import record
from browser import check_page, needs_browser
from PIL import Image
from tool_exports import EXPORTS

from lpr.cli.main import main

Check = Callable[..., tuple[int, dict[str, str]]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run it; its exit status and its facts: what a fact is about → its lines, joined by single spaces."""

    def run(path: Path, *options: str) -> tuple[int, dict[str, str]]:
        status = main(["data", "check", str(path), "--output", str(tmp_path / "page"), *options])
        printed = capsys.readouterr()
        assert printed.err == "" or status == 0 or "Traceback" not in printed.err
        facts: dict[str, str] = {}
        for line in printed.out.split("\n\n")[0].splitlines():
            name = line[: line.find("  ")].strip() if not line.startswith(" ") else [*facts][-1]
            facts[name] = f"{facts.get(name, '')} {line.removeprefix(name).strip()}".strip()
        return status, facts | {"all": printed.out, "err": printed.err}

    return run


def scene(seed: int, size: tuple[int, int] = (128, 96)) -> Image.Image:
    """An image that is similar to that of no other seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def make_set(folder: Path, names: list[str], rows: str = "") -> Path:
    """A table of images, each with a plate of 40 × 20 pixels and a text of its own; `rows` are put at its end."""
    (folder / "images").mkdir(parents=True)
    for seed, name in enumerate(names):
        path = folder / "images" / name
        path.parent.mkdir(exist_ok=True)
        scene(seed).save(path)
    lines = [f"{name},20,30,60,50,KA05{number:04}" for number, name in enumerate(names)]
    (folder / "boxes.csv").write_text("\n".join(["image,xmin,ymin,xmax,ymax,text", *lines]) + f"\n{rows}")
    return folder / "boxes.csv"


@pytest.mark.parametrize("name", ["ccpd", "coco", "cvat", "yolo"])
def test_a_set_is_described_whatever_its_format(tmp_path: Path, check: Check, name: str) -> None:
    path = EXPORTS[name](tmp_path / "set")
    status, facts = check(path)
    assert status == 0
    assert facts["format"] == f"{name}: {path}"
    assert facts["images"].startswith("2 listed, 2 found, 0 missing, 0 unreadable, 0 of another size than said")
    assert facts["plates"].startswith("1, and 1 ignored" if name in ("coco", "cvat") else "1, and 0")
    assert "1 in 1 images; 1 images without" in facts["plates"]
    assert ("left out: car (1×)" in facts["labels"]) == (name != "ccpd")
    assert facts["texts"].startswith("none" if name == "yolo" else "1 of 1 plates, 1 different")
    assert facts["rejected"] == "0"


def test_what_is_rejected_or_missing_is_listed_and_the_rest_is_still_looked_at(tmp_path: Path, check: Check) -> None:
    path = make_set(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], "a.jpg,20,30,20,50,\ngone.jpg,20,30,60,50,\na.jpg,1,2,,4,\n")
    (tmp_path / "images" / "b.jpg").write_bytes((tmp_path / "images" / "b.jpg").read_bytes()[:600])
    (tmp_path / "images" / "c.jpg").write_text("<!doctype html>")
    table = path.read_text().replace("image,", "width,height,image,").replace("\n", "\n128,96,")
    path.write_text(table.removesuffix("128,96,"))
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*") if file.is_file()}
    status, facts = check(path)
    assert status == 3
    assert facts["images"].startswith("4 listed, 1 found, 1 missing, 2 unreadable")
    assert facts["rejected"].startswith("2 1 × a box of zero area 1 × a corner whose x is nan, not a number")
    rejects, failures = (pd.read_csv(tmp_path / "page" / f"{name}.csv") for name in ("rejects", "failures"))
    assert rejects[["line", "url"]].to_numpy().tolist() == [[5, "a.jpg"], [7, "a.jpg"]]
    assert dict(zip(failures["url"], failures["reason"].str[:12], strict=True)) == {
        "b.jpg": "a broken ima",
        "c.jpg": "not an image",
        "gone.jpg": "no such file",
    }
    assert re.search(r"\n5 +a.jpg +a box of zero area\n", facts["all"])
    assert re.search(r"\ngone.jpg +no such file\n", facts["all"])
    assert "KA050000" in (tmp_path / "page" / "index.html").read_text()
    assert before == {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in before}


def test_duplicates_of_all_kinds_are_counted(tmp_path: Path, check: Check) -> None:
    path = make_set(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], "a.jpg,20,30,60,50,KA050000\n")
    shutil.copy(tmp_path / "images" / "a.jpg", tmp_path / "images" / "copy.jpg")
    scene(1).point(lambda value: int(value * 0.9)).save(tmp_path / "images" / "darker.jpg")
    rows = "copy.jpg,20,30,60,50,KA050000\ndarker.jpg,20,30,60,50,\n"
    path.write_text(path.read_text() + rows)
    status, facts = check(path)
    assert status == 3
    assert facts["duplicates"] == (
        "plates listed twice: 1 images that are copies of others: 1, such as copy.jpg of a.jpg "
        "pairs of near-duplicates: 2, such as a.jpg and copy.jpg"
    )
    page = (tmp_path / "page" / "index.html").read_text()
    assert page.count('<figure class="two">') == 2


def test_what_a_split_would_leak_is_said_before_there_is_one(tmp_path: Path, check: Check) -> None:
    """Twenty cars, each twice in a row; one camera's file names count."""
    names = [f"rec{camera}.mp4#t={second}.jpg" for camera in (1, 2, 3) for second in range(20)]
    path = make_set(tmp_path, names)
    path.write_text(re.sub(r"KA05\d+", "", path.read_text()))
    status, facts = check(path)
    assert status == 0
    assert facts["split"].startswith("60 groups of 60 images split=grouped leaks: 0 near duplicate pairs")
    assert "images are of 3 videos, such as rec1.mp4#t=0.jpg and rec1.mp4#t=1.jpg" in facts["videos"]
    status, facts = check(path, "--group-by", "(.*)#t=")
    assert facts["split"].startswith("split=grouped is refused") or "3 groups" in facts["split"]


def test_labels_texts_and_sizes_other_than_usual_are_named(tmp_path: Path, check: Check) -> None:
    path = make_set(tmp_path, ["a.jpg", "b.jpg"])
    path.write_text(
        "image,width,height,xmin,ymin,xmax,ymax,text,label\na.jpg,256,192,40,60,120,100,أ123,plate\n"
        "b.jpg,128,96,20,30,60,50,Ж77,plate\nb.jpg,128,96,1,1,100,90,,car\n"
    )
    status, facts = check(path)
    assert status == 0
    assert "1 of another size than said" in facts["images"]
    assert facts["labels"] == "taken as plates: plate (2×) left out: car (1×)"
    assert "2 have characters other than A–Z and 0–9" in facts["texts"]
    assert "أ (1×), Ж (1×) (Arabic, Cyrillic)" in facts["texts"]
    assert facts["plate sizes"].startswith("width px: all 40 height px: all 20")  # of the images, not as said
    _, facts = check(path, "--plate-labels", "car")
    assert facts["labels"] == "taken as plates: car (1×) left out: plate (2×)"


def test_a_table_with_other_columns_and_images_elsewhere(tmp_path: Path, check: Check) -> None:
    path = make_set(tmp_path / "set", ["a.jpg"])
    path.write_text(path.read_text().replace("image,xmin", "file,left"))
    (tmp_path / "set" / "images").rename(tmp_path / "photos")
    options = ["--columns", "{image: file, xmin: left}", "--image-root", str(tmp_path / "photos")]
    status, facts = check(path, *options)
    assert (status, facts["format"]) == (0, f"table: {path}")
    assert facts["texts"].startswith("1 of 1 plates")


def test_images_of_one_name_are_not_taken_for_each_other(tmp_path: Path, check: Check) -> None:
    """A Dataturks JSON that is recognised, of two cameras; the folder has one image of that name."""
    scene(0).save(tmp_path / "1.jpg")
    urls = [f"http://127.0.0.1/{camera}/1.jpg" for camera in ("camA", "camB")]
    (tmp_path / "labels.json").write_text("".join(record(url, (20, 10, 60, 30)) for url in urls))
    status, facts = check(tmp_path / "labels.json", "--image-root", str(tmp_path))
    assert status == 3
    assert facts["images"].startswith("2 listed, 0 found, 2 missing")
    assert "several images' URLs end with 1.jpg" in facts["all"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.csv"], "there is no file nothing.csv"),
        (["boxes.csv", "--format", "cocoa"], "did you mean 'coco'?"),
        (["boxes.csv", "--columns", "{image: file"], "neither a list such as"),
        (["boxes.csv", "--columns", "{picture: image}"], "columns.picture"),
        (["boxes.csv", "--plate-labels", "car"], "no label is one of data.plate_labels: 'number_plate' (1×)"),
        (["boxes.csv", "--group-by", "("], "split.group_by=(: neither folder nor a regular expression"),
        (["boxes.csv", "--image-root", "nowhere"], "the image's size is missing, and nowhere/a.jpg cannot be opened"),
        (["images"], "the format of images is not recognised: it is a folder with 1 .jpg"),
    ],
)
def test_mistakes_are_explained(
    tmp_path: Path, check: Check, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_set(tmp_path, ["a.jpg"])
    monkeypatch.chdir(tmp_path)
    status, facts = check(Path(arguments[0]), *arguments[1:])
    assert status == 1
    assert facts["err"].startswith("lpr data: ")
    assert message in facts["err"]
    assert not (tmp_path / "page").exists()


def test_the_page_does_not_grow_with_the_set(tmp_path: Path, check: Check) -> None:
    sizes = []
    for count in (60, 120):
        path = make_set(tmp_path / str(count), [f"{number:03}.jpg" for number in range(count)], "x.jpg\n" * 5 * count)
        assert check(path)[0] == 3
        page = (tmp_path / "page" / "index.html").read_text()
        sizes.append(len(page))
        assert page.count("<figure>") == 30
        assert page.count("<tr><td>") <= 201
    assert sizes[1] < 1.3 * sizes[0]


@needs_browser
def test_the_page_is_whole_and_asks_for_nothing(tmp_path: Path, check: Check) -> None:
    path = make_set(tmp_path, ["a<b>.jpg", "a&b.jpg"], 'c.jpg,1,1,1,1,"<script>hacked = 1</script>"\n')
    assert check(path)[0] == 3
    for width in (390, 1280):
        assert check_page(tmp_path / "page", width, tmp_path)["images"] == 5
