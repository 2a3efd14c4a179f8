"""CSV files as spreadsheets and people write them."""

from pathlib import Path

import pytest

from lpr.data.csv_files import read_csv, read_csv_file
from lpr.errors import UserError

TEXT = "image;text;x\nä.jpg;Ü 1;1,5\nb.jpg;M;2\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
def test_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    file = read_csv_file(tmp_path / "a.csv")
    assert file.columns == ["image", "text", "x"]
    assert file.rows[0].cells == {"image": "ä.jpg", "text": "Ü 1", "x": "1.5"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, end: str) -> None:
    text = end.join(delimiter.join(row) for row in (["image", "a|b;c"], ["a.jpg", '"1"'], [], ["b.jpg", "2"])) + end
    (tmp_path / "a.csv").write_text(text if delimiter not in "|;" else text.replace("a|b;c", "c"), newline="")
    file = read_csv_file(tmp_path / "a.csv", ["image"])
    assert [(row.line, list(row.cells.values())) for row in file.rows] == [(2, ["a.jpg", "1"]), (4, ["b.jpg", "2"])]


def test_the_delimiter_is_the_one_that_finds_the_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image;note, or remark, or both\na.jpg;x\n")
    assert read_csv_file(tmp_path / "a.csv", ["image"]).columns == ["image", "note, or remark, or both"]


def test_decimal_commas_are_points_where_a_comma_is_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image;x;y\na,b.jpg;12,5;-0,25\n")
    assert read_csv_file(tmp_path / "a.csv").rows[0].cells == {"image": "a,b.jpg", "x": "12.5", "y": "-0.25"}
    (tmp_path / "a.csv").write_text('image,x\na.jpg,"1,234"\n')
    assert read_csv_file(tmp_path / "a.csv").rows[0].cells["x"] == "1,234"


def test_rows_are_known_by_the_line_that_they_begin_in(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'image,text\na.jpg,"two\nlines\n"\n\n"b.jpg",one\nc.jpg,1,2,,\nd.jpg,1,\n"e" f,1\ng.jpg\n'
    )
    rows = read_csv_file(tmp_path / "a.csv").rows
    assert [row.line for row in rows] == [2, 6, 7, 8, 9, 10]
    assert [row.unusable for row in rows] == [
        *["", "", "5 cells, where the header has 2", ""],
        "no row of a CSV file: ',' expected after '\"'",
        "",
    ]
    assert rows[0].cells["text"] == "two\nlines\n"
    assert rows[-1].cells == {"image": "g.jpg", "text": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.csv: not a CSV table: it is empty"),
        (b"\n \n", r"a\.csv: not a CSV table: it is empty"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", r"a\.csv: not a CSV table: it is no text"),
        (b'image,text\na.jpg,1\nb.jpg,"2\nc.jpg,3\n', r"a\.csv:3: a quoted cell begins here and never ends"),
        (b"image,text\na.jpg,1,2\n", r"a\.csv:2: 3 cells, where the header has 2"),
        (b"image,note\na.jpg,1\n", r"a\.csv: no column 'text'; it has image, note, and needs image, text"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_csv(tmp_path / "a.csv", ["image", "text"])


def test_a_table_has_its_lines_as_index(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,text\na.jpg,NA\n\nb.jpg,\n")
    table = read_csv(tmp_path / "a.csv", ["image"])
    assert table.index.tolist() == [2, 4]
    assert table["text"].tolist() == ["NA", ""]
