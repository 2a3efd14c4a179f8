"""Sources: errors name the key that sets what is wrong."""

from pathlib import Path

import pytest
from annotation_sources import source

from lpr.config import AnySource, Data
from lpr.data.sources import obtain
from lpr.errors import UserError


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path, data: Data) -> None:
    message = rf"source mine: there is no file .*nowhere\.json \(from {Path.cwd()}\); set data\.annotations, or"
    with pytest.raises(UserError, match=message):
        obtain(source("dataturks", tmp_path / "nowhere.json"), tmp_path / "out", data)


def test_a_format_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path, data: Data) -> None:
    with pytest.raises(UserError, match=r"format=tabel: there is no module .*did you mean 'table'"):
        obtain(source("tabel", "boxes.csv"), tmp_path / "out", data)


def test_a_key_that_the_format_lacks_is_refused(tmp_path: Path, data: Data) -> None:
    mine = AnySource.model_validate({"name": "mine", "format": "synthetic", "scenes": 1, "seed": 0, "sene": 2})
    with pytest.raises(UserError, match=r"source mine:\n  data\.sources\.sene: there is no such key.*'scenes'"):
        obtain(mine, tmp_path / "out", data)
