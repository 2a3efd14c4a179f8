"""Texts and boxes from CSVs: which plates they belong to, and what of the annotations is kept."""

from pathlib import Path

import pytest
from annotation_sources import obtained, record, source

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
