"""Tables of boxes: rows become the annotation JSON, line for line."""

from pathlib import Path

import numpy as np
import pytest
from annotation_sources import obtained, source

from lpr.boxes import BOX_COLUMNS
from lpr.config import Data
from lpr.data.sources import obtain
from lpr.errors import UserError


def test_a_table_becomes_the_json(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "image,width,height,xmin,ymin,xmax,ymax,text\n"
        "a.jpg,200,100,10,20,60,40,AB 12\n"
        "a.jpg,200,100,110,20,160,40,NA\n"
        "b.jpg,300,150,30.5,30,90,60,\n"
    )
    plates = obtained(source("table", csv), tmp_path / "out", data).plates
    assert list(plates["url"]) == ["a.jpg", "a.jpg", "b.jpg"]
    assert list(plates["text"]) == ["AB12", "NA", ""]
    assert list(plates["top_x"]) == [10, 110, 30.5]
    assert plates["image"].nunique() == 2


def test_bad_rows_of_a_table_are_rejected_with_the_tables_line_numbers(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "image,width,height,xmin,ymin,xmax,ymax\n"
        "a.jpg,200,100,10,20,60,40\n"
        ",200,100,10,20,60,40\n"
        "c.jpg,,100,10,20,60,40\n"
        "d.jpg,200,100,10,,60,40\n"
        "e.jpg,200,100,10,20,600,40\n"
    )
    found = obtained(source("table", csv), tmp_path / "out", data)
    assert list(found.rejects["line"]) == [3, 4, 5, 6]
    words = ["no URL", "size is missing", "not a number", "outside the image"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_fractions_and_pixels_are_told_apart(tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tmp_path / "boxes.csv"
    header = "image,width,height,xmin,ymin,xmax,ymax,text\n"
    csv.write_text(f"{header}a.jpg,200,100,0.05,0.2,0.3,0.4,AB1\nb.jpg,300,150,0,0,1,1,AB2\nstreet.jpg,200,100,,,,,\n")
    plates = obtained(source("table", csv), tmp_path / "out", data).plates
    assert plates.loc[:1, BOX_COLUMNS].to_numpy() == pytest.approx(np.array([[10, 20, 60, 40], [0, 0, 300, 150]]))
    assert "boxes in fractions of the image" in capsys.readouterr().out
    csv.write_text(f"{header}a.jpg,200,100,10,20,60,40,AB1\nb.jpg,300,150,0.1,0.2,0.5,0.4,AB2\n")
    found = obtained(source("table", csv), tmp_path / "mixed", data)
    assert found.plates["url"].tolist() == ["a.jpg"]
    assert found.rejects[["line", "reason"]].to_numpy().tolist() == [[3, "a box of 0.4 × 0.2 pixels"]]
    assert capsys.readouterr().out == ""


def test_a_row_with_neither_box_nor_text_is_an_image_without_plates(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "image,width,height,xmin,ymin,xmax,ymax,text\n"
        "a.jpg,200,100,10,20,60,40,AB 12\n"
        "street.jpg,200,100,,,,,\n"
        "no-size.jpg,,,,,,,\n"
        "where.jpg,200,100,,,,,AB 12\n"
        "half.jpg,200,100,10,20,,,\n"
    )
    found = obtained(source("table", csv), tmp_path / "out", data)
    assert list(found.plates["url"]) == ["a.jpg", "street.jpg"]
    assert found.plates["top_x"].isna().tolist() == [False, True]
    assert (found.counts["images"], found.counts["plates"], found.counts["without_plates"]) == (2, 1, 1)
    assert list(found.rejects["line"]) == [4, 5, 6]


def test_a_table_without_its_columns_is_refused_by_name(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text("image,xmin\na.jpg,3\n")
    with pytest.raises(UserError, match=r"no column 'ymin', 'xmax', 'ymax'; it has image, xmin"):
        obtain(source("table", csv), tmp_path / "out", data)
