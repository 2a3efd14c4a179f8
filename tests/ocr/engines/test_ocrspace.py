"""The ocr.space engine with a stand-in of the service on loopback."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import ocrspace_server as service
import pytest
from PIL import Image

from lpr.errors import UserError
from lpr.ocr.engines.base import PlateText
from lpr.ocr.engines.ocrspace import OcrSpace, Settings

IMAGE = Image.linear_gradient("L").convert("RGB").resize((160, 40))
OTHER = IMAGE.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
READ = PlateText("MH12DE1433", 1.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OCR_SPACE_API_KEY", service.KEY)
    with service.OcrSpaceServer() as running:
        yield running


def create(server: service.OcrSpaceServer, cache: Path, **changes: Any) -> OcrSpace:
    values: dict[str, Any] = {
        "name": "ocrspace",
        "splits": ["test"],
        "margin": 0.1,
        "grammars": None,
        "low_confidence_threshold": 0.5,
        "endpoint": server.url,
        "engine": 2,
        "language": "eng",
        "scale": True,
        "timeout_s": 5.0,
        "attempts": 2,
        "max_wait_s": 10.0,
    }
    return OcrSpace(Settings(**(values | changes)), cache)


def test_the_request_follows_the_api_and_lines_are_joined(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    assert create(server, tmp_path).read(IMAGE) == READ
    (request,) = server.requests
    assert (request.method, request.status) == ("POST", 200)
    assert request.image is not None
    assert request.image.size == IMAGE.size
    settings = {name: value for name, value in request.fields.items() if name != "base64Image"}
    assert settings == {
        "language": "eng",
        "OCREngine": "2",
        "scale": "true",
        "detectOrientation": "false",
        "isOverlayRequired": "false",
        "filetype": "JPG",
    }


def test_a_rerun_sends_nothing_and_needs_no_key(
    server: service.OcrSpaceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(server, tmp_path).read(IMAGE)
    server.text = ""
    assert create(server, tmp_path).read(OTHER) == PlateText("", 0.0)
    monkeypatch.delenv("OCR_SPACE_API_KEY")
    again = create(server, tmp_path)
    assert [again.read(IMAGE), again.read(OTHER)] == [READ, PlateText("", 0.0)]
    assert len(server.requests) == 2


@pytest.mark.parametrize("change", [{"engine": 1}, {"language": "ger"}, {"scale": False}])
def test_other_settings_are_other_requests(
    server: service.OcrSpaceServer, tmp_path: Path, change: dict[str, object]
) -> None:
    create(server, tmp_path).read(IMAGE)
    create(server, tmp_path, **change).read(IMAGE)
    assert len(server.requests) == 2


def test_a_large_image_is_compressed_below_the_limit(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 2000, 3), np.uint8)
    assert create(server, tmp_path).read(Image.fromarray(noise)) == READ
    (request,) = server.requests
    assert 100_000 < request.file_bytes < 1_000_000 * 3 / 4
    assert request.image is not None
    assert request.image.width / request.image.height == pytest.approx(2000 / 1500, rel=0.01)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (service.FAILED, "All images/pages errored in parsing"),
        (service.FAILED_STRING, "All images/pages errored in parsing"),
        (service.FATAL, "Error occurred when attempting to parse"),
        (service.NOT_PARSED, "OCR Engine Parse Error"),
        (service.NO_RESULTS, "OCRExitCode 1"),
    ],
    ids=["list", "string", "fatal", "file", "no results"],
)
def test_a_failure_on_one_image_is_a_warning_and_is_not_cached(
    server: service.OcrSpaceServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reply: service.Reply,
    message: str,
) -> None:
    server.replies.append(reply)
    engine = create(server, tmp_path)
    assert engine.read(IMAGE) == PlateText("", 0.0)
    assert message in capsys.readouterr().err
    assert engine.read(IMAGE) == READ


def test_partly_read_pages_are_read(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    server.replies.append(service.success("MH 12 ", "DE 1433", exit_code=2))
    assert create(server, tmp_path).read(IMAGE) == READ


def test_waits_as_long_as_the_rate_limit_demands(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    server.limit = (1, 1)
    engine = create(server, tmp_path)
    engine.read(IMAGE)
    started = time.monotonic()
    assert engine.read(OTHER) == READ
    assert 0.9 < time.monotonic() - started < 4
    assert [request.status for request in server.requests] == [200, 403, 200]


def test_waits_where_the_rate_limit_comes_with_http_200(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    server.replies.append(service.failure(99, [service.rate_limited(180, 1).body]))
    assert create(server, tmp_path).read(IMAGE) == READ


def test_the_sum_of_waits_is_bounded_and_results_stay_cached(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    engine = create(server, tmp_path, max_wait_s=1.5)
    engine.read(IMAGE)
    server.replies.extend([service.rate_limited(180, 1), service.rate_limited(180, 1)])
    with pytest.raises(UserError, match=r"180 requests in 1 s.*max_wait_s=1\.5"):
        engine.read(OTHER)
    assert create(server, tmp_path).read(IMAGE) == READ
    assert len(server.requests) == 3


def test_a_long_wait_is_not_begun(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    server.replies.append(service.rate_limited(500, 86400))
    started = time.monotonic()
    with pytest.raises(UserError, match="500 requests in 86400 s"):
        create(server, tmp_path).read(IMAGE)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "reply",
    [service.UNAVAILABLE, service.HANG_UP, service.HTML, service.Reply("fine"), service.Reply(delay_s=1.0)],
    ids=["5xx", "hang up", "not JSON", "no object", "slow"],
)
def test_broken_responses_are_retried_and_then_an_error(
    server: service.OcrSpaceServer, tmp_path: Path, reply: service.Reply
) -> None:
    server.replies.append(reply)
    assert create(server, tmp_path, timeout_s=0.5).read(IMAGE) == READ
    server.replies.extend([reply, reply])
    with pytest.raises(UserError, match="failed 2 times"):
        create(server, tmp_path, timeout_s=0.5).read(OTHER)
    assert len(server.requests) == 4


def test_no_server(tmp_path: Path, server: service.OcrSpaceServer) -> None:
    server.__exit__()
    with pytest.raises(UserError, match="the connection failed"):
        create(server, tmp_path).read(IMAGE)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (service.BAD_KEY, "HTTP 403.*API key is invalid.*OCR_SPACE_API_KEY"),
        (service.BAD_KEY_200, "the key in OCR_SPACE_API_KEY"),
        (service.Reply(f"The key {service.KEY} has expired", status=403), "The key … has expired"),
        (service.Reply(b"<html>", status=302), "HTTP 302"),
    ],
    ids=["bare string", "HTTP 200", "repeats the key", "redirect"],
)
def test_a_refusal_ends_the_run_at_once(
    server: service.OcrSpaceServer, tmp_path: Path, reply: service.Reply, message: str
) -> None:
    server.replies.append(reply)
    with pytest.raises(UserError, match=message):
        create(server, tmp_path).read(IMAGE)
    assert len(server.requests) == 1


def test_a_setting_that_the_service_refuses(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Value for parameter 'language' is invalid"):
        create(server, tmp_path, language="english").read(IMAGE)


def test_an_endpoint_that_is_no_address(server: service.OcrSpaceServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ocr\.endpoint=ocr\.space"):
        create(server, tmp_path, endpoint="ocr.space").read(IMAGE)


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_no_key(
    server: service.OcrSpaceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    if key is None:
        monkeypatch.delenv("OCR_SPACE_API_KEY")
    else:
        monkeypatch.setenv("OCR_SPACE_API_KEY", key)
    with pytest.raises(UserError, match="export OCR_SPACE_API_KEY="):
        create(server, tmp_path).read(IMAGE)
    assert not server.requests


@pytest.mark.parametrize("key", ["K-secret-957", "K-secret\n957", "K-secret-957é"])
def test_the_key_is_printed_and_stored_nowhere(
    server: service.OcrSpaceServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
) -> None:
    monkeypatch.setenv("OCR_SPACE_API_KEY", key)
    server.key = "K-secret-957"
    server.replies.extend([service.failure(3, [f"{key} and its image"]), service.success("MH12DE1433")])
    engine = create(server, tmp_path)
    printed = repr(engine)
    server.replies.append(service.Reply(f"{key} is blocked", status=403))
    for image in (IMAGE, IMAGE, OTHER):
        try:
            printed += repr(engine.read(image).confidence)
        except UserError as error:
            printed += repr(error)
    printed += "".join(capsys.readouterr())
    assert "secret" not in printed
    assert all("secret" not in path.read_text() for path in tmp_path.iterdir())


def test_a_server_without_the_right_key_refuses(
    server: service.OcrSpaceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCR_SPACE_API_KEY", "K-another")
    with pytest.raises(UserError, match="The API key is invalid"):
        create(server, tmp_path).read(IMAGE)
