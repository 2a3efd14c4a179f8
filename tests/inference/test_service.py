"""`lpr serve` over real HTTP: what it answers, what it refuses, that it stays within its limits; and its page."""

import io
import json
import os
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import pytest
import requests
import uvicorn
from browser import browser, needs_browser
from clones import ROOT
from fastapi import FastAPI, Request, Response
from PIL import Image, ImageDraw, ImageFont

import lpr
from lpr.boxes import Detections
from lpr.cores import usable_cores
from lpr.inference.serving.app import create_app
from lpr.inference.serving.prediction import Limits, Prediction, Refused, predict
from lpr.paths import MODELS

TEXT, BOX = "KA05MH1234", (200, 150, 520, 230)


class WhitePlate:
    """A detector that finds the white rectangle of an image, once `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()

    def detect(self, image: np.ndarray) -> Detections:
        self.go.wait(30)
        rows, columns = np.nonzero(image.min(axis=2) > 200)
        if not len(rows):
            return Detections(np.zeros((0, 4)), np.zeros(0))
        sides = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([sides], float), np.array([0.9]))


def car(text: str = TEXT, size: tuple[int, int] = (720, 480)) -> Image.Image:
    image = Image.new("RGB", size, (40, 44, 52))
    pen = ImageDraw.Draw(image)
    pen.rectangle((BOX[0], BOX[1], BOX[2] - 1, BOX[3] - 1), "white")
    pen.text(((BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2), text, "black", ImageFont.load_default(48), anchor="mm")
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def video(folder: Path, frames: int = 5) -> bytes:
    writer = cv2.VideoWriter(str(folder / "drive.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (720, 480))
    for _ in range(frames):
        writer.write(np.asarray(car())[..., ::-1].copy())
    writer.release()
    content = (folder / "drive.mp4").read_bytes()
    (folder / "drive.mp4").unlink()
    return content


def bomb(side: int = 20000) -> bytes:
    """A valid PNG of 400 million black pixels in 50 KB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    pixels = zlib.compress(bytes((1 + side // 8) * side))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


JPEG = encoded(car(), "JPEG")


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application on a free port of loopback."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def post(url: str, content: bytes = JPEG, country: str = "", token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    form = {"country": country} if country else {}
    return requests.post(f"{url}/v1/predict", files={"file": content}, data=form, headers=headers, timeout=60)


def metric(url: str, name: str) -> float:
    (value,) = re.findall(rf"^{re.escape(name)} (.+)$", requests.get(f"{url}/metrics", timeout=60).text, re.M) or ["0"]
    return float(value)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    limits = Limits(max_upload_bytes=3_000_000, max_pixels=10_000_000)
    with serving(create_app(lpr.ALPR(WhitePlate(), "recognizer"), limits)) as address:
        yield address


def test_an_image_is_answered_with_its_plates(url: str) -> None:
    before = metric(url, "lpr_plates_total"), metric(url, 'lpr_requests_total{status="200"}')
    response = post(url, country="india")
    assert response.status_code == 200
    found = response.json()
    assert Prediction.model_validate(found).model_dump(exclude_none=True)["plates"][0]["text"] == TEXT
    assert (found["width"], found["height"]) == (720, 480)
    (plate,) = found["plates"]
    assert plate["box"] == pytest.approx(BOX, abs=3)
    assert [max(each, key=each.get) for each in plate["candidates"]] == list(TEXT)
    assert 0 < found["milliseconds"] < 60_000
    assert (metric(url, "lpr_plates_total"), metric(url, 'lpr_requests_total{status="200"}')) == (
        before[0] + 1,
        before[1] + 1,
    )
    assert metric(url, "lpr_request_seconds_count") >= 1


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_formats_that_are_read(url: str, kind: str) -> None:
    assert [plate["text"] for plate in post(url, encoded(car(), kind)).json()["plates"]] == [TEXT]


def test_an_image_without_plates_and_one_that_exif_turns(url: str) -> None:
    assert post(url, encoded(Image.new("RGB", (64, 48)), "PNG")).json()["plates"] == []
    turned = Image.Exif()
    turned[0x0112] = 6
    content = encoded(car().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=turned)
    assert [plate["text"] for plate in post(url, content).json()["plates"]] == [TEXT]


def test_a_video_is_answered_with_its_tracks_and_leaves_no_file(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = video(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = post(url, content).json()
    assert (found["frames"], found["frames_per_second"], found["width"]) == (5, 10, 720)
    assert [(track["text"], track["first"], track["last"]) for track in found["tracks"]] == [(TEXT, 0, 4)]
    assert [(plate["frame"], plate["track"]) for plate in found["plates"]] == [(frame, 1) for frame in range(5)]
    Prediction.model_validate(found)
    assert post(url, content[:-200]).status_code == 422
    assert list(tmp_path.iterdir()) == []


def test_an_image_never_touches_the_disk(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))  # where a file would be put
    large = encoded(car(size=(1000, 900)), "BMP")
    assert len(large) > 2_500_000
    assert post(url, large).status_code == 200


def test_the_limit_that_is_told_is_the_one_that_was_met() -> None:
    for limit, told in ((10_000_000, 10_000_000), (250_000_000, 2 * Image.MAX_IMAGE_PIXELS)):
        with pytest.raises(Refused) as refused:
            predict(lpr.ALPR(WhitePlate(), "none"), bomb(), limit, deadline=float("inf"))
        assert (refused.value.status, str(refused.value)) == (413, f"more than {told} pixels")


BAD = {
    "0 bytes": (b"", 400, "an empty file"),
    "decompression bomb": (bomb(), 413, "pixels"),
    "pixels of a GIF": (encoded(Image.new("P", (4000, 3000)), "GIF"), 413, "4000 × 3000 pixels"),
    "HTML": (b"<!DOCTYPE html><html><body>Not found</body></html>", 415, "a web page"),
    "text": (b"a list of plates", 415, "neither an image nor a video"),
    "playlist": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", 415, "neither an image nor a video"),
    "broken HEIC": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(500), 422, "broken image"),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], 422, "truncated"),
    "JPEG cut in its header": (JPEG[:40], 422, "broken image"),
    "truncated PNG": (encoded(car(), "PNG")[:600], 422, "broken image"),
    "no video": (b"\x00\x00\x00\x18ftypisom" + bytes(500), 422, "video"),
    "too large": (bytes(3_100_000), 413, "3 MB"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_uploads_are_refused_with_a_reason(url: str, name: str) -> None:
    content, status, reason = BAD[name]
    started = time.monotonic()
    response = post(url, content)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    assert reason in response.json()["detail"]
    assert time.monotonic() - started < 5
    assert metric(url, f'lpr_requests_total{{status="{status}"}}') >= 1


def test_malformed_forms_are_refused_with_a_reason(url: str) -> None:
    address = f"{url}/v1/predict"
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    for response, status, reason in (
        (requests.post(address, data=JPEG, timeout=60), 400, "multipart/form-data"),
        (requests.post(address, files={"image": JPEG}, timeout=60), 400, "the field `file`"),
        (requests.post(address, files=[("file", JPEG), ("file", JPEG)], timeout=60), 400, "Too many files"),
        (requests.post(address, data=b"nothing", headers=form, timeout=60), 400, "Invalid multipart"),
        (post(url, country="atlantis"), 422, "there is no such country; choose of"),
        (requests.get(address, timeout=60), 405, "Method Not Allowed"),
        (requests.get(f"{url}/docs", timeout=60), 404, "Not Found"),
    ):
        assert response.status_code == status
        assert reason in response.json()["detail"]


def talk(url: str, *parts: bytes) -> bytes:
    """What is answered to the beginning of a request, which is never ended."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
        return connection.recv(10_000)


HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def test_a_large_upload_is_refused_before_it_ends(url: str) -> None:
    body = FILE + bytes(3_100_000)
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    assert b" 413 " in talk(url, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk)
    assert b" 413 " in talk(url, HEAD + b"Content-Length: 9000000000\r\n\r\n")


def test_predictions_need_the_token(capfd: pytest.CaptureFixture[str]) -> None:
    token = "s3cret-ключ"
    with serving(create_app(lpr.ALPR(WhitePlate(), "none"), Limits(), token)) as url:
        for wrong in ("", "wrong", token[:-1], token + "x"):
            response = post(url, token=wrong)
            assert response.status_code == 401
            assert response.json() == {"detail": "the token is missing or wrong"}
            assert response.headers["WWW-Authenticate"] == "Bearer"
        assert post(url, token=token).status_code == 200
        assert b" 401 " in talk(url, HEAD + b"Content-Length: 9000000000\r\n\r\n")  # before an upload is read
        page = requests.get(url, timeout=60)
        assert page.status_code == 200
        assert 'id="token"' in page.text
        everything = page.text + "".join(requests.get(f"{url}/{at}", timeout=60).text for at in ("metrics", "healthz"))
    assert token not in everything + "".join(capfd.readouterr())


def test_a_full_queue_is_503_and_nothing_accepted_is_lost() -> None:
    detector = WhitePlate()
    detector.go.clear()
    accepted = usable_cores() + 1
    with (
        serving(create_app(lpr.ALPR(detector, "none"), Limits(queue_length=1))) as url,
        ThreadPoolExecutor(accepted) as clients,
    ):
        waiting = [clients.submit(post, url) for _ in range(accepted)]
        wait_for(lambda: metric(url, "lpr_uploads") == accepted)
        response = post(url)
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) >= 1
        assert "too many uploads wait" in response.json()["detail"]
        assert requests.get(f"{url}/healthz", timeout=60).json() == {"status": "ok"}
        detector.go.set()
        assert [request.result().status_code for request in waiting] == [200] * accepted
        wait_for(lambda: metric(url, "lpr_uploads") == 0)
        assert post(url).status_code == 200


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    detector = WhitePlate()
    detector.go.clear()
    with serving(create_app(lpr.ALPR(detector, "none"), Limits(timeout_s=0.5))) as url:
        response = post(url)
        assert (response.status_code, response.json()["detail"]) == (504, "not done after 0.5 seconds")
        assert metric(url, "lpr_uploads") == 1  # its thread holds its place
        assert b" 408 " in talk(url, HEAD + b"Content-Length: 9000\r\n\r\n" + FILE)
        assert post(url, video(tmp_path, 50)).status_code == 504
        detector.go.set()
        wait_for(lambda: metric(url, "lpr_uploads") == 0)
        assert post(url).status_code == 200


def test_openapi_describes_the_form_and_the_answer(url: str) -> None:
    described = requests.get(f"{url}/openapi.json", timeout=60).json()
    operation = described["paths"]["/v1/predict"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    assert "india" in form["properties"]["country"]["enum"]
    assert {"200", "400", "401", "408", "413", "415", "422", "503", "504"} <= set(operation["responses"])
    assert "PlateFound" in described["components"]["schemas"]


def lpr_serve(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lpr", "serve", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_until_it_is_interrupted_and_logs_no_request(exported: Path) -> None:
    detector = str(exported / MODELS / "detector.onnx")
    options = ("--port", "0", "--ocr", "none", "--detector", detector)
    server = lpr_serve(*options, "--host", "0.0.0.0", "--max-megapixels", "0.2")
    assert server.stdout
    line = server.stdout.readline()
    port = re.search(r":(\d+)/", line)
    assert port, line
    url = f"http://127.0.0.1:{port[1]}"
    assert post(url).status_code == 413
    assert post(url, encoded(car().resize((360, 240)), "PNG")).status_code == 200
    assert post(url, b"private").status_code == 415
    taken = lpr_serve("--port", port[1], "--host", "0.0.0.0", *options[2:])
    assert "Address already in use" in taken.communicate()[1]
    assert taken.returncode == 1
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=20)
    assert (server.returncode, out) == (0, "")
    assert err == "lpr serve: warning: whoever reaches 0.0.0.0 may use this service; LPR_TOKEN=… asks for a token\n"


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['fastapi'] = None; from lpr.cli.main import main; sys.exit(main(['serve']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "lpr serve needs packages that are not installed (fastapi): pip install 'lpr[serve]'\n"


_PROBE = """<!DOCTYPE html><link rel="icon" href="data:,"><style>body { margin: 0 }</style>
<iframe id="page" src="/" style="width:390px;height:900px;border:0"></iframe>
<script>
const frame = document.getElementById("page");
const until = async condition => { while (!condition()) await new Promise(done => setTimeout(done, 20)); };
frame.onload = async () => {
  const page = frame.contentDocument, view = frame.contentWindow, root = page.documentElement;
  const at = id => page.getElementById(id);
  const measured = () => ({
    text: page.body.innerText, scroll: root.scrollWidth, width: root.clientWidth,
    outside: [...page.querySelectorAll("body *")].filter(
      box => !box.closest("svg") && box.getBoundingClientRect().right > root.clientWidth + 1
    ).map(box => box.outerHTML.slice(0, 80)),
  });
  const choose = async (name, type) => {
    const files = new view.DataTransfer(), content = await (await fetch("/" + name)).arrayBuffer();
    files.items.add(new view.File([content], name, {type}));
    at("file").files = files.files;
    at("file").dispatchEvent(new view.Event("change"));
    at("error").hidden = true;
    await until(() => !at("result").hidden || !at("error").hidden);
  };
  const seen = {start: measured()};
  at("token").value = "s3cret";
  await choose("car.jpg", "image/jpeg");
  const image = page.querySelector("#shown img");
  await image.decode();
  const {left, top, width, height} = image.getBoundingClientRect();
  seen.image = measured();
  seen.boxes = [...page.querySelectorAll("#boxes rect")].map(box => {
    const sides = box.getBoundingClientRect();
    return [[sides.left, sides.top], [sides.right, sides.bottom]].flatMap(
      ([x, y]) => [(x - left) / width, (y - top) / height]
    );
  });
  seen.label = page.querySelector("#boxes text").textContent;
  const pasted = new view.DataTransfer();
  pasted.items.add(new view.File(["<html>"], "page.html", {type: "text/html"}));
  page.dispatchEvent(new view.ClipboardEvent("paste", {clipboardData: pasted}));
  await until(() => !at("error").hidden);
  seen.error = at("error").innerText;
  await choose("drive.mp4", "video/mp4");
  seen.video = measured();
  at("token").value = "wrong";
  await choose("car.jpg", "image/jpeg");
  seen.refused = at("error").innerText;
  seen.unnamed = [...page.querySelectorAll("input, select, button")].filter(field => !field.labels.length).length;
  seen.elsewhere = view.performance.getEntriesByType("resource").map(entry => entry.name).filter(
    name => !name.startsWith(location.origin) && !name.startsWith("blob:")
  );
  await fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
};
</script>"""


@needs_browser
def test_the_page_shows_boxes_texts_and_errors_on_a_phone(tmp_path: Path) -> None:
    app = create_app(lpr.ALPR(WhitePlate(), "recognizer"), Limits(), "s3cret")
    files = {"probe.html": (_PROBE.encode(), "text/html"), "car.jpg": (JPEG, "image/jpeg")}
    files["drive.mp4"] = (video(tmp_path), "video/mp4")

    @app.get("/{name}")
    def beside_the_page(name: str) -> Response:
        return Response(files[name][0], media_type=files[name][1])

    seen_by_it: Queue[dict] = Queue()

    @app.post("/seen")
    async def keep(request: Request) -> None:
        seen_by_it.put(await request.json())

    with serving(app) as url:
        chromium = subprocess.Popen([*browser(tmp_path), f"{url}/probe.html"], stderr=subprocess.PIPE, text=True)
        try:
            seen = seen_by_it.get(timeout=40)
        finally:
            chromium.kill()
            console = [line for line in chromium.communicate()[1].splitlines() if "CONSOLE" in line]
    for state in ("start", "image", "video"):
        assert seen[state]["outside"] == []
        assert seen[state]["scroll"] <= seen[state]["width"] <= 390
    left, top, right, bottom = BOX
    assert seen["boxes"] == [pytest.approx([left / 720, top / 480, right / 720, bottom / 480], abs=0.02)]
    assert seen["label"] == f"{TEXT} 90.0 %"
    assert re.search(
        rf"1 plate; \d+ ms, [\d.]+ s with the transfer\..*{TEXT}.*Alternative", seen["image"]["text"], re.S
    )
    assert seen["error"] == "Error 415: neither an image nor a video but a web page"
    assert re.search(rf"1 plate in 5 frames; .*{TEXT}.*5 frames, from 0 to 4", seen["video"]["text"], re.S)
    assert seen["refused"] == "Error 401: the token is missing or wrong"
    assert seen["elsewhere"] == []
    assert seen["unnamed"] == 0
    assert [line for line in console if "status of 4" not in line] == []


@pytest.mark.slow
def test_fifty_clients_for_a_minute_lose_nothing() -> None:
    """Each sends images without a pause, and waits after a 503 as it is told; prints how long the answers take."""
    end = time.monotonic() + 60
    answers: list[tuple[int, float]] = []

    def client(number: int) -> int:
        text = f"KA05MH{1000 + number}"
        content, sent = encoded(car(text), "JPEG"), 0
        with requests.Session() as session:
            while time.monotonic() < end:
                started = time.monotonic()
                response = session.post(f"{url}/v1/predict", files={"file": content}, timeout=120)
                sent += 1
                answers.append((response.status_code, time.monotonic() - started))
                if response.status_code == 200:
                    assert [plate["text"] for plate in response.json()["plates"]] == [text]
                elif response.status_code == 503:
                    time.sleep(int(response.headers["Retry-After"]))
        return sent

    with (
        serving(create_app(lpr.ALPR(WhitePlate(), "recognizer"), Limits())) as url,
        ThreadPoolExecutor(50) as clients,
    ):
        sent = sum(clients.map(client, range(50)))
        wait_for(lambda: metric(url, "lpr_uploads") == 0)
        counted = {status: metric(url, f'lpr_requests_total{{status="{status}"}}') for status in (200, 503)}
    statuses = Counter(status for status, _ in answers)
    times = [seconds for status, seconds in answers if status == 200]
    assert set(statuses) <= {200, 503}
    assert statuses[200] > 50
    assert sum(statuses.values()) == sent
    assert counted == {status: statuses[status] for status in (200, 503)}
    cuts = statistics.quantiles(times, n=100)
    percentiles = {f"p{share}_ms": round(1000 * cuts[share - 1]) for share in (50, 90, 95, 99)}
    print(json.dumps({"statuses": dict(statuses), **percentiles, "max_ms": round(1000 * max(times))}))
