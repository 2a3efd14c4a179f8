"""`lpr predict` and `ALPR` on images in object storage, against a real S3 server on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finder import draw
from PIL import Image
from s3_server import BUCKET, S3Server, assert_no_secrets

from lpr.cli.main import main
from lpr.inference.alpr import as_pixels

BASE = f"s3://{BUCKET}"
ONE, TWO = (2, 3), (12, 7)


@pytest.fixture
def folder(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `street/`, which is in the bucket, too."""
    monkeypatch.chdir(tmp_path)
    for name, image in {
        "street/1.png": draw(ONE, TWO),
        "street/2.JPG": draw(),
        "street/night/3.png": draw(ONE),
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(name)
    Path("street/notes.txt").write_text("no image")
    s3.upload_folder(tmp_path, "cameras")
    return tmp_path


def predict(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and the records."""
    status = main(["predict", *arguments, "--ocr", "none", "--confidence", "0.01"])
    return status, [json.loads(line) for line in Path("predictions/predictions.jsonl").read_text().splitlines()]


def test_a_folder_in_a_bucket_is_read_as_one_here(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, local = predict("street", "--recursive")
    assert (status, len(local)) == (0, 3)
    status, remote = predict(f"{BASE}/cameras/street/", "--recursive")
    assert status == 0
    assert [record.pop("image") for record in remote] == [f"{BASE}/cameras/{record.pop('image')}" for record in local]
    assert remote == local
    capsys.readouterr()
    status, remote = predict(f"{BASE}/cameras/street/", f"{BASE}/cameras/street/night/3.png")
    assert [record["image"] for record in remote] == [
        f"{BASE}/cameras/street/{name}" for name in ("1.png", "2.JPG", "night/3.png")
    ]
    printed = capsys.readouterr()
    assert f"not looked at: 1 file that is no image or video ({BASE}/cameras/street/notes.txt)" in printed.out
    assert (
        f"not looked at: 1 subfolder ({BASE}/cameras/street/night); `--recursive` looks into subfolders" in printed.out
    )
    assert np.array_equal(as_pixels(f"{BASE}/cameras/street/1.png"), draw(ONE, TWO))
    assert_no_secrets(folder, *printed)


def test_what_cannot_be_read_is_named(s3: S3Server, folder: Path) -> None:
    s3.upload({"drive.mp4": b"\0\0\0\x18ftypmp42" + bytes(500), "broken.jpg": b"nothing"})
    names = ["drive.mp4", "broken.jpg", "gone.jpg", "empty/"]
    status, records = predict(f"{BASE}/cameras/street/1.png", *(f"{BASE}/{name}" for name in names))
    assert status == 3
    assert {record["image"]: record["error"] for record in records if "error" in record} == {
        f"{BASE}/drive.mp4": "a video in object storage: copy it to this machine",
        f"{BASE}/broken.jpg": "not an image but something else",
        f"{BASE}/gone.jpg": "HTTP 404 NoSuchKey",
        f"{BASE}/empty/": "HTTP 404 NoSuchKey",
    }
