"""Annotations and images at `gs://` URLs, read by gcsfs from a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from annotation_sources import encoded, record
from gcs_server import BUCKET, GcsServer

from lpr.cli.main import main
from lpr.config import Data
from lpr.data.object_storage import ObjectStorage
from lpr.data.tables import read_table
from lpr.data.unavailable import Unavailable

BASE = f"gs://{BUCKET}"


@pytest.fixture
def gcs(monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsServer]:
    server = GcsServer()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    yield server
    server.stop()


def test_annotations_and_images_of_a_bucket(gcs: GcsServer, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a b#1?%20é.jpg", "deep/er/b.jpg", "gone.jpg"]
    gcs.objects = {f"april/{name}": encoded(70 * number) for number, name in enumerate(names[:2])}
    lines = "".join(record(f"{BASE}/april/{name}", (10, 10, 50, 30), notes="KA05") for name in names)
    gcs.objects["april/cars.json"] = lines.encode()
    annotations = f"data.annotations={BASE}/april/cars.json"
    assert main(["params", "data=annotated", annotations, "data.max_failed_fraction=0.5"]) == 0
    for stage in ("source", "annotate", "download"):
        assert main([stage]) == 0, capsys.readouterr().err
    images = read_table(project / "data" / "images.csv")
    assert sorted(images["fetched"]) == sorted(f"{BASE}/april/{name}" for name in names[:2])
    assert list(zip(images["width"], images["height"], strict=True)) == [(200, 100)] * 2
    failures = read_table(project / "data" / "failures.csv")
    assert list(zip(failures["url"], failures["reason"], strict=True)) == [
        (f"{BASE}/april/gone.jpg", "HTTP 404 Not Found")
    ]


def test_predictions_of_a_folder(gcs: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gcs.objects = {f"gate/{number}.jpg": encoded(50 * number) for number in range(3)} | {"street.jpg": encoded(9)}
    assert main(["predict", f"{BASE}/gate/", "--ocr", "none", "--output", "found"]) == 0
    assert {key: gcs.requests[key] for key in gcs.objects} == {
        **dict.fromkeys(("gate/0.jpg", "gate/1.jpg", "gate/2.jpg"), 1),
        "street.jpg": 0,
    }


def test_what_is_temporary_is_tried_again_and_what_is_not_is_named(gcs: GcsServer, data: Data) -> None:
    gcs.objects = {"once.jpg": b"content", "secret.jpg": b"content", "empty.jpg": b"", "large.jpg": bytes(200_000)}
    gcs.statuses = {"once.jpg": [503], "secret.jpg": [403] * 20}
    storage = ObjectStorage(data.model_copy(update={"max_bytes": 100_000, "attempts": 2}))
    assert storage.fetch(f"{BASE}/once.jpg")[0] == b"content"
    assert gcs.requests["once.jpg"] == 2
    assert storage.fetch(f"{BASE}/empty.jpg") == (b"", 1)
    for name, reason in (
        ("secret.jpg", "HTTP 403 Forbidden"),
        ("gone.jpg", "HTTP 404 Not Found"),
        ("large.jpg", "larger than data.max_bytes=100000"),
    ):
        with pytest.raises(Unavailable, match=reason):
            storage.fetch(f"{BASE}/{name}")
