"""Tables of boxes: rows become the annotation JSON, line for line."""

from pathlib import Path

import numpy as np
import pytest
from annotation_sources import labels, obtained, source
from tool_exports import images

from lpr.boxes import BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.config import AnySource, Data
from lpr.data.image_cache import download
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


def test_columns_of_any_name(tmp_path: Path, in_root: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "File;Links;Oben;B;H;Kennzeichen;Art;weg\nsub\\a.jpg;10,5;20;50;20;Ü 12;Schild;\nsub\\a.jpg;1;2;50;20;;Auto;\n"
    )
    images(tmp_path / "images", {"sub/a.jpg": (200, 100)})
    columns = {"image": "File", "x": "Links", "y": "Oben", "w": "B", "h": "H", "text": "Kennzeichen"}
    mine = AnySource.model_validate(
        {"name": "mine", "format": "table", "annotations": str(csv)}
        | {"columns": columns | {"label": "Art", "ignored": "weg"}}
    )
    obtain(mine, tmp_path / "out", data)
    assert labels(tmp_path / "out") == [
        ("sub/a.jpg", [10.5, 20, 60.5, 40], "Schild", "Ü 12", False),
        ("sub/a.jpg", [1, 2, 51, 22], "Auto", "", False),
    ]
    assert compose(["data=table", f"data.annotations={csv}", "data.columns={image: File}"]).data.columns == {
        "image": "File"
    }


def test_the_columns_of_tensorflow_are_known(tmp_path: Path, data: Data) -> None:
    """As Roboflow writes them."""
    csv = tmp_path / "_annotations.csv"
    csv.write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "a_jpg.rf.0f.jpg,320,240,license-plate,10,20,90,50\na_jpg.rf.0f.jpg,320,240,car,1,2,310,230\n"
    )
    images(tmp_path, {"a_jpg.rf.0f.jpg": (320, 240)})
    obtain(source("auto", csv), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [
        ("a_jpg.rf.0f.jpg", [10, 20, 90, 50], "license-plate", "", False),
        ("a_jpg.rf.0f.jpg", [1, 2, 310, 230], "car", "", False),
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": "file"}, "no column 'file'; it has image, xmin"),
        ({"imag": "file"}, r"columns\.imag"),
    ],
)
def test_wrong_columns_are_refused_by_name(tmp_path: Path, data: Data, columns: dict[str, str], message: str) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text("image,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4\n")
    values = {"name": "mine", "format": "table", "annotations": str(csv), "columns": columns}
    with pytest.raises(UserError, match=message):
        obtain(AnySource.model_validate(values), tmp_path / "out", data)


def test_sizes_are_read_from_the_images_where_the_table_has_none(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "images", {"a.jpg": (200, 100), "b.jpg": (300, 150)})
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "image,xmin,ymin,xmax,ymax\na.jpg,0.1,0.2,0.5,0.4\nb.jpg,0.1,0.2,0.5,0.4\ngone.jpg,0.1,0.2,0.5,0.4\n"
    )
    found = obtained(source("table", csv), tmp_path / "out", data)
    assert labels(tmp_path / "out")[:2] == [
        ("a.jpg", [20, 20, 100, 40], "number_plate", "", False),
        ("b.jpg", [30, 30, 150, 60], "number_plate", "", False),
    ]
    assert found.rejects["line"].tolist() == [4]
    assert "size is missing, and" in found.rejects["reason"][0]


def test_a_server_that_is_down_stops_a_set_only_where_it_has_more_images_than_may_be_missing(
    tmp_path: Path, served: tuple[Path, str], data: Data
) -> None:
    images(served[0], {"a.jpg": (200, 100), "b.jpg": (300, 150)})
    csv, header, down = tmp_path / "boxes.csv", "image,xmin,ymin,xmax,ymax\n", "http://127.0.0.1:9/c.jpg"
    csv.write_text(
        header + "".join(f"{url},10,20,60,40\n" for url in (f"{served[1]}/a.jpg", f"{served[1]}/b.jpg", down))
    )
    some, all_ = (data.model_copy(update={"attempts": 1, "max_failed_fraction": share}) for share in (0.3, 1.0))
    with pytest.raises(
        UserError,
        match=rf"{down} cannot be fetched: connection failed: .*; 1 of 3 images failed so, and "
        r"data\.max_failed_fraction=0\.3 allows 0; run again later",
    ):
        obtain(source("table", csv), tmp_path / "out", some)
    found = obtained(source("table", csv), tmp_path / "out", all_)
    assert found.plates["image_width"].tolist() == [200, 300]
    assert found.rejects["line"].tolist() == [4]
    assert f"the image's size is missing, and {down} cannot be fetched: connection" in found.rejects["reason"][0]
    csv.write_text(f"{header}{down},10,20,60,40\n")
    with pytest.raises(UserError, match="1 of 1 images failed so"):
        obtain(source("table", csv), tmp_path / "out", all_)


def test_bad_rows_keep_the_lines_of_the_file(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "image,width,height,xmin,ymin,xmax,ymax,text\n"
        'a.jpg,200,100,10,20,60,40,"AB\n12"\n'
        "\n"
        "b.jpg,200,100,10,20,60,4,5,AB 12\n"
        "c.jpg,200,100,10,20,600,40,AB 12\n"
    )
    found = obtained(source("table", csv), tmp_path / "out", data)
    assert found.plates["text"].tolist() == ["AB12"]
    assert found.rejects["line"].tolist() == [5, 6]
    assert found.rejects["reason"][0] == "9 cells, where the header has 8"


def test_other_things_of_an_image_do_not_make_it_one_without_plates(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text(
        "image,width,height,xmin,ymin,xmax,ymax,label\na.jpg,200,100,1,2,190,90,car\na.jpg,200,100,10,20,60,40,plate\n"
        "b.jpg,200,100,1,2,190,90,car\nb.jpg,200,100,1,2,50,90,bus\nc.jpg,200,100,1,2,190,90,car\n"
        "c.jpg,200,100,10,20,60,400,plate\n"
    )
    found = obtained(source("table", csv), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["a.jpg", "b.jpg"]
    assert found.plates["top_x"].isna().tolist() == [False, True]
    assert found.other_labels == {"car": 3, "bus": 1}
    assert found.rejects["line"].tolist() == [7]


def test_names_with_any_characters_are_those_of_the_files(tmp_path: Path, data: Data) -> None:
    names = [
        "a[1].jpg",
        "a=b.jpg",
        "a#1.jpg",
        "цвет.jpg",
        "a b.jpg",
        "a%20c.jpg",
        "100%.jpg",
        "q?.jpg",
        "e&.jpg",
        "a,b.jpg",
    ]
    images(tmp_path / "images", dict.fromkeys(names, (200, 100)))
    rows = "".join(f'"{name}",200,100,10,20,60,40\n' for name in names)
    (tmp_path / "boxes.csv").write_text(f"image,width,height,xmin,ymin,xmax,ymax\n{rows}", encoding="utf-8")
    mine = source("table", tmp_path / "boxes.csv")
    found = obtained(mine, tmp_path / "sources" / "mine", data)
    assert found.plates["url"].tolist() == names
    tables = tmp_path / "images.csv", tmp_path / "failures.csv"
    mine_alone = data.model_copy(update={"sources": [mine]})
    counts = download(found.plates, mine_alone, tmp_path / "sources", tmp_path / "cache", *tables)
    assert (counts["images"], counts["failed"]) == (10, 0)
