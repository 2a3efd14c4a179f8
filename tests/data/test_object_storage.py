"""Annotations and images in object storage, against a real S3 server on loopback."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from annotation_sources import encoded, record
from PIL import Image
from s3_server import BUCKET, S3Server, assert_no_secrets, pass_on
from tool_exports import EXPORTS, SIZES

from lpr.cli.main import main
from lpr.config import Data
from lpr.data.annotations import Annotations, read_annotations
from lpr.data.image_cache import download
from lpr.data.sources import obtain
from lpr.data.tables import read_table
from lpr.errors import UserError

BASE = f"s3://{BUCKET}"


@dataclass
class Result:
    """What the stages source, annotate and download have made."""

    annotations: Annotations
    images: pd.DataFrame
    failures: pd.DataFrame
    cache: Path

    @property
    def reasons(self) -> dict[str, tuple[str, int]]:
        """Last part of the URL → why the image is missing, and after how many attempts."""
        rows = self.failures.to_dict("records")
        return {str(row["url"]).rpartition("/")[2]: (row["reason"], row["attempts"]) for row in rows}


def run(root: Path, data: Data) -> Result:
    """The three stages, in a folder of their own."""
    source = data.sources[0]
    folder = root / "sources" / source.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    obtain(source, folder, data)
    annotations = read_annotations(folder / "annotations.json", source.name)
    tables = root / "images.csv", root / "failures.csv"
    download(annotations.plates, data, folder.parent, root / "images", *tables)
    return Result(annotations, read_table(tables[0]), read_table(tables[1]), root / "images")


def data_of(annotations: Path | str, image_root: Path | str | None = None, **values: Any) -> Data:
    source = {"name": "cars", "format": values.pop("format", "auto"), "annotations": str(annotations)}
    source["image_root"] = image_root and str(image_root)
    empty = dict.fromkeys(("annotations", "image_root", "columns", "plate_labels", "texts", "boxes", "root"))
    limits = {"workers": 8, "timeout_s": 0.5, "attempts": 3, "max_bytes": 100_000, "max_pixels": 1_000_000}
    settings = {"name": "cars", "format": "auto", "jpeg_quality": 95, "max_failed_fraction": 1.0}
    return Data.model_validate({**empty, **limits, **settings, "sources": [source], **values})


def annotations_of(s3: S3Server, objects: dict[str, bytes]) -> Path | str:
    """The URL of annotations whose images are these objects, by their own URLs; both are put into the bucket."""
    lines = "".join(record(f"{BASE}/{key}", (10, 10, 50, 30), notes="KA05") for key in objects)
    s3.upload({**objects, "cars.json": lines.encode()})
    s3.requests.clear()
    return f"{BASE}/cars.json"


@pytest.mark.parametrize("kind", sorted(EXPORTS.keys() - {"ccpd", "dataturks", "openalpr", "yolo"}))
def test_a_tools_export_is_as_from_a_folder(s3: S3Server, tmp_path: Path, kind: str) -> None:
    export = EXPORTS[kind](tmp_path / "export")
    for number, path in enumerate(sorted((tmp_path / "export").rglob("*.jpg"))):  # as a camera writes them
        exif = Image.Exif()
        exif[0x0112] = 3 * number + 1
        Image.effect_noise(SIZES[path.name.rpartition("-")[2]], 40).convert("RGB").save(path, exif=exif)
    s3.upload_folder(tmp_path / "export", "sets/april 1")
    url = f"{BASE}/sets/april 1/{export.relative_to(tmp_path / 'export').as_posix()}".rstrip("/.")

    local = run(tmp_path / "local", data_of(export))
    remote = run(tmp_path / "remote", data_of(url))

    assert len(local.images) == 2
    pd.testing.assert_frame_equal(remote.annotations.plates, local.annotations.plates)
    pd.testing.assert_frame_equal(remote.annotations.rejects, local.annotations.rejects)
    assert remote.annotations.counts == local.annotations.counts
    pd.testing.assert_frame_equal(remote.images.drop(columns="fetched"), local.images.drop(columns="fetched"))
    assert remote.images["fetched"].str.startswith(f"{BASE}/sets/april 1/").all()
    for name in local.images["image"]:
        assert np.array_equal(Image.open(remote.cache / name), Image.open(local.cache / name))


def test_image_root_in_a_bucket_for_annotations_here(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax\nC:\\april\\a.jpg,10,10,50,30\nb,10,10,50,30\n")
    s3.upload({"moved/april/a.jpg": encoded(), "moved/b.png": encoded(kind="PNG")})
    found = run(tmp_path / "run", data_of(tmp_path / "boxes.csv", f"{BASE}/moved/"))
    assert list(found.annotations.plates["url"]) == ["april/a.jpg", "b.png"]
    assert list(found.annotations.plates["image_width"]) == [200, 200]
    assert sorted(found.images["fetched"]) == [f"{BASE}/moved/april/a.jpg", f"{BASE}/moved/b.png"]


def test_annotations_and_images_of_a_web_server(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    EXPORTS["via"](tmp_path / "export")
    s3.upload_folder(tmp_path / "export", "april 1", ACL="public-read")
    project, images = (f"{s3.url}/{BUCKET}/april%201{path}" for path in ("/via_project.json", ""))
    local = run(tmp_path / "local", data_of(tmp_path / "export" / "via_project.json"))
    remote = run(tmp_path / "remote", data_of(project, images))
    pd.testing.assert_frame_equal(remote.annotations.plates, local.annotations.plates)
    assert sorted(remote.images["fetched"]) == [f"{images}/car.jpg", f"{images}/street.jpg"]
    with pytest.raises(UserError, match=r"size is missing, and .*201/images/street\.jpg cannot be fetched: HTTP 404"):
        run(tmp_path / "no image root", data_of(project))


def test_many_images_by_several_threads_and_again(
    s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [*(f"{number}.jpg" for number in range(60)), "a b#1?%20é.jpg", "deep/er/a+b&c=d.jpg"]
    annotations = annotations_of(s3, {f"images/{name}": encoded(4 * i) for i, name in enumerate(names)})
    found = run(tmp_path, data_of(annotations))
    assert sorted(found.images["fetched"]) == sorted(f"{BASE}/images/{name}" for name in names)
    assert len({path.read_bytes() for path in found.cache.iterdir()}) == len(names)
    assert {s3.requests[f"images/{name}"] for name in names} == {1}
    run(tmp_path, data_of(annotations))
    assert {s3.requests[f"images/{name}"] for name in names} == {1}
    assert f"62 images (0 fetched, {len(names)} kept)" in capsys.readouterr().out


def test_what_is_not_available_is_named(s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = encoded()
    answers: dict[str, Callable[..., Iterable[bytes]]] = {
        "always-500.jpg": answering("500 Internal Server Error"),
        "once-503.jpg": in_turn(answering("503 Slow Down")),
        "cut-once.jpg": in_turn(cut),
        "always-cut.jpg": cut,
        "silent.jpg": silent,
    }
    objects = dict.fromkeys(answers, good) | {
        "good.jpg": good,
        "huge.jpg": good + bytes(100_000),
        "wide.png": encoded_wide(),
        "empty.jpg": b"",
        "text.jpg": b"nothing here",
        "gone.jpg": good,
    }
    annotations = annotations_of(s3, objects)
    with_others = "".join(
        record(url, (10, 10, 50, 30)) for url in ("s3://nobodys/x.jpg", "s3://me:secret@plates/y.jpg", "ftp://a/z.jpg")
    )
    lines = s3.client().get_object(Bucket=BUCKET, Key="cars.json")["Body"].read() + with_others.encode()
    s3.upload({"cars.json": lines})
    s3.client().delete_object(Bucket=BUCKET, Key="gone.jpg")
    s3.requests.clear()
    s3.disturb.update(answers)

    found = run(tmp_path, data_of(annotations, attempts=2))
    assert found.reasons == {
        "always-500.jpg": ("HTTP 500 Internal Server Error", 2),
        "always-cut.jpg": (found.reasons["always-cut.jpg"][0], 2),
        "empty.jpg": ("an empty answer", 1),
        "gone.jpg": ("HTTP 404 NoSuchKey", 1),
        "huge.jpg": ("larger than data.max_bytes=100000", 1),
        "silent.jpg": ("no answer within 0.5 s", 2),
        "text.jpg": ("not an image but something else", 1),
        "wide.png": (found.reasons["wide.png"][0], 1),
        "x.jpg": ("HTTP 404 NoSuchBucket", 1),
        "y.jpg": ("credentials belong in the environment, not in the URL", 0),
        "z.jpg": ("not a URL that can be fetched; files are only taken from data.image_root", 0),
    }
    assert "connection failed: " in found.reasons["always-cut.jpg"][0]
    assert "data.max_pixels" in found.reasons["wide.png"][0]
    assert sorted(url.rpartition("/")[2] for url in found.images["fetched"]) == [
        *("cut-once.jpg", "good.jpg", "once-503.jpg")
    ]
    assert {s3.requests[name] for name in ("once-503.jpg", "always-500.jpg", "cut-once.jpg")} == {2}
    assert "me:secret" not in found.failures.to_csv()
    assert_no_secrets(tmp_path, *capsys.readouterr())


def answering(status: str) -> Callable[..., Iterable[bytes]]:
    def answer(environ: Any, start_response: Any, moto: Any) -> list[bytes]:
        start_response(status, [("Content-Length", "0")])
        return [b""]

    return answer


def cut(environ: Any, start_response: Any, moto: Any) -> list[bytes]:
    start_response("206 Partial Content", [("Content-Length", "1000")])
    return [b"\xff\xd8\xff half of it"]


def silent(environ: Any, start_response: Any, moto: Any) -> list[bytes]:
    time.sleep(0.8)
    return []


def in_turn(*answers: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """One after another, and then the server's own."""
    left = iter(answers)
    return lambda *request: next(left, pass_on)(*request)


def encoded_wide() -> bytes:
    file = io.BytesIO()
    Image.new("1", (1001, 1000)).save(file, "PNG")
    return file.getvalue()


def test_a_server_that_goes_down_and_comes_back(
    s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{number}.jpg" for number in range(30)]
    data = data_of(annotations_of(s3, {name: encoded(8 * i) for i, name in enumerate(names)}), workers=4, attempts=1)
    s3.disturb.update(dict.fromkeys(names, down_after(12, s3)))
    found = run(tmp_path, data)
    before = {path.name: path.read_bytes() for path in found.cache.iterdir()}
    assert len(before) == len(found.images) == 12
    assert len(found.failures) == 18
    reasons = {reason.partition(":")[0] for reason, _ in found.reasons.values()}
    assert "connection failed" in reasons <= {"connection failed", "no answer within 0.5 s"}
    with pytest.raises(UserError, match=f"source cars: {BASE}/cars.json cannot be fetched: connection failed: "):
        obtain(data.sources[0], tmp_path / "other", data)

    s3.disturb.clear()
    s3.requests.clear()
    s3.start()
    again = run(tmp_path, data)
    assert len(again.images) == 30
    assert again.failures.empty
    assert sum(s3.requests[name] for name in names) == 18
    assert {name: (again.cache / name).read_bytes() for name in before} == before
    assert "30 images (18 fetched, 12 kept), 0 failed" in capsys.readouterr().out


def down_after(count: int, s3: S3Server) -> Callable[..., Iterable[bytes]]:
    """The server answers so many requests, and then closes its port, and the connections that are open."""

    def answer(environ: Any, start_response: Any, moto: Any) -> Iterable[bytes]:
        if s3.take() < count:
            return pass_on(environ, start_response, moto)
        s3.stop()
        raise ConnectionAbortedError

    return answer


def test_wrong_keys_and_a_wrong_bucket(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations = annotations_of(s3, {"images/a.jpg": encoded()})
    s3.upload({"boxes.csv": b"image,xmin,ymin,xmax,ymax,text\na.jpg,10,10,50,30,KA05\n"})
    with pytest.raises(UserError, match=r"s3://nobodys/cars\.json cannot be fetched: HTTP 404 NoSuchBucket"):
        run(tmp_path / "1", data_of("s3://nobodys/cars.json"))
    key_id, secret = s3.reader()
    try:  # with another number of workers each, so that the connections are new, and read the keys
        with pytest.raises(UserError, match=f"source cars: {annotations} .*: HTTP 403 InvalidAccessKeyId; see data"):
            run(tmp_path / "2", data_of(annotations, workers=12))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
        with pytest.raises(UserError, match=f"source cars: {annotations} .*: HTTP 403 SignatureDoesNotMatch; see data"):
            run(tmp_path / "3", data_of(annotations, workers=13))
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        assert len(run(tmp_path / "4", data_of(annotations, workers=14)).images) == 1
        table = data_of(f"{BASE}/boxes.csv", workers=14)
        assert len(run(tmp_path / "table", table).images) == 1  # though the bucket cannot be listed
    finally:
        s3.check_keys_from(float("inf"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UserError, match=r"cannot be fetched: Unable to locate credentials; see data\.annotations"):
        run(tmp_path / "5", data_of(annotations, workers=15))
    assert_no_secrets(tmp_path, *capsys.readouterr())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"{BASE}/gone.csv", rf"{BASE}/gone\.csv cannot be fetched: HTTP 404 NoSuchKey; see data\.annotations"),
        (f"{BASE}/images/", rf"none of the 1 objects in {BASE}/images/ is an annotation file\. Formats that have"),
        (f"{BASE}/export.zip", rf"{BASE}/export\.zip is a ZIP archive: unpack it, and name what is in it"),
        (f"{BASE}/yolo", "YOLO's labels are fractions of"),
        ("ftp://a:b@c/boxes.csv", r"ftp://\*\*\*@c/boxes\.csv is no URL of http, https, s3 or gs; see data"),
    ],
)
def test_annotations_that_cannot_be_used(s3: S3Server, tmp_path: Path, url: str, message: str) -> None:
    yolo = {"yolo/data.yaml": b"names: [plate]\ntrain: images\n", "yolo/labels/a.txt": b"0 0.5 0.5 0.1 0.1\n"}
    s3.upload({"images/a.jpg": encoded(), "export.zip": b"PK\x03\x04", **yolo})
    with pytest.raises(UserError, match=message):
        obtain(data_of(url).sources[0], tmp_path / "cars", data_of(url))


def test_the_commands_keep_secrets_and_name_a_missing_package(
    s3: S3Server, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data" / "sources").mkdir(parents=True)
    EXPORTS["table"](project / "export")
    s3.upload_folder(project / "export", "april")
    assert main(["params", "data=annotated", f"data.annotations={BASE}/april/boxes.csv"]) == 0
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "s3fs", None)
        capsys.readouterr()
        assert main(["source"]) == 1
        message = "lpr source needs packages that are not installed (s3fs): pip install 'lpr[s3]'\n"
        assert capsys.readouterr().err == message
    for stage in ("source", "annotate", "download"):
        assert main([stage]) == 0, capsys.readouterr().err
    assert len(read_table(project / "data" / "images.csv")) == 2
    assert_no_secrets(project, *capsys.readouterr())
