"""Dataturks's JSON: from a file or a URL, byte for byte."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotation_sources import obtained, record, source

from lpr.config import Data
from lpr.data.sources import obtain
from lpr.errors import UserError


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


def test_a_json_that_cannot_be_fetched_is_an_error(tmp_path: Path, served: tuple[Path, str], data: Data) -> None:
    with pytest.raises(UserError, match=r"/a\.json cannot be fetched: HTTP 404"):
        obtain(source("dataturks", f"{served[1]}/a.json"), tmp_path / "out", data)
