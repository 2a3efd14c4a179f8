"""The annotation JSON: how it is read, and how bad input is rejected."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.data.annotations import Annotations, PlateLabel, annotation_line, image_name, read_annotations
from lpr.errors import UserError
from lpr.pipeline import annotate


def plate(**changes: Any) -> dict[str, Any]:
    corners = [{"x": 0.25, "y": 0.5}, {"x": 0.75, "y": 0.6}]
    made = {"label": ["number_plate"], "notes": "", "points": corners, "imageWidth": 400, "imageHeight": 200}
    return {key: value for key, value in (made | changes).items() if value is not ...}


def line(url: Any = "http://host/a.jpg", annotation: Any = ..., **changes: Any) -> str:
    return json.dumps({"content": url, "annotation": [plate(**changes)] if annotation is ... else annotation})


def read(tmp_path: Path, text: str) -> Annotations:
    path = tmp_path / "annotations.json"
    path.write_bytes(text.encode())
    return read_annotations(path, "set")


CAR = [{"x": 0.1, "y": 0.1}, {"x": 0.9, "y": 0.9}]
GOOD = line("http://host/good.jpg", notes="mh 12-ab 1234")


def test_a_line_becomes_a_row_in_pixels(tmp_path: Path) -> None:
    row = read(tmp_path, GOOD).plates.iloc[0]
    assert (row["top_x"], row["top_y"], row["bottom_x"], row["bottom_y"]) == (100.0, 100.0, 300.0, 120.0)
    assert (row["image_width"], row["image_height"]) == (400, 200)
    assert (row["source"], row["url"], row["text"]) == ("set", "http://host/good.jpg", "MH12AB1234")


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "\n" + line() + "\n",
        f"[{GOOD}, {line()}]",
        f"\ufeff{GOOD}\r\n\r\n{line()}\r\n",
        "\n\n" + GOOD + "\n   \n" + line(),
        f"[\n{GOOD},\n{line()}\n]\n",
    ],
    ids=["lines", "array", "BOM and CRLF", "blank lines", "array over lines"],
)
def test_lines_and_arrays_are_the_same(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert list(found.plates["url"]) == ["http://host/good.jpg", "http://host/a.jpg"]
    assert found.counts["lines"] == 2
    assert found.rejects.empty


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{not json", "not JSON"),
        ('"{""content"": ""http://host/a.jpg""}"', "quoted CSV field"),
        ("17", "not a JSON object but int"),
        (line(url=None), "no URL"),
        (line(url="  "), "no URL"),
        (json.dumps({"annotation": [plate()]}), "no URL"),
        (line(annotation=None), "`annotation` is null or empty"),
        (line(annotation=[]), "`annotation` is null or empty"),
        (line(annotation=["here"]), "an annotation that is no JSON object"),
        (line(points=[{"x": 0.1, "y": 0.1}]), "1 points where two corners are needed"),
        (line(points=None), "no points where two corners are needed"),
        (line(points=[{"x": float("nan"), "y": 0.1}, {"x": 0.5, "y": 0.5}]), "x is nan"),
        (line(points=[{"x": 0.1}, {"x": 0.5, "y": 0.5}]), "y is None"),
        (line(points=[{"x": "0.1", "y": 0}, {"x": 0.5, "y": 0.5}]), "x is '0.1'"),
        (line(points=[{"x": 0.1, "y": 0.1}, {"x": 1.1, "y": 0.5}]), "outside the image: x = 440.0 of 400"),
        (line(points=[{"x": -0.1, "y": 0.1}, {"x": 0.5, "y": 0.5}]), "outside the image"),
        (line(points=[{"x": 0.1, "y": 0.1}, {"x": 0.1, "y": 0.5}]), "zero area"),
        (line(points=[{"x": 0.001, "y": 0.001}, {"x": 0.002, "y": 0.002}]), "a box of 0.4 × 0.2 pixels"),
        (line(original_points=[{"x": 0.1, "y": 0.1}]), "1 original_points where two corners are needed"),
        (line(original_points=[{"x": 0.1, "y": 0.1}, {"x": 0.5}]), "y is None"),
        (line(imageWidth=...), "size is missing: `imageWidth` is None"),
        (line(imageHeight=0), "size is missing: `imageHeight` is 0"),
    ],
)
def test_bad_input_is_rejected_with_its_line_and_reason_and_the_rest_goes_on(
    tmp_path: Path, bad: str, reason: str
) -> None:
    found = read(tmp_path, f"{GOOD}\n\n{bad}\n{line()}\n")
    assert len(found.plates) == 2
    assert list(found.rejects["line"]) == [3]
    assert reason in found.rejects["reason"][0]
    assert (found.counts["lines"], found.counts["rejected"]) == (3, 1)


def test_one_bad_plate_leaves_the_other_plates_of_its_image(tmp_path: Path) -> None:
    found = read(tmp_path, line(annotation=[plate(points=None), plate(), plate(points=CAR)]))
    assert (len(found.plates), len(found.rejects)) == (2, 1)
    assert found.plates["image"].nunique() == 1


def test_annotations_of_other_things_are_no_plates(tmp_path: Path) -> None:
    """Boxes of cars and drivers, and an image that shows a car without a plate."""
    car, driver = plate(label=["car"], points=CAR), plate(label=["Driver"], notes="blurred", points=CAR)
    mixed = [line(f"http://host/{number}.jpg", [car, plate(notes=f"KA{number}"), driver]) for number in range(3)]
    found = read(tmp_path, "\n".join([*mixed, line("http://host/van.jpg", [car])]))
    assert found.plates["text"].tolist() == ["KA0", "KA1", "KA2", ""]
    assert found.plates["top_x"].isna().tolist() == [False, False, False, True]
    assert found.other_labels == {"car": 4, "driver": 3}
    assert (found.counts["plates"], found.counts["without_plates"], found.counts["other_labels"]) == (3, 1, 7)
    path = tmp_path / "annotations.json"
    assert read_annotations(path, "set", ["car"]).counts["plates"] == 4
    with pytest.raises(UserError, match=r"no label is one of data.plate_labels: 'car' \(4×\), 'number_plate' \(3×\)"):
        read_annotations(path, "set", ["Plate"])


def test_ignored_boxes_are_no_plates_and_an_image_of_such_alone_has_none(tmp_path: Path) -> None:
    both = line(annotation=[plate(points=CAR), plate(ignored=True, notes="KA01AB1234")])
    alone = line("http://host/b.jpg", annotation=[plate(ignored=True)])
    found = read(tmp_path, f"{both}\n{alone}")
    assert found.plates[["url", "ignored"]].to_numpy().tolist() == [
        ["http://host/a.jpg", False],
        ["http://host/a.jpg", True],
        ["http://host/b.jpg", True],
        ["http://host/b.jpg", False],
    ]
    assert math.isnan(found.plates["top_x"][3])
    assert (found.counts["plates"], found.counts["ignored"], found.counts["texts"]) == (1, 2, 0)
    assert found.counts["without_plates"] == 1


def test_labels_of_which_none_is_known_as_a_plates_are_refused(tmp_path: Path) -> None:
    text = line(annotation=[plate(label=["kk"]), plate(label=["vehicle"], points=CAR)])
    with pytest.raises(
        UserError, match=r"none of its labels .* 'kk' \(1×\), 'vehicle' \(1×\); .*data.plate_labels=\[.kk.\]"
    ):
        read(tmp_path, text)
    assert read(tmp_path, line(label=["kk"])).counts["plates"] == 1  # the only one: what else should it be


@pytest.mark.parametrize(
    "label", ["License Plate", "licence-plate", "LP", "Kennzeichen", "placa", "номерной знак", "车牌"]
)
def test_labels_of_plates_in_several_languages(tmp_path: Path, label: str) -> None:
    found = read(tmp_path, line(annotation=[plate(label=[label]), plate(label="car", points=CAR)]))
    assert (found.counts["plates"], found.other_labels) == (1, {"car": 1})


def test_a_plate_that_is_listed_twice_counts_once(tmp_path: Path) -> None:
    found = read(tmp_path, "\n".join([GOOD, line(), GOOD, line(annotation=[plate(), plate()])]))
    assert found.counts["plates"] == 2
    assert found.rejects[["line", "reason"]].to_numpy().tolist() == [
        [3, "the same plate of the same image as in line 1"],
        [4, "the same plate of the same image as in line 2"],
        [4, "the same plate of the same image as in line 2"],
    ]


def test_of_a_plate_that_is_listed_twice_no_text_is_lost_and_no_contradiction_hidden(tmp_path: Path) -> None:
    def twice(name: str, first: dict[str, Any], second: dict[str, Any]) -> str:
        return "\n".join(line(f"http://host/{name}.jpg", **changes) for changes in (first, second))

    lines = [
        twice("a", {}, {"notes": "ka 01"}),
        twice("b", {"notes": "KA02"}, {}),
        twice("c", {"notes": "KA03"}, {"notes": "ka-03"}),
        twice("d", {"notes": "KA04"}, {"notes": "KA05"}),
        twice("e", {"ignored": True}, {"notes": "KA06"}),
        twice("f", {}, {"ignored": True, "notes": "KA07"}),
    ]
    found = read(tmp_path, "\n".join(lines))
    assert found.plates["text"].tolist() == ["KA01", "KA02", "KA03", "KA04", "", ""]
    assert [detail.text for detail in found.details] == ["ka 01", "KA02", "KA03", "KA04", "", ""]
    assert found.plates["ignored"].tolist() == [False] * 4 + [True, False]
    assert found.rejects["line"].tolist() == [2, 4, 6, 8, 10, 12]
    same = "the same plate of the same image as in line"
    assert found.rejects["reason"].tolist() == [
        f"{same} 1, there without a text: this one is taken",
        f"{same} 3",
        f"{same} 5",
        f"{same} 7, there with the text KA04",
        f"{same} 9, there ignored",
        f"{same} 11, there not ignored",
    ]


def test_boxes_of_a_class_no_plate_are_of_other_things(tmp_path: Path) -> None:
    """The same label without a box says that an image has no plate."""
    other = plate(label=["no_plate"], points=CAR)
    lines = [
        line(annotation=[plate(), other]),
        line("http://host/b.jpg", annotation=[other]),
        line("http://host/c.jpg", label=["no_plate"], points=[]),
    ]
    found = read(tmp_path, "\n".join(lines))
    assert found.plates["url"].tolist() == ["http://host/a.jpg", "http://host/c.jpg", "http://host/b.jpg"]
    assert found.plates["top_x"].isna().tolist() == [False, True, True]
    assert found.other_labels == {"no_plate": 2}
    assert found.rejects.empty
    chosen = read_annotations(tmp_path / "annotations.json", "set", ["no_plate"])
    assert (chosen.counts["plates"], chosen.counts["without_plates"]) == (2, 1)


def test_swapped_corners_are_reordered_and_counted(tmp_path: Path) -> None:
    corners = [{"x": 0.75, "y": 0.5}, {"x": 0.25, "y": 0.6}]
    found = read(tmp_path, line(points=corners))
    assert (found.plates["top_x"][0], found.plates["bottom_x"][0], found.counts["swapped"]) == (100.0, 300.0, 1)


def test_rounding_outside_the_image_is_moved_to_its_edge(tmp_path: Path) -> None:
    found = read(tmp_path, line(points=[{"x": -0.001, "y": 0}, {"x": 1.002, "y": 1}]))
    assert list(found.plates.loc[0, ["top_x", "top_y", "bottom_x", "bottom_y"]]) == [0, 0, 400, 200]


def test_a_polygon_gives_its_bounding_box(tmp_path: Path) -> None:
    corners = [{"x": x, "y": y} for x, y in ((0.25, 0.5), (0.75, 0.4), (0.7, 0.6), (0.2, 0.7))]
    row = read(tmp_path, line(points=corners)).plates.iloc[0]
    assert (row["top_x"], row["top_y"], row["bottom_x"], row["bottom_y"]) == (80, 80, 300, 140)


def test_the_original_box_stands_beside_the_override(tmp_path: Path) -> None:
    original = [{"x": 0.8, "y": 0.45}, {"x": 0.2, "y": 0.7}]
    plates = read(tmp_path, line(original_points=original) + "\n" + line("http://host/b.jpg")).plates
    assert plates.loc[0, [*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS]].tolist() == [100, 100, 300, 120, 80, 90, 320, 140]
    assert plates.loc[1, BOX_COLUMNS].tolist() == [100, 100, 300, 120]
    assert plates.loc[1, ORIGINAL_BOX_COLUMNS].isna().all()


@pytest.mark.parametrize("text", ["", "\n\n", "[]", "{nonsense\n", line(url=None)])
def test_a_file_with_nothing_usable_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="nothing in its annotation file is usable"):
        read(tmp_path, text)


def test_an_image_is_no_annotation_file(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_bytes(b"\xff\xd8\xff\xe0" * 10)
    with pytest.raises(UserError, match="not UTF-8 text"):
        read_annotations(path, "set")


def test_a_broken_array_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="breaks off at line 2"):
        read(tmp_path, f"[{GOOD},\n{{")


URLS = [
    "http://host/../../etc/passwd",
    "http://host/a.jpg?size=large&../x",
    "http://host/a.jpg?size=small",
    "http://host/фото машины.jpg",
    "http://host/" + "x" * 300 + ".jpg",
    "http://host/one/same.jpg",
    "http://host/two/same.jpg",
    "http://host/%2e%2e%2f%2e%2e%2fescape.jpg",
    "..\\..\\windows.jpg",
    "http://host/",
    "http://host/CON",
    "http://host/a\x00b.jpg",
]


def test_image_names_are_safe_stable_and_unique() -> None:
    names = [image_name("set", url) for url in URLS]
    assert names == [image_name("set", url) for url in URLS]
    assert len({name.lower() for name in names}) == len(URLS)
    for name in names:
        assert Path(name).name == name
        assert name.endswith(".jpg")
        assert len(name) <= 120
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")


def test_the_same_url_in_two_sets_is_two_images() -> None:
    assert image_name("one", URLS[0]) != image_name("two", URLS[0])


def test_dataturks_has_as_many_plates_as_its_readme_says(real_data: Path) -> None:
    found = read_annotations(real_data / "dataturks" / "Indian_Number_plates.json", "dataturks")
    assert (found.counts["lines"], found.counts["images"], found.counts["plates"]) == (237, 237, 245)
    assert found.rejects.empty


def test_a_line_made_of_boxes_in_pixels_is_read_as_them(tmp_path: Path) -> None:
    plates = [PlateLabel((10, 20, 110, 60.5), "MH 12 AB 1234"), PlateLabel((0, 0, 400, 200))]
    lines = [annotation_line("a.jpg", 400, 200, plates), annotation_line("b.jpg", 400, 200, [])]
    found = read(tmp_path, "\n".join(lines))
    assert found.plates["url"].tolist() == ["a.jpg", "a.jpg", "b.jpg"]
    assert found.plates["text"].tolist() == ["MH12AB1234", "", ""]
    assert found.plates.loc[:1, BOX_COLUMNS].to_numpy().tolist() == [[10, 20, 110, 60.5], [0, 0, 400, 200]]
    assert found.counts["without_plates"] == 1


@pytest.mark.parametrize(
    ("size", "box", "reason"),
    [
        ((math.nan, 200), (0, 0, 9, 9), "size is missing: `imageWidth` is None"),
        ((0, 200), (0, 0, 9, 9), "size is missing: `imageWidth` is 0"),
        ((400, 200), (0, 0, math.nan, 9), "x is nan, not a number"),
        ((400, 200), (0, 0, 409, 9), "outside the image: x = 409.0 of 400"),
    ],
)
def test_a_line_made_of_what_is_unusable_is_rejected(
    tmp_path: Path, size: tuple[float, float], box: tuple[float, float, float, float], reason: str
) -> None:
    found = read(tmp_path, f"{GOOD}\n{annotation_line('a.jpg', *size, [PlateLabel(box)])}\n")
    assert reason in found.rejects["reason"][0]


def test_texts_keep_their_letters_and_those_beyond_latin_are_counted(tmp_path: Path) -> None:
    texts = ["А111АА77", "京A·12345", "粤A 88", "12 أ 345", "ka-05", ""]
    found = read(tmp_path, "\n".join(line(f"http://host/{n}.jpg", notes=text) for n, text in enumerate(texts)))
    assert found.plates["text"].tolist() == ["A111AA77", "京A12345", "粤A88", "12أ345", "KA05", ""]
    assert found.counts["texts"] == 5
    assert found.counts["texts_beyond_latin"] == 3
    assert found.other_characters == {"京": 1, "粤": 1, "أ": 1}


def test_annotate_says_which_characters_no_engine_recognizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], in_root: Path
) -> None:
    config = compose([])
    monkeypatch.chdir(tmp_path)
    place = Path("data/sources/synthetic/annotations.json")
    place.parent.mkdir(parents=True)
    place.write_text("\n".join(line(f"http://host/{n}.jpg", notes="Ж1京") for n in range(3)) + "\n" + GOOD)
    annotate.run(config)
    assert "3 of 4 texts have characters other than A–Z and 0–9: Ж (3×), 京 (3×)" in capsys.readouterr().out
    assert json.loads(Path("metrics/annotate.json").read_text())["synthetic"]["texts_beyond_latin"] == 3
    assert "Ж1京" in Path("data/plates.csv").read_text(encoding="utf-8")
