"""Exports with random faults: no traceback, what a fault does not touch is kept, and nothing is lost without a word.

Seeded, so that a failure comes again. `FOUND` is what longer runs of such faults were found to fail on.
"""

import json
import random
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from annotation_sources import obtained, source
from tool_exports import EXPORTS, dump, images, label_studio_region, via_csv, voc_file, voc_object

from lpr.config import Data
from lpr.data.annotations import Annotations
from lpr.data.tables import write_table
from lpr.errors import UserError

FAULTS = 25  # of each kind, an export
SPARED = "street"  # the image of the exports that is not touched
JUNK = [
    *(None, True, 0, -1, 7, 0.5, -1e300, float("nan"), float("inf"), 10**400, "", " ", "x", "nan", "1,5", "1e999"),
    *("\0", "\ud800", "ß" * 300, "../car.jpg", "/", "C:\\car.jpg", "http://[", "file://", "data:image/png,x", [], {}),
    *([None], [[]], [1, 2], {"x": None}, {"": [{}]}, [[1, 2], [3]], {"name": {"a": 1}}),
]
BYTES = [b"\0", b"\xff", b'"', b"<", b">", b"{", b"[", b",", b";", b"\n", b"\r", b"\t", b"\xef\xbb\xbf", b"NaN", b"&"]
# Values in a text: of JSON those after a colon, comma or bracket; of XML, of attributes or between tags; else cells.
VALUES = {
    ".json": r'(?<=[:,\[] |.[\[])(?:-?[\d.]+|"[^"]*"|true|false|null)(?!\s*:)',
    ".xml": r'(?<==")[^"<>]*(?=")|(?<=>)[^<>\n]+(?=<)',
    ".csv": r'[^,\n"{}]+',
    ".txt": r"[^\s]+",
}
MADE = {name: make for name, make in (EXPORTS | {"via_csv": via_csv}).items() if name not in ("ccpd", "dataturks")}


def read(name: str, path: Path, folder: Path, data: Data) -> Annotations:
    """What `lpr source` and `lpr annotate` make of it; the tables can be written."""
    found = obtained(source(name.removesuffix("_csv"), path), folder / "out", data)
    write_table(found.plates, folder / "plates.csv")
    write_table(found.rejects, folder / "rejects.csv")
    return found


def rows(found: Annotations) -> int:
    return len(found.plates) + len(found.rejects) + sum(found.other_labels.values())


def annotation_file(path: Path) -> Path:
    """The file of the image that is not spared, or of all."""
    files = [path] if path.is_file() and path.suffix != ".yaml" else sorted(path.parent.rglob("car.*"))
    return next(file for file in files if file.suffix in VALUES)


def spoil_value(text: str, suffix: str, random_: random.Random) -> str:
    """Another value in place of one that is not about the spared image."""
    start, end = (text.index("car"), len(text)) if "car.jpg" in text else (0, len(text))
    if SPARED in text:
        first, last = text.index(SPARED), text.rindex(SPARED)
        start, end = (start, first) if first - start > end - last else (last + len("street.jpg"), end)
    value = random_.choice([match for match in re.finditer(VALUES[suffix], text) if start <= match.start() < end])
    junk = random_.choice(JUNK)
    put = json.dumps(junk) if suffix == ".json" else re.sub(r'["<>&\0\ud800]', "", str(junk))
    return text[: value.start()] + put + text[value.end() :]


def spoil_bytes(content: bytes, random_: random.Random) -> bytes:
    """A few bytes changed, doubled or taken away, perhaps all from one on."""
    changed = bytearray(content)
    for _ in range(random_.choice((1, 3, 10))):
        place = random_.randrange(len(changed) + 1)
        changed[place : place + random_.choice((0, 1, 20))] = random_.choice([*BYTES, b"", changed[place : place + 40]])
    return bytes(changed[: random_.randrange(len(changed) + 1)] if random_.random() < 0.2 else changed)


@pytest.mark.parametrize("name", MADE)
def test_a_wrong_value_loses_nothing_else(tmp_path: Path, data: Data, name: str) -> None:
    path = MADE[name](tmp_path / "set")
    whole = rows(read(name, path, tmp_path, data))
    file = annotation_file(path)
    before = file.read_text(encoding="utf-8")
    for seed in range(FAULTS):
        spoiled = spoil_value(before, file.suffix, random.Random(f"{name} {seed}"))
        file.write_text(spoiled, encoding="utf-8", errors="surrogatepass")
        try:
            found = read(name, path, tmp_path, data)
        except UserError as error:
            if "none of its labels is known" not in str(error):  # which is asked where two labels have other names
                raise
            continue
        urls, rejected = found.plates["url"], found.rejects["url"]
        assert urls.str.contains(SPARED).any() or rejected.str.contains(SPARED).any(), spoiled
        rejected_whole = len(rejected) > 0 and not urls.str.contains("car.jpg").any()
        assert rows(found) >= whole or rejected_whole, spoiled


@pytest.mark.parametrize("name", MADE)
def test_broken_bytes_are_refused_or_rejected(tmp_path: Path, data: Data, name: str) -> None:
    path = MADE[name](tmp_path / "set")
    file = path if path.is_file() else annotation_file(path)
    before = file.read_bytes()
    for seed in range(FAULTS):
        file.write_bytes(spoil_bytes(before, random.Random(f"{name} {seed}")))
        for format_ in (name, "auto"):
            with suppress(UserError):
                read(format_, path, tmp_path, data)


def record(**more: Any) -> str:
    points = [{"x": 0.1, "y": 0.1}, {"x": 0.3, "y": 0.3}]
    plate = {"label": ["plate"], "notes": "KA05", "points": points, "imageWidth": 200, "imageHeight": 100}
    return json.dumps({"content": "http://a/b.jpg", "annotation": [plate | more]})


def test_lines_that_no_json_parser_takes(tmp_path: Path, data: Data) -> None:
    lines = ["9" * 5000, "[" * 100_000, "\ud800", record(), '{"content": "http://[", "annotation": []}']
    lines += [record().replace("http://a/b.jpg", each) for each in ("http://[/c.jpg", "\\ud800.jpg")]
    (tmp_path / "a.json").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    found = read("dataturks", tmp_path / "a.json", tmp_path, data)
    assert found.plates["url"].tolist() == ["http://a/b.jpg", "http://[/c.jpg", "?.jpg"]
    assert found.rejects["line"].tolist() == [1, 2, 3, 5]


def test_a_box_that_is_turned_without_end(tmp_path: Path, data: Data) -> None:
    regions = [label_studio_region("a", (20, 10, 60, 30), "Plate"), label_studio_region("b", (1, 1, 9, 9), "Plate")]
    regions[1]["value"]["rotation"] = float("inf")
    task = {"data": {"image": "a.jpg"}, "annotations": [{"result": regions}]}
    found = read("label_studio", dump(tmp_path / "a.json", [task]), tmp_path, data)
    assert found.counts["plates"] == 1
    assert found.rejects["reason"].tolist() == ["a box turned by inf degrees"]


def test_halves_of_characters_are_question_marks(tmp_path: Path, data: Data) -> None:
    """As JavaScript writes a text that is cut in the middle of an emoji."""
    (tmp_path / "a.json").write_text(record(notes="KA05").replace("KA05", "KA\\ud83d"), encoding="utf-8")
    found = read("dataturks", tmp_path / "a.json", tmp_path, data)
    assert found.plates["text"].tolist() == ["KA"]


def test_a_name_that_is_a_broken_url(tmp_path: Path, data: Data) -> None:
    images(tmp_path, {"a.jpg": (200, 100)})
    for name in ("http://[", "a"):
        (tmp_path / f"{name[-1]}.xml").write_text(
            voc_file(f"{name}.jpg", (200, 100), voc_object("plate", (1, 1, 9, 9)))
        )
    found = read("voc", tmp_path, tmp_path, data)
    assert "a.jpg" in found.plates["url"].tolist()


@pytest.mark.parametrize("value", ["2024-13-45", "!!bool x", "!!timestamp x", "!!int '0x'", "[" * 500])
def test_a_data_yaml_that_no_parser_takes(tmp_path: Path, data: Data, value: str) -> None:
    path = EXPORTS["yolo"](tmp_path / "set")
    path.write_text(f"made: {value}\n" + path.read_text())
    with pytest.raises(UserError, match=r"data\.yaml: no YAML: "):
        read("yolo", path, tmp_path, data)
    shutil.rmtree(tmp_path / "set" / "train" / "labels")
    with pytest.raises(UserError, match="is not recognised"):
        read("auto", path, tmp_path, data)
