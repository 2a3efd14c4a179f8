"""Dataturks's JSON: from a file or a URL, in any encoding of Unicode."""

from pathlib import Path

import pytest
from annotation_sources import obtained, record, source

from lpr.config import Data
from lpr.data.sources import obtain
from lpr.errors import UserError


def test_the_json_comes_over_http(tmp_path: Path, served: tuple[Path, str], data: Data) -> None:
    folder, url = served
    (folder / "a.json").write_text(record("http://host/one.jpg", (10, 10, 60, 30)))
    assert len(obtained(source("dataturks", f"{url}/a.json"), tmp_path / "out", data).plates) == 1


def test_a_json_that_cannot_be_fetched_is_an_error(tmp_path: Path, served: tuple[Path, str], data: Data) -> None:
    with pytest.raises(UserError, match=r"/a\.json cannot be fetched: HTTP 404"):
        obtain(source("dataturks", f"{served[1]}/a.json"), tmp_path / "out", data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_of_unicode_are_read(tmp_path: Path, data: Data, encoding: str) -> None:
    text = record("http://host/car.jpg", (10, 10, 60, 30), notes="KA05") + record("http://host/Füß.jpg", (0, 0, 9, 9))
    (tmp_path / "a.json").write_bytes(text.encode(encoding))
    found = obtained(source("auto", tmp_path / "a.json"), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["http://host/car.jpg", "http://host/Füß.jpg"]
    assert found.plates["text"].tolist() == ["KA05", ""]


def test_what_is_no_unicode_is_refused_by_the_name_that_the_user_knows(tmp_path: Path, data: Data) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(record("http://host/car.jpg", (10, 10, 60, 30)).encode() + b"\xff")
    with pytest.raises(UserError, match=rf"^{path}: not text in UTF-8, UTF-16 or UTF-32 \(invalid start byte at byte"):
        obtain(source("dataturks", path), tmp_path / "out", data)
