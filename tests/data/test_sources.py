"""Sources: every kind becomes the same JSON, line for line, with texts and boxes joined from CSVs."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, iou
from lpr.composition.compose import compose
from lpr.config import Data, Source
from lpr.data.annotations import Annotations, read_annotations
from lpr.data.sources import obtain
from lpr.errors import UserError


@pytest.fixture
def data(in_root: Path) -> Data:
    return compose([]).data


def source(kind: str, where: Path | str, **joined: Any) -> Source:
    joined = {key: str(value) for key, value in joined.items()}
    return Source.model_validate({"name": "mine", "kind": kind, "where": str(where), **joined})


def record(url: str, *boxes: tuple[float, float, float, float], notes: str = "") -> str:
    """A line with boxes in pixels of a 200 × 100 image."""
    plates = [
        {
            "notes": notes,
            "points": [{"x": x0 / 200, "y": y0 / 100}, {"x": x1 / 200, "y": y1 / 100}],
            "imageWidth": 200,
            "imageHeight": 100,
        }
        for x0, y0, x1, y1 in boxes
    ]
    return json.dumps({"content": url, "annotation": plates}) + "\n"


def obtained(source: Source, folder: Path, data: Data) -> Annotations:
    obtain(source, folder, data)
    return read_annotations(folder / "annotations.json", source.name)


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


def test_bad_rows_of_a_table_are_rejected_with_the_tables_own_lines(tmp_path: Path, data: Data) -> None:
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


def test_a_row_with_neither_box_nor_text_is_a_image_without_plates(tmp_path: Path, data: Data) -> None:
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


def test_a_table_without_its_columns_says_which(tmp_path: Path, data: Data) -> None:
    csv = tmp_path / "boxes.csv"
    csv.write_text("image,xmin\na.jpg,3\n")
    with pytest.raises(UserError, match=r"no column 'width', 'height', 'ymin'.*it has image, xmin"):
        obtain(source("table", csv), tmp_path / "out", data)


def test_texts_and_boxes_are_joined_by_image_and_place(tmp_path: Path, data: Data) -> None:
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
    assert plates["own_top_x"].isna().tolist() == [True, False, True]
    assert plates.loc[1, BOX_COLUMNS].tolist() == [112, 12, 150, 28]
    assert plates.loc[1, ORIGINAL_BOX_COLUMNS].tolist() == [110, 10, 160, 30]


def test_an_own_box_is_kept_within_the_image_where_a_good_one_replaces_it(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    annotations.write_text(record("http://host/one.jpg", (-20, 60, 60, 130)))
    boxes.write_text("image,xmin,ymin,xmax,ymax\none.jpg,2,70,50,98\n")
    plates = obtained(source("dataturks", annotations, boxes=boxes), tmp_path / "out", data).plates
    assert plates.loc[0, [*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS]].tolist() == [2, 70, 50, 98, 0, 60, 60, 100]


def test_what_was_joined_can_be_joined_again(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    annotations.write_text(record("http://host/one.jpg", (10, 10, 60, 30)))
    boxes.write_text("image,xmin,ymin,xmax,ymax\none.jpg,12,12,50,28\n")
    once = source("dataturks", annotations, boxes=boxes)
    obtain(once, tmp_path / "once", data)
    twice = source("dataturks", tmp_path / "once" / "annotations.json", boxes=boxes)
    plates = obtained(twice, tmp_path / "twice", data).plates
    assert plates.equals(obtained(once, tmp_path / "once", data).plates)
    assert plates.loc[0, ORIGINAL_BOX_COLUMNS].tolist() == [10, 10, 60, 30]


def test_a_corner_that_is_no_number_costs_its_plate_alone(tmp_path: Path, data: Data) -> None:
    annotations, boxes = tmp_path / "a.json", tmp_path / "boxes.csv"
    bad = record("http://host/bad.jpg", (10, 10, 60, 30)).replace('"x": 0.05', '"x": "0.05"')
    annotations.write_text(bad + record("http://host/one.jpg", (10, 10, 60, 30)))
    boxes.write_text("image,xmin,ymin,xmax,ymax\nbad.jpg,12,12,50,28\none.jpg,12,12,50,28\n")
    found = obtained(source("dataturks", annotations, boxes=boxes), tmp_path / "out", data)
    assert list(found.plates["top_x"]) == [12]
    assert "x is '0.05', not a number" in found.rejects["reason"][0]


def test_texts_the_set_has_are_kept(tmp_path: Path, data: Data) -> None:
    annotations, texts = tmp_path / "a.json", tmp_path / "texts.csv"
    annotations.write_text(record("http://host/one.jpg", (10, 10, 60, 30), notes="OWN"))
    texts.write_text("image,text\none.jpg,OTHER\n")
    plates = obtained(source("dataturks", annotations, texts=texts), tmp_path / "out", data).plates
    assert list(plates["text"]) == ["OWN"]


def test_joining_keeps_bad_lines_and_their_numbers(tmp_path: Path, data: Data) -> None:
    annotations, texts = tmp_path / "a.json", tmp_path / "texts.csv"
    annotations.write_text("\n{broken\n" + record("http://host/one.jpg", (10, 10, 60, 30)))
    texts.write_text("image,text\none.jpg,KA01\n")
    found = obtained(source("dataturks", annotations, texts=texts), tmp_path / "out", data)
    assert list(found.rejects["line"]) == [2]
    assert list(found.plates["text"]) == ["KA01"]


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path, data: Data) -> None:
    with pytest.raises(UserError, match=r"there is no file .*nowhere\.json"):
        obtain(source("dataturks", tmp_path / "nowhere.json"), tmp_path / "out", data)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_json_comes_over_http(tmp_path: Path, served: tuple[Path, str], data: Data) -> None:
    folder, url = served
    (folder / "a.json").write_text(record("http://host/one.jpg", (10, 10, 60, 30)))
    assert len(obtained(source("dataturks", f"{url}/a.json"), tmp_path / "out", data).plates) == 1


def test_a_json_that_cannot_be_had_says_so(tmp_path: Path, served: tuple[Path, str], data: Data) -> None:
    with pytest.raises(UserError, match=r"/a\.json cannot be had: HTTP 404"):
        obtain(source("dataturks", f"{served[1]}/a.json"), tmp_path / "out", data)


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
    own = obtained(source("dataturks", folder / "Indian_Number_plates.json"), tmp_path / "own", data).plates
    joined = found.plates["own_top_x"].notna()
    assert joined.sum() == 178
    # Own boxes are the JSON's, and looser, as the README of the images says.
    kept = found.plates[ORIGINAL_BOX_COLUMNS].where(joined, found.plates[BOX_COLUMNS].to_numpy())
    assert (kept.to_numpy() == own[BOX_COLUMNS].to_numpy()).all()
    overlap = iou(
        *(found.plates.loc[joined, columns].to_numpy(float) for columns in (BOX_COLUMNS, ORIGINAL_BOX_COLUMNS))
    )
    assert overlap.mean() == pytest.approx(0.584, abs=0.001)
