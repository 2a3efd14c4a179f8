"""Texts and boxes from CSVs: which plates they belong to, and what of the annotations is kept."""

import unicodedata
from pathlib import Path

import pytest
from annotation_sources import encoded, obtained, record, source

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, iou
from lpr.config import Data
from lpr.data.sources import obtain
from lpr.errors import UserError


def test_texts_and_boxes_are_matched_by_image_and_overlap(tmp_path: Path, data: Data) -> None:
    annotations = tmp_path / "a.json"
    annotations.write_text(
        record("http://host/x/one.jpg", (10, 10, 60, 30), (110, 10, 160, 30))
        + record("http://host/two.jpg", (5, 5, 50, 25))
    )
    texts, boxes = tmp_path / "texts.csv", tmp_path / "boxes.csv"
    texts.write_text("image,xmin,ymin,xmax,ymax,text\none.jpg,111,10,160,30,RIGHT\none.jpg,10,10,60,30,LEFT\n")
    boxes.write_text("image,xmin,ymin,xmax,ymax\none.jpg,112,12,150,28\nnone.jpg,0,0,1,1\n")
    plates = obtained(source("dataturks", annotations, texts=texts, boxes=boxes), tmp_path / "out", data).plates
    assert list(plates["text"]) == ["LEFT", "RIGHT", ""]
    assert list(plates["top_x"]) == pytest.approx([10, 112, 5])
    assert plates["original_top_x"].isna().tolist() == [True, False, True]
    assert plates.loc[1, BOX_COLUMNS].tolist() == [112, 12, 150, 28]
    assert plates.loc[1, ORIGINAL_BOX_COLUMNS].tolist() == [110, 10, 160, 30]


def test_an_original_box_is_kept_within_the_image_where_another_overrides_it(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    annotations.write_text(record("http://host/one.jpg", (-20, 60, 60, 130)))
    boxes.write_text("image,xmin,ymin,xmax,ymax\none.jpg,2,70,50,98\n")
    plates = obtained(source("dataturks", annotations, boxes=boxes), tmp_path / "out", data).plates
    assert plates.loc[0, [*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS]].tolist() == [2, 70, 50, 98, 0, 60, 60, 100]


def test_overrides_can_be_applied_twice(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    annotations.write_text(record("http://host/one.jpg", (10, 10, 60, 30)))
    boxes.write_text("image,xmin,ymin,xmax,ymax\none.jpg,12,12,50,28\n")
    once = source("dataturks", annotations, boxes=boxes)
    obtain(once, tmp_path / "once", data)
    twice = source("dataturks", tmp_path / "once" / "annotations.json", boxes=boxes)
    plates = obtained(twice, tmp_path / "twice", data).plates
    assert plates.equals(obtained(once, tmp_path / "once", data).plates)
    assert plates.loc[0, ORIGINAL_BOX_COLUMNS].tolist() == [10, 10, 60, 30]


def test_a_corner_that_is_no_number_rejects_its_plate_alone(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    bad = record("http://host/bad.jpg", (10, 10, 60, 30)).replace('"x": 0.05', '"x": "0.05"')
    annotations.write_text(bad + record("http://host/one.jpg", (10, 10, 60, 30)))
    boxes.write_text("image,xmin,ymin,xmax,ymax\nbad.jpg,12,12,50,28\none.jpg,12,12,50,28\n")
    found = obtained(source("dataturks", annotations, boxes=boxes), tmp_path / "out", data)
    assert list(found.plates["top_x"]) == [12]
    assert "x is '0.05', not a number" in found.rejects["reason"][0]


def test_texts_of_the_annotations_are_kept(tmp_path: Path, data: Data) -> None:
    annotations, texts = tmp_path / "a.json", tmp_path / "texts.csv"
    annotations.write_text(record("http://host/one.jpg", (10, 10, 60, 30), notes="FIRST"))
    texts.write_text("image,text\none.jpg,OTHER\n")
    plates = obtained(source("dataturks", annotations, texts=texts), tmp_path / "out", data).plates
    assert list(plates["text"]) == ["FIRST"]


def test_bad_lines_keep_their_content_and_numbers(tmp_path: Path, data: Data) -> None:
    annotations, texts = tmp_path / "a.json", tmp_path / "texts.csv"
    annotations.write_text("\n{broken\n" + record("http://host/one.jpg", (10, 10, 60, 30)))
    texts.write_text("image,text\none.jpg,KA01\n")
    found = obtained(source("dataturks", annotations, texts=texts), tmp_path / "out", data)
    assert list(found.rejects["line"]) == [2]
    assert list(found.plates["text"]) == ["KA01"]


def test_dataturks_gets_its_texts_and_tight_boxes(real_data: Path, tmp_path: Path, data: Data) -> None:
    folder = real_data / "dataturks"
    mine = source(
        "dataturks",
        folder / "Indian_Number_plates.json",
        texts=folder / "plate_text.csv",
        boxes=folder / "tight_boxes.csv",
    )
    found = obtained(mine, tmp_path / "out", data)
    assert (found.counts["plates"], found.counts["texts"], found.counts["rejected"]) == (245, 214, 0)
    alone = obtained(source("dataturks", folder / "Indian_Number_plates.json"), tmp_path / "alone", data).plates
    overridden = found.plates["original_top_x"].notna()
    assert overridden.sum() == 178
    # Original boxes are the JSON's, and looser, as the README of the images says.
    kept = found.plates[ORIGINAL_BOX_COLUMNS].where(overridden, found.plates[BOX_COLUMNS].to_numpy())
    assert (kept.to_numpy() == alone[BOX_COLUMNS].to_numpy()).all()
    overlap = iou(
        *(found.plates.loc[overridden, columns].to_numpy(float) for columns in (BOX_COLUMNS, ORIGINAL_BOX_COLUMNS))
    )
    assert overlap.mean() == pytest.approx(0.584, abs=0.001)


def test_a_missing_table_is_named_with_its_key(tmp_path: Path, data: Data) -> None:
    annotations = tmp_path / "a.json"
    annotations.write_text(record("http://host/one.jpg", (10, 10, 60, 30)))
    with pytest.raises(UserError, match=r"source mine: there is no file .*gone\.csv .* set data\.texts, or `texts`"):
        obtain(source("dataturks", annotations, texts=tmp_path / "gone.csv"), tmp_path / "out", data)


def test_rows_are_of_the_image_in_their_folder(tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    annotations, texts = tmp_path / "a.json", tmp_path / "texts.csv"
    places = ["camA/1.jpg", "camB/1.jpg", "2.jpg", "x/2.jpg", "camA/3.jpg"]
    annotations.write_text("".join(record(f"http://host/{place}", (10, 10, 60, 30)) for place in places))
    texts.write_text("image,text\ncamA/1.jpg,ONE\nimages/camB/1.jpg,OTHER\n2.jpg,TWO\n3.jpg,THREE\n")
    plates = obtained(source("dataturks", annotations, texts=texts), tmp_path / "out", data).plates
    assert list(plates["text"]) == ["ONE", "OTHER", "TWO", "", "THREE"]
    assert "1 images have no texts" in capsys.readouterr().out

    texts.write_text("image,text\n1.jpg,ONE\n")
    plates = obtained(source("dataturks", annotations, texts=texts), tmp_path / "again", data).plates
    assert set(plates["text"]) == {""}
    assert "2 images have no texts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "expected", "printed"),
    [
        (["one.jpg,AA1", "one.jpg,BB2", "two.jpg,CC3"], ["AA1", "BB2", "", "OWN"], "2 plates have their texts"),
        (["one.jpg,", "one.jpg,BB2"], ["", "BB2", "", "OWN"], "1 plates have their texts"),
        (
            ["one.jpg,AA1"],
            ["", "", "", "OWN"],
            "1 rows of FILE belong to no image or plate, such as line 2 (one.jpg: 1 rows without boxes, 2 plates)",
        ),
        (
            ["two.jpg,", "no.jpg,", "no.jpg,A", "no.jpg,B"],
            ["", "", "", "OWN"],
            "2 rows of FILE belong to no image or plate, such as line 4 (no.jpg)",
        ),
    ],
)
def test_texts_without_boxes_are_those_of_an_images_plates_in_their_order(
    rows: list[str], expected: list[str], printed: str, tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations, texts = tmp_path / "a.csv", tmp_path / "texts.csv"
    annotations.write_text(
        "image,width,height,xmin,ymin,xmax,ymax,text,label,ignored\n"
        "one.jpg,200,100,10,10,60,30,,plate,\n"
        "one.jpg,200,100,0,0,190,90,,car,\n"
        "one.jpg,200,100,110,10,160,30,,plate,\n"
        "one.jpg,200,100,110,50,160,70,,plate,1\n"
        "two.jpg,200,100,10,10,60,30,OWN,plate,\n"
    )
    texts.write_text("\n".join(["image,text", *rows]))
    plates = obtained(source("table", annotations, texts=texts), tmp_path / "out", data).plates
    assert list(plates["text"]) == expected
    said = capsys.readouterr().out.replace(str(texts), "FILE")
    assert printed in said
    assert ("belong to no" in said) == ("FILE" in printed)


def test_rows_are_of_images_whose_names_were_repaired(
    tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations, texts, boxes = (tmp_path / name for name in ("a.csv", "texts.csv", "boxes.csv"))
    files = ["cam1/IMG_1.JPG", "cam1/IMG_2.JPG", "cam1/IMG_3.JPG", unicodedata.normalize("NFD", "Füß.jpg")]
    names = ["cam1\\IMG_1.JPG", "cam1/img_2.jpg", "cam1/IMG_3", unicodedata.normalize("NFC", "Füß.jpg")]
    for file in [*files, "x.jpg", "x.png"]:
        path = tmp_path / "images" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded())
    header = "image,xmin,ymin,xmax,ymax,text\n"
    annotations.write_text(header + "".join(f"{name},10,10,60,30,\n" for name in [*names, "x.jpg", "x.png"]))
    texts.write_text("image,text\n" + "".join(f"{name},KA{number}\n" for number, name in enumerate([*names, "x"])))
    # Corners are swapped.
    boxes.write_text(header + "".join(f"{name},58,12,12,28,\n" for name in [*names, "y.jpg"]))
    plates = obtained(source("table", annotations, texts=texts, boxes=boxes), tmp_path / "out", data).plates
    assert list(plates["url"]) == [*files, "x.jpg", "x.png"]
    assert list(plates["text"]) == ["KA0", "KA1", "KA2", "KA3", "", ""]
    assert plates[BOX_COLUMNS].to_numpy().tolist() == [[12, 12, 58, 28]] * 4 + [[10, 10, 60, 30]] * 2
    said = capsys.readouterr().out
    assert "4 plates have their texts" in said
    assert "4 plates have their boxes" in said
    assert "2 images have no texts" in said
    assert "belong to no image or plate, such as line 6 (y.jpg)" in said


def test_a_plate_that_is_listed_twice_has_one_override_box(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    annotations.write_text(record("http://host/one.jpg", (10, 10, 60, 30)) * 2)
    boxes.write_text("image,xmin,ymin,xmax,ymax\none.jpg,12,12,50,28\n")
    plates = obtained(source("dataturks", annotations, boxes=boxes), tmp_path / "out", data).plates
    assert plates[BOX_COLUMNS].to_numpy().tolist() == [[12, 12, 50, 28]]
