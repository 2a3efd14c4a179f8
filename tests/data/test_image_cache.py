"""The download stage against a real HTTP server on loopback that misbehaves in many ways."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from plate_tables import HEIGHT, PLATE, WIDTH, table_of

from lpr.config import Data
from lpr.data.annotations import read_annotations
from lpr.data.image_cache import download
from lpr.data.labelled_images import ImageFiles, write_image_root
from lpr.data.originals import FAILURE_COLUMNS, IMAGE_COLUMNS
from lpr.data.placement import place_boxes
from lpr.data.sources import obtain
from lpr.data.tables import read_table
from lpr.errors import UserError

RED, BLUE = (220, 20, 30), (20, 40, 200)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ImageServer

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests[self.path] += 1
        route = self.server.routes.get(unquote(self.path.partition("?")[0]))
        if callable(route):
            route(self)
        elif route is None:
            self.answer(b"<html>not here</html>", 404)
        else:
            self.answer(route)

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def answer(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


class ImageServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes: dict[str, bytes | Callable[[Handler], None]] = {}
        self.requests: Counter[str] = Counter()
        self.connections = 0
        self.lock = threading.Lock()

    def handle_error(self, *args: Any) -> None:
        """Clients that close their connection are expected."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with ImageServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@dataclass
class Stage:
    """The download stage in a folder of its own."""

    root: Path
    counts: dict[str, int] = field(default_factory=dict)

    def run(self, urls: dict[str, str], plates: pd.DataFrame | None = None, **data: Any) -> dict[str, int]:
        table = table_of(urls) if plates is None else plates
        places = (self.root / name for name in ("sources", "images", "images.csv", "failures.csv", "unlisted"))
        self.counts = download(table, data_of(**data), *places)
        return self.counts

    @property
    def cache(self) -> Path:
        return self.root / "images"

    @property
    def images_table(self) -> Any:
        return read_table(self.root / "images.csv").set_index("image", drop=False)

    @property
    def failures(self) -> Any:
        return read_table(self.root / "failures.csv").set_index("image", drop=False)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.cache.iterdir())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def data_of(**values: Any) -> Data:
    source = {
        "name": "cars",
        "format": "dataturks",
        "annotations": "cars.json",
        "image_root": values.pop("image_root", None),
    }
    return Data.model_validate(
        {
            "name": "cars",
            "annotations": None,
            "image_root": None,
            "format": "auto",
            "columns": None,
            "plate_labels": None,
            "texts": None,
            "boxes": None,
            "root": None,
            "workers": 8,
            "timeout_s": 0.5,
            "attempts": 3,
            "max_bytes": 200_000,
            "max_pixels": 1_000_000,
            "jpeg_quality": 95,
            "max_failed_fraction": 1.0,
            "sources": [{**source, **values.pop("source", {})}],
            **values,
        }
    )


def painted(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), BLUE)
    image.paste(RED, PLATE)
    return image.convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_orientation(orientation: int, image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, exif=exif, quality=95)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def assert_plate_is_red(stage: Stage, plates: pd.DataFrame) -> None:
    boxes: Any = place_boxes(plates, stage.images_table.reset_index(drop=True))
    for box in boxes.itertuples():
        image = pixels(stage.cache / box.image).astype(int)
        assert image.shape == (box.height, box.width, 3)
        red = np.zeros(image.shape[:2], bool)
        red[round(box.top_y) : round(box.bottom_y), round(box.top_x) : round(box.bottom_x)] = 1
        is_red = image[..., 0] - image[..., 2] > 0
        assert (is_red == red).mean() > 0.97, box
        assert red.any()


# Servers.


def test_refusals_and_repairs(server: ImageServer, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    good = encoded(painted())

    def in_turn(*steps: Callable[[Handler], None]) -> Callable[[Handler], None]:
        left = iter(steps)
        return lambda handler: next(left)(handler)

    def status(code: int, **headers: str) -> Callable[[Handler], None]:
        return lambda handler: handler.answer(b"wait", code, **headers)

    def ok(handler: Handler) -> None:
        handler.answer(good)

    def cut(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(good)))
        handler.end_headers()
        handler.wfile.write(good[: len(good) // 2])

    def silent(handler: Handler) -> None:
        time.sleep(1.2)

    def endless(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"x" * 10_000)

    def moved(to: str) -> Callable[[Handler], None]:
        return lambda handler: handler.answer(b"", 302, Location=to)

    server.routes = {
        "/good": ok,
        "/busy": in_turn(status(429, Retry_After="1"), ok),
        "/very-busy": status(429, Retry_After="86400"),
        "/vague": in_turn(status(503, Retry_After="soon"), ok),
        "/twice-500": in_turn(status(500), status(500), ok),
        "/always-500": status(500),
        "/cut-once": in_turn(cut, ok),
        "/always-cut": cut,
        "/silent": silent,
        "/endless": endless,
        "/huge": lambda handler: handler.answer(b"x" * 200_001),
        "/html": b"<!DOCTYPE html><html><body>Sign in</body></html>",
        "/text": b"nothing here",
        "/empty": b"",
        "/truncated": good[: len(good) * 2 // 3],
        "/moved": moved("/good"),
        "/moved-to-file": moved("file:///etc/hostname"),
        "/circle": moved("/circle"),
    }
    urls = {f"{path[1:]}.jpg": server.url(path) for path in server.routes} | {"missing.jpg": server.url("/missing")}
    urls["nobody.jpg"] = "http://127.0.0.1:9/image.jpg"
    started = time.monotonic()
    counts = stage.run(urls)
    assert time.monotonic() - started < 15

    fetched = ["busy.jpg", "cut-once.jpg", "good.jpg", "moved.jpg", "twice-500.jpg", "vague.jpg"]
    assert stage.names() == list(stage.images_table["image"]) == fetched
    assert counts == {"images": 6, "failed": 14, "resized": 0, "turned": 0, "format_jpeg": 6}
    assert {name: (row["reason"], row["attempts"]) for name, row in stage.failures.iterrows()} == {
        "always-500.jpg": ("HTTP 500 Internal Server Error", 3),
        "always-cut.jpg": (f"connection failed: {_short(good)}", 3),
        "circle.jpg": ("redirected too often", 1),
        "empty.jpg": ("an empty answer", 1),
        "endless.jpg": ("larger than data.max_bytes=200000", 1),
        "html.jpg": ("not an image but a web page", 1),
        "huge.jpg": ("larger than data.max_bytes=200000", 1),
        "missing.jpg": ("HTTP 404 Not Found", 1),
        "moved-to-file.jpg": ("redirected to what is not http(s)", 1),
        "nobody.jpg": ("connection failed: Connection refused", 3),
        "silent.jpg": ("no answer within 0.5 s", 3),
        "text.jpg": ("not an image but something else", 1),
        "truncated.jpg": (stage.failures.loc["truncated.jpg", "reason"], 1),
        "very-busy.jpg": ("HTTP 429 Too Many Requests, and asks to wait longer than 120 s", 1),
    }
    assert "truncated" in stage.failures.loc["truncated.jpg", "reason"].lower()
    assert server.requests["/busy"] == 2
    assert server.requests["/twice-500"] == server.requests["/always-500"] == 3
    assert list(stage.failures.columns) == FAILURE_COLUMNS
    assert list(stage.images_table.columns) == IMAGE_COLUMNS
    assert f"{stage.cache}: 6 images (6 fetched, 0 kept), 14 failed" in capsys.readouterr().out


def _short(content: bytes) -> str:
    half = len(content) // 2
    return f"IncompleteRead({half} bytes read, {len(content) - half} more expected)"


def test_retry_after_is_waited_for(server: ImageServer, stage: Stage) -> None:
    times: list[float] = []

    def busy(handler: Handler) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            handler.answer(b"", 429, Retry_After="1")
        else:
            handler.answer(encoded(painted()))

    server.routes["/busy.jpg"] = busy
    stage.run({"busy.jpg": server.url("/busy.jpg")})
    assert 0.95 < times[1] - times[0] < 3


def test_trickle_ends(server: ImageServer, stage: Stage) -> None:
    def trickle(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        for _ in range(500):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.routes["/slow.jpg"] = trickle
    stage.run({"slow.jpg": server.url("/slow.jpg"), **good_ones(server, 1)}, timeout_s=0.05)
    assert stage.failures.loc["slow.jpg", "reason"] == "not whole after 1.5 s"


@pytest.mark.parametrize("status", [b"HTTP/1.1 200 OK\r\n", b""], ids=["headers", "status line"])
def test_a_head_that_trickles_ends(server: ImageServer, stage: Stage, status: bytes) -> None:
    """Each part of it comes in time, and the whole would take 10 s."""

    def trickle(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(status)
        for number in range(500):
            handler.wfile.write(f"X-{number}: 1\r\n".encode() if status else b"H")
            time.sleep(0.02)

    server.routes["/slow.jpg"] = trickle
    started = time.monotonic()
    stage.run({"slow.jpg": server.url("/slow.jpg"), **good_ones(server, 1)}, timeout_s=0.1, attempts=2)
    assert time.monotonic() - started < 3
    assert stage.failures.loc["slow.jpg", ["reason", "attempts"]].tolist() == ["no answer within 0.1 s", 2]
    assert stage.names() == ["0.jpg"]


def test_a_slow_body_after_a_quick_head_is_no_trickling_head(server: ImageServer, stage: Stage) -> None:
    content = encoded(painted())

    def slow(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        for start in range(0, len(content), len(content) // 6):
            handler.wfile.write(content[start : start + len(content) // 6])
            time.sleep(0.15)

    server.routes["/slow.jpg"] = slow
    stage.run({"slow.jpg": server.url("/slow.jpg")}, timeout_s=0.4)
    assert stage.names() == ["slow.jpg"]


def test_what_a_server_says_is_fit_for_a_table(server: ImageServer, stage: Stage) -> None:
    def refuse(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 404 No\0t \x1b[31mhere, \x85" + b"or" * 500 + b"\r\nContent-Length: 0\r\n\r\n")

    def babble(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"\0\x07babble\r\n\r\n")

    server.routes |= {"/refused.jpg": refuse, "/babble.jpg": babble}
    urls = {name: server.url(f"/{name}") for name in ("refused.jpg", "babble.jpg")}
    stage.run(urls | good_ones(server, 9), max_failed_fraction=0.5)
    table = (stage.root / "failures.csv").read_bytes()
    assert not {0, 7, 27} & {*table}
    assert stage.failures.loc["refused.jpg", "reason"].startswith("HTTP 404 No�t ")
    assert len(stage.failures.loc["refused.jpg", "reason"]) < 250
    assert "babble" in stage.failures.loc["babble.jpg", "reason"]


def good_ones(server: ImageServer, count: int) -> dict[str, str]:
    for i in range(count):
        server.routes[f"/{i}.jpg"] = encoded(Image.new("RGB", (WIDTH, HEIGHT), (i * 5 % 256, 90, 200)))
    return {f"{i}.jpg": server.url(f"/{i}.jpg") for i in range(count)}


def test_connections_are_kept(server: ImageServer, stage: Stage) -> None:
    stage.run(good_ones(server, 60), workers=3)
    assert len(stage.names()) == 60
    assert server.connections <= 3


# URLs and folders.


def test_urls_of_every_kind(server: ImageServer, stage: Stage) -> None:
    a, b = (encoded(Image.new("RGB", (WIDTH, HEIGHT), colour)) for colour in ("red", "green"))
    server.routes = {"/one/same.jpg": a, "/two/same.jpg": b, "/größe – 1.jpg": a, "/100% + 2.jpg": b, "/q.jpg": a}
    stage.run(
        {
            "a.jpg": server.url("/one/same.jpg"),
            "b.jpg": server.url("/two/same.jpg"),
            "unicode.jpg": server.url("/größe – 1.jpg"),
            "percent.jpg": server.url("/100%25%20+%202.jpg"),
            "query.jpg": server.url("/q.jpg?size=large&name=../../etc#top"),
        }
    )
    assert stage.counts["images"] == 5
    assert server.requests["/q.jpg?size=large&name=../../etc"] == 1
    assert pixels(stage.cache / "a.jpg")[5, 5, 0] > 200
    assert pixels(stage.cache / "b.jpg")[5, 5, 1] > 100


def test_a_base_url_replaces_all_but_the_last_part(server: ImageServer, stage: Stage) -> None:
    server.routes = {"/base/größe 1.jpg": encoded(painted()), "/base/x.jpg": encoded(painted())}
    urls = {
        "a.jpg": "https://gone.example/deep/gr%C3%B6%C3%9Fe%201.jpg?token=1",
        "b.jpg": "file:///home/someone/x.jpg",
        "c.jpg": "https://gone.example/",
        "d.jpg": "https://gone.example/%2E%2E",
    }
    stage.run(urls, image_root=server.url("/base/"))
    assert stage.names() == ["a.jpg", "b.jpg"]
    assert stage.images_table.loc["a.jpg", "fetched"] == server.url("/base/gr%C3%B6%C3%9Fe%201.jpg")
    assert set(stage.failures["reason"]) == {"not the name of a file in its folder"}


def test_a_folder_is_not_left(stage: Stage) -> None:
    mirror = stage.root / "mirror"
    mirror.mkdir()
    (mirror / "größe 1.jpg").write_bytes(encoded(painted()))
    (mirror / "big.jpg").write_bytes(b"x" * 200_001)
    (stage.root / "secret.jpg").write_bytes(encoded(painted()))
    (mirror / "link.jpg").symlink_to(stage.root / "secret.jpg")
    urls = {
        "ok.jpg": "https://gone.example/deep/gr%C3%B6%C3%9Fe%201.jpg",
        "big.jpg": "https://gone.example/big.jpg",
        "up.jpg": "https://gone.example/a/..",
        "nul.jpg": "https://gone.example/a%00b.jpg",
        "link.jpg": "https://gone.example/link.jpg",
        "none.jpg": "https://gone.example/none.jpg",
    }
    stage.run(urls, image_root=str(mirror))
    assert stage.names() == ["ok.jpg"]
    assert stage.images_table.loc["ok.jpg", "fetched"] == "größe 1.jpg"
    assert dict(stage.failures["reason"]) == {
        "big.jpg": "larger than data.max_bytes=200000",
        "up.jpg": "not the name of a file in its folder",
        "nul.jpg": "not the name of a file in its folder",
        "link.jpg": "a link that leads out of its folder",
        "none.jpg": "no such file",
    }


def test_images_of_one_name_in_two_folders_are_two(stage: Stage, server: ImageServer) -> None:
    mirror = stage.root / "mirror"
    for place, colour in (("camA", RED), ("camB", BLUE)):
        (mirror / place).mkdir(parents=True)
        (mirror / place / "1.jpg").write_bytes(encoded(Image.new("RGB", (WIDTH, HEIGHT), colour)))
        server.routes[f"/base/{place}/1.jpg"] = (mirror / place / "1.jpg").read_bytes()
    urls = {"a.jpg": "http://gone.example/x/camA/1.jpg", "b.jpg": "http://gone.example/x/camB/1.jpg"}
    for root, place in ((str(mirror), ""), (server.url("/base"), server.url("/base/"))):
        for _ in range(2):  # the second time from the cache
            stage.run(urls, image_root=root)
            assert stage.counts["images"] == 2
            assert pixels(stage.cache / "a.jpg")[5, 5, 0] > 200 > 100 > pixels(stage.cache / "b.jpg")[5, 5, 0]
            assert stage.images_table["fetched"].tolist() == [f"{place}camA/1.jpg", f"{place}camB/1.jpg"]


def test_a_file_that_may_be_one_of_several_images_is_none(stage: Stage, server: ImageServer) -> None:
    mirror = stage.root / "mirror"
    (mirror / "camC").mkdir(parents=True)
    for name in ("1.jpg", "2.jpg", "camC/3.jpg"):
        (mirror / name).write_bytes(encoded(painted()))
        server.routes[f"/base/{name}"] = encoded(painted())
    urls = {
        "a.jpg": "http://gone.example/camA/1.jpg",
        "b.jpg": "http://gone.example/camB/1.jpg",
        "two.jpg": "http://gone.example/camA/2.jpg",
        "three.jpg": "http://gone.example/camC/3.jpg",
        "other.jpg": "http://gone.example/camD/3.jpg",
    }
    stage.run(urls, image_root=str(mirror))
    assert stage.names() == ["three.jpg", "two.jpg"]
    reasons = stage.failures["reason"]
    assert reasons["a.jpg"] == reasons["b.jpg"]
    assert reasons["a.jpg"].startswith("several images' URLs end with 1.jpg, so that it is unknown which of them it is")
    assert reasons["other.jpg"] == "no such file"

    stage.run(urls, image_root=server.url("/base"))
    assert stage.names() == ["three.jpg", "two.jpg"]
    assert stage.failures["reason"].str.startswith("HTTP 404").all()


def test_one_image_by_two_addresses_is_no_question(stage: Stage) -> None:
    mirror = stage.root / "mirror"
    mirror.mkdir()
    (mirror / "1.jpg").write_bytes(encoded(painted()))
    stage.run({"a.jpg": "http://host/x/1.jpg", "b.jpg": "https://host/x/1.jpg"}, image_root=str(mirror))
    assert stage.names() == ["a.jpg", "b.jpg"]
    # The path of the first is the file's; the second has a folder that is not there.
    stage.run({"a.jpg": "http://host/1.jpg", "b.jpg": "http://host/x/1.jpg"}, image_root=str(mirror))
    assert stage.names() == ["a.jpg"]


def test_table_reads_beside_its_csv_and_no_further(stage: Stage) -> None:
    folder = stage.root / "set" / "images"
    folder.mkdir(parents=True)
    (folder / "100% #1?.jpg").write_bytes(encoded(painted()))
    (stage.root / "set" / "outside.jpg").write_bytes(encoded(painted()))
    source = {"format": "table", "annotations": str(stage.root / "set" / "annotations.csv")}
    (stage.root / "sources" / "cars").mkdir(parents=True)
    write_image_root(ImageFiles(folder), stage.root / "sources" / "cars")
    absolute = str(stage.root / "set" / "outside.jpg")
    stage.run({"a.jpg": "100% #1?.jpg", "up.jpg": "../outside.jpg", "root.jpg": absolute}, source=source)
    assert stage.names() == ["a.jpg"]
    assert dict(stage.failures["reason"]) == {
        "up.jpg": f"it would lie outside of {folder}",
        "root.jpg": f"it lies outside of {folder}: data.image_root={folder.parent} lets it be read",
    }


def test_names_of_predictions_are_read_below_the_image_root(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lpr predict` writes the images as they were named: absolute, or from the current folder."""
    for name in ("project/in.jpg", "street/car.jpg", "street/link.jpg", "secret.jpg"):
        (stage.root / name).parent.mkdir(exist_ok=True)
        (stage.root / name).write_bytes(encoded(painted()))
    (stage.root / "street" / "link.jpg").unlink()
    (stage.root / "street" / "link.jpg").symlink_to(stage.root / "secret.jpg")
    monkeypatch.chdir(stage.root / "project")
    source = {"format": "table", "annotations": "predictions/predictions.csv"}
    urls = {
        "in.jpg": str(stage.root / "project" / "in.jpg"),
        "absolute.jpg": str(stage.root / "street" / "car.jpg"),
        "up.jpg": "../street/car.jpg",
        "link.jpg": "../street/link.jpg",
        "secret.jpg": "../secret.jpg",
        "none.jpg": "../street/none.jpg",
    }
    stage.run(urls, source=source, image_root=".")
    assert stage.names() == ["in.jpg"]
    assert stage.failures.loc["up.jpg", "reason"] == "it lies outside of .: data.image_root=../street lets it be read"
    stage.run(urls, source=source, image_root="../street")
    assert stage.names() == ["absolute.jpg", "up.jpg"]
    assert dict(stage.failures["reason"]) == {
        "in.jpg": f"it lies outside of ../street: data.image_root={stage.root / 'project'} lets it be read",
        "link.jpg": "a link that leads out of its folder",
        "secret.jpg": "it lies outside of ../street: data.image_root=.. lets it be read",
        "none.jpg": "no such file",
    }
    stage.run(urls, source=source, image_root=str(stage.root))
    assert stage.names() == ["absolute.jpg", "in.jpg", "link.jpg", "secret.jpg", "up.jpg"]


def test_table_with_a_base_url(server: ImageServer, stage: Stage) -> None:
    server.routes["/set/100% #1?.jpg"] = encoded(painted())
    source = {"format": "table", "annotations": "annotations.csv"}
    stage.run({"a.jpg": "100% #1?.jpg"}, source=source, image_root=server.url("/set"))
    assert stage.names() == ["a.jpg"]


def test_files_only_where_the_config_names_a_folder(stage: Stage, server: ImageServer) -> None:
    secret = stage.root / "secret.jpg"
    secret.write_bytes(encoded(painted()))
    urls = {"a.jpg": secret.as_uri(), "b.jpg": str(secret), "c.jpg": "ftp://host/x.jpg", "d.jpg": "http://[x/y.jpg"}
    stage.run({**urls, **good_ones(server, 1)})
    assert stage.names() == ["0.jpg"]
    assert stage.failures["reason"].str.startswith("not a").all()
    assert set(stage.failures["attempts"]) == {0}


def test_nothing_is_written_outside_the_cache(stage: Stage, server: ImageServer) -> None:
    url = good_ones(server, 1)["0.jpg"]
    names = ["../up.jpg", "a/b.jpg", str(stage.root / "absolute.jpg"), "..", ".hidden.jpg", "..\\up.jpg", ""]
    stage.run({**dict.fromkeys(names, url), "good.jpg": url})
    assert stage.names() == ["good.jpg"]
    assert sorted(path.name for path in stage.root.iterdir()) == ["failures.csv", "images", "images.csv"]
    assert set(stage.failures["reason"]) == {"`image` is not a plain file name"}


def test_passwords_are_not_in_messages_or_files(
    stage: Stage, server: ImageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    good = good_ones(server, 1)["0.jpg"].replace("//", "//me:hunter2@")
    urls = {"good.jpg": good, "gone.jpg": good + "x", "nobody.jpg": "http://me:hunter2@127.0.0.1:9/x.jpg"}
    with pytest.raises(UserError) as error:
        stage.run(urls, max_failed_fraction=0.1)
    written = "".join(path.read_text("latin-1") for path in stage.root.rglob("*") if path.is_file())
    assert "hunter2" not in written + str(error.value) + "".join(capsys.readouterr())
    assert stage.images_table.loc["good.jpg", "fetched"].startswith("http://***@127.0.0.1")


# Kinds of images.


def grey16() -> Image.Image:
    ramp = np.linspace(0, 65535, WIDTH).round().astype(np.uint16)
    return Image.fromarray(np.tile(ramp, (HEIGHT, 1)))


def transparent(mode: str) -> Image.Image:
    image = painted("RGBA")
    image.paste((0, 0, 0, 0), (60, 30, 96, 64))
    return image.convert(mode)


def test_every_kind_of_image_becomes_rgb_jpeg(stage: Stage, server: ImageServer) -> None:
    frames = [painted("P"), Image.new("P", (WIDTH, HEIGHT))]
    kinds = {
        "gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "palette": encoded(painted("P"), "PNG"),
        "rgba": encoded(transparent("RGBA"), "PNG"),
        "la": encoded(transparent("LA"), "PNG"),
        "transparent-palette": encoded(transparent("RGBA").quantize(), "PNG"),
        "cmyk": encoded(painted("CMYK"), "JPEG", quality=95),
        "grey": encoded(painted("L"), "JPEG"),
        "grey16": encoded(grey16(), "PNG"),
        "grey16-tiff": encoded(grey16(), "TIFF"),
        "bilevel": encoded(painted("1"), "PNG"),
        "webp": encoded(painted(), "WEBP", quality=95),
        "bmp": encoded(painted(), "BMP"),
        "jpeg": encoded(painted(), "JPEG", quality=95, comment="secret", exif=b"Exif\0\0secret", dpi=(72, 72)),
    }
    server.routes = {f"/{name}.jpg": content for name, content in kinds.items()}
    urls = {f"{name}.jpg": server.url(f"/{name}.jpg") for name in kinds}
    stage.run(urls)
    assert stage.counts["failed"] == 0, stage.failures
    for name in stage.names():
        with Image.open(stage.cache / name) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (WIDTH, HEIGHT))
            assert not image.getexif()
            assert "secret" not in (stage.cache / name).read_text("latin-1")
    coloured = ["gif", "palette", "rgba", "transparent-palette", "cmyk", "webp", "bmp", "jpeg"]
    assert_plate_is_red(
        stage, table_of({f"{name}.jpg": "" for name in coloured if "rgba" not in name and "transparent" not in name})
    )
    for name in ("rgba", "la", "transparent-palette"):
        seen = pixels(stage.cache / f"{name}.jpg")
        assert seen[40:60, 70:90].min() > 245, f"{name}: what is transparent becomes white"
        assert seen[10:20, 20:40].mean() < 200
    for name in ("grey16", "grey16-tiff"):
        ramp = pixels(stage.cache / f"{name}.jpg")[32, :, 0].astype(int)
        assert np.abs(ramp - np.linspace(0, 255, WIDTH)).max() < 4
    formats = {name.removesuffix(".jpg"): kind for name, kind in stage.images_table["format"].items()}
    assert formats["gif"] == "GIF"
    assert formats["rgba"] == formats["grey16"] == "PNG"
    assert stage.counts["format_jpeg"] == 3


def test_a_jpeg_keeps_its_pixels(stage: Stage, server: ImageServer) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    originals = {
        "/baseline.jpg": encoded(noise, quality=40),
        "/progressive.jpg": encoded(noise, quality=70, progressive=True, icc_profile=b"profile" * 20_000),
        "/rgb-coded.jpg": encoded(noise, quality=70, keep_rgb=True),
        "/trailed.jpg": encoded(noise, quality=70) + b"\0" * 100,
    }
    server.routes.update(originals)
    stage.run({path[1:]: server.url(path) for path in originals})
    for path, content in originals.items():
        with Image.open(stage.cache / path[1:]) as cached, Image.open(io.BytesIO(content)) as original:
            assert cached.tobytes() == original.tobytes(), path


def test_the_same_bytes_wherever_they_are_made(tmp_path: Path, server: ImageServer) -> None:
    urls = good_ones(server, 10)
    server.routes["/g.jpg"] = encoded(painted("P"), "GIF")
    urls["g.jpg"] = server.url("/g.jpg")
    results = []
    for name in ("one", "two"):
        stage = Stage(tmp_path / name)
        counts = stage.run(urls, workers=1 if name == "one" else 8)
        files = {str(p.relative_to(stage.root)): p.read_bytes() for p in stage.root.rglob("*") if p.is_file()}
        results.append((json.dumps(counts), files))
    assert results[0] == results[1]
    assert json.dumps(stage.run(urls)) == results[0][0], "the counts do not depend on what was cached before"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_with_boxes_as_displayed(stage: Stage, server: ImageServer, orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # PIL.Image.Transpose that EXIF's turn takes back
    stored = painted().transpose(Image.Transpose(undo[orientation])) if orientation > 1 else painted()
    server.routes["/a.jpg"] = with_orientation(orientation, stored)
    plates = table_of({"a.jpg": server.url("/a.jpg")})
    counts = stage.run({}, plates)
    row = stage.images_table.loc["a.jpg"]
    assert (row["width"], row["height"], row["orientation"]) == (WIDTH, HEIGHT, orientation)
    assert (row["stored_width"], row["stored_height"]) == stored.size
    assert counts["turned"] == (orientation > 1)
    assert counts["resized"] == 0
    assert_plate_is_red(stage, plates)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("scale", [1, 2])
def test_orientation_with_boxes_in_the_stored_frame(
    stage: Stage, server: ImageServer, orientation: int, scale: int
) -> None:
    stored = painted().resize((WIDTH * scale, HEIGHT * scale), Image.Resampling.NEAREST)
    server.routes["/a.jpg"] = with_orientation(orientation, stored)
    plates = table_of({"a.jpg": server.url("/a.jpg")})
    counts = stage.run({}, plates)
    row = stage.images_table.loc["a.jpg"]
    assert (row["width"], row["height"]) == (HEIGHT * scale, WIDTH * scale)
    assert counts["resized"] == (scale != 1)
    assert_plate_is_red(stage, plates)


def test_an_image_of_another_size(stage: Stage, server: ImageServer) -> None:
    server.routes["/a.jpg"] = encoded(painted().resize((WIDTH * 3, HEIGHT * 2), Image.Resampling.NEAREST), quality=95)
    plates = table_of({"a.jpg": server.url("/a.jpg")})
    assert stage.run({}, plates)["resized"] == 1
    placed = place_boxes(plates, stage.images_table.reset_index(drop=True))
    assert placed[["top_x", "top_y", "bottom_x", "bottom_y"]].to_numpy().tolist() == [[48, 16, 144, 48]]
    assert_plate_is_red(stage, plates)


def test_pixels_are_limited_before_decoding(stage: Stage, server: ImageServer) -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 200_000
    server.routes["/bomb.png"] = bomb
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stage.run({"bomb.jpg": server.url("/bomb.png"), **good_ones(server, 1)})
    assert stage.failures.loc["bomb.jpg", "reason"] == "more pixels than data.max_pixels=1000000"
    assert Image.MAX_IMAGE_PIXELS is not None


# What is cached already.


def test_second_run_asks_for_nothing(stage: Stage, server: ImageServer, capsys: pytest.CaptureFixture[str]) -> None:
    urls = good_ones(server, 8)
    stage.run(urls)
    before = {path.name: path.stat().st_mtime_ns for path in stage.cache.iterdir()}
    table = (stage.root / "images.csv").read_bytes()
    server.requests.clear()
    stage.run(urls)
    assert not server.requests
    assert {path.name: path.stat().st_mtime_ns for path in stage.cache.iterdir()} == before
    assert (stage.root / "images.csv").read_bytes() == table
    assert "8 images (0 fetched, 8 kept)" in capsys.readouterr().out


def test_only_what_is_new_is_fetched(stage: Stage, server: ImageServer) -> None:
    urls = good_ones(server, 6)
    stage.run(dict(list(urls.items())[:4]))
    (stage.cache / "1.jpg").unlink()
    (stage.cache / "2.jpg").write_bytes(b"not ours")
    server.requests.clear()
    urls["3.jpg"] = urls["0.jpg"]
    stage.run(urls)
    assert set(server.requests) == {"/0.jpg", "/1.jpg", "/2.jpg", "/4.jpg", "/5.jpg"}
    assert stage.counts["images"] == 6


def test_from_one_set_to_another_and_back_nothing_is_fetched_twice(server: ImageServer, stage: Stage) -> None:
    good = good_ones(server, 6)
    first, second = ({name: good[name] for name in names} for names in (["0.jpg", "1.jpg"], ["4.jpg", "5.jpg"]))
    stage.run(first)
    before = {name: (stage.cache / name).read_bytes() for name in stage.names()}
    stage.run(second)
    assert stage.names() == sorted(second)
    table = (stage.root / "images.csv").read_bytes()
    stage.run(first)
    assert {name: (stage.cache / name).read_bytes() for name in stage.names()} == before
    stage.run(second)
    assert (stage.root / "images.csv").read_bytes() == table
    assert set(server.requests.values()) == {1}
    # Of another quality, it is made anew.
    stage.run(first, jpeg_quality=70)
    assert server.requests["/0.jpg"] == 2


def test_what_is_no_longer_listed_goes(stage: Stage, server: ImageServer, capsys: pytest.CaptureFixture[str]) -> None:
    urls = good_ones(server, 3)
    stage.run(urls)
    (stage.cache / ".1-2.part").write_bytes(b"half a")
    (stage.cache / "folder").mkdir()
    capsys.readouterr()
    stage.run({"1.jpg": urls["1.jpg"]})
    assert stage.names() == list(stage.images_table["image"]) == ["1.jpg"]
    assert "2 removed" in capsys.readouterr().out


def test_an_image_that_can_no_longer_be_had_at_a_new_address_goes(stage: Stage, server: ImageServer) -> None:
    urls = good_ones(server, 2)
    stage.run(urls)
    stage.run({**urls, "1.jpg": server.url("/gone.jpg")})
    assert stage.names() == ["0.jpg"]
    assert list(stage.failures["image"]) == ["1.jpg"]


def test_another_quality_or_limit_makes_images_anew(stage: Stage, server: ImageServer) -> None:
    server.routes["/a.jpg"] = encoded(painted(), "PNG")
    urls = {"a.jpg": server.url("/a.jpg"), **good_ones(server, 1)}
    stage.run(urls)
    size = (stage.cache / "a.jpg").stat().st_size
    stage.run(urls, jpeg_quality=20)
    assert (stage.cache / "a.jpg").stat().st_size < size
    with pytest.raises(UserError, match=r"data\.max_pixels=100"):
        stage.run(urls, max_pixels=100)


def test_scenes_that_changed_are_cached_anew(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = stage.root / "sources" / "scenes" / "images"
    scenes.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        painted().save(scenes / name)
    source = {"name": "scenes", "format": "synthetic", "role": "both", "scenes": 2, "seed": 0}
    plates = table_of({"a.jpg": "images/a.png", "b.jpg": "images/b.png"}, source="scenes")
    stage.run({}, plates, sources=[source])
    assert list(stage.images_table["fetched"]) == ["images/a.png", "images/b.png"]
    Image.new("RGB", (WIDTH, HEIGHT), (0, 255, 0)).save(scenes / "a.png")
    capsys.readouterr()
    stage.run({}, plates, sources=[source])
    assert "(1 fetched, 1 kept)" in capsys.readouterr().out
    assert pixels(stage.cache / "a.jpg")[12, 20, 1] > 250
    assert_plate_is_red(stage, plates[plates["image"] == "b.jpg"])


def test_a_killed_run_goes_on(stage: Stage, server: ImageServer) -> None:
    urls = good_ones(server, 40)
    gate = threading.Event()
    content = encoded(painted())

    def held_back(handler: Handler) -> None:
        gate.wait(20)
        handler.answer(content)

    server.routes.update({f"/{i}.jpg": held_back for i in range(20, 40)})
    program = (
        "import sys; from pathlib import Path; import test_image_cache as t\n"
        "t.Stage(Path(sys.argv[1])).run(t.json.loads(sys.argv[2]), workers=4, timeout_s=30.0)"
    )
    command = [sys.executable, "-c", program, str(stage.root), json.dumps(urls)]
    child = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    )
    deadline = time.monotonic() + 20
    while (not stage.cache.is_dir() or len(stage.names()) < 15) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    gate.set()
    finished = set(stage.names())
    assert 15 <= len(finished) < 40
    assert not (stage.root / "images.csv").exists()

    server.requests.clear()
    stage.run(urls)
    assert stage.counts["images"] == 40
    assert {path[1:] for path in server.requests} == set(urls) - finished
    interrupted = (stage.root / "images.csv").read_bytes()
    fresh = Stage(stage.root / "fresh")
    fresh.run(urls)
    assert (fresh.root / "images.csv").read_bytes() == interrupted


# Messages.


def test_too_many_missing(stage: Stage, server: ImageServer) -> None:
    urls = {**good_ones(server, 6), **{f"gone{i}.jpg": server.url(f"/gone{i}.jpg") for i in range(4)}}
    with pytest.raises(UserError) as error:
        stage.run(urls, max_failed_fraction=0.3)
    message = str(error.value)
    assert "4 of 10 images are not available; data.max_failed_fraction=0.3 allows 3" in message
    assert "4 × HTTP 404 Not Found, of source cars" in message
    assert "failures.csv" in message
    assert (len(stage.images_table), len(stage.failures)) == (6, 4)
    assert stage.run(urls, max_failed_fraction=0.4)["failed"] == 4


def test_nothing_there_is_an_error(stage: Stage) -> None:
    with pytest.raises(UserError, match="1 of 1 images are not available"):
        stage.run({"a.jpg": "file:///a.jpg"}, max_failed_fraction=1.0)


def test_a_folder_that_is_not_there(stage: Stage) -> None:
    with pytest.raises(UserError, match="which is no folder"):
        stage.run({"a.jpg": "http://host/a.jpg"}, image_root=str(stage.root / "nowhere"))


def test_plates_of_a_source_that_is_gone(stage: Stage) -> None:
    with pytest.raises(UserError, match="lpr annotate"):
        stage.run({}, table_of({"a.jpg": "http://host/a.jpg"}, source="other"))


def test_dataturks(real_data: Path, stage: Stage, server: ImageServer) -> None:
    folder = real_data / "dataturks"
    server.routes = {f"/{path.name}": path.read_bytes() for path in (folder / "mirror").iterdir()}
    where = {"name": "cars", "format": "dataturks", "annotations": str(folder / "Indian_Number_plates.json")}
    data = data_of(source=where, image_root=server.url("/"))
    obtain(data.sources[0], stage.root / "sources" / "cars", data)
    plates = read_annotations(stage.root / "sources" / "cars" / "annotations.json", "cars").plates
    limits = {"max_bytes": 50_000_000, "max_pixels": 60_000_000, "timeout_s": 20.0, "max_failed_fraction": 0.0}
    counts = stage.run({}, plates, source=where, image_root=server.url("/"), **limits)
    assert counts["images"] == 237
    assert counts["failed"] == 0
    assert (counts["format_gif"], counts["format_png"], counts["format_jpeg"]) == (1, 5, 231)
    for path in stage.cache.iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
    placed = place_boxes(plates, stage.images_table.reset_index(drop=True))
    assert len(placed) == 245
    assert (placed["bottom_x"] <= placed["width"]).all()
    assert server.connections <= 8
