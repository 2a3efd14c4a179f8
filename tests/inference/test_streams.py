"""Streams from real servers on this machine: what is read of them, and what happens when they break off."""

import csv
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import cv2
import numpy as np
import pytest
from clones import ROOT
from finder import box, draw
from PIL import Image

import lpr
from lpr.inference.inputs import Stream, Unreadable
from lpr.inference.streams import LiveVideo, open_stream
from lpr.paths import MODELS

ONE = (2, 3)
SECRET = "geheim"


def jpeg(image: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=95)
    return file.getvalue()


class Camera(ThreadingHTTPServer):
    """`/car.jpg` is an image, `/drive.avi` a video, `/page` a web page, and `/live` MJPEG.

    Attributes:
        images: what `/live` shows, over and over, an image each `pause_s`.
        breaks: after so many images, the second connection ends; the first one only asks what it is.
        connections: to `/live`, that are or were.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.images, self.video = [jpeg(draw(ONE, scale=2))], b""
        self.pause_s, self.breaks, self.connections = 0.02, 1_000_000, 0
        self.ended = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        bodies = {"/car.jpg": self.server.images[0], "/drive.avi": self.server.video, "/page": b"<html>Hello</html>"}
        if path in bodies:
            self.send_response(200)
            self.send_header("Content-Length", str(len(bodies[path])))
            self.end_headers()
            self.wfile.write(bodies[path])
        elif path == "/live" and not self.server.ended.is_set():
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self.server.connections += 1
            with suppress(OSError):  # the other side has closed it
                self._send_images(self.server.connections)
        else:
            self.send_error(404)

    def _send_images(self, connection: int) -> None:
        for number in range(10_000):
            if self.server.ended.is_set() or (connection == 2 and number == self.server.breaks):
                return
            content = self.server.images[number % len(self.server.images)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content + b"\r\n")
            time.sleep(self.server.pause_s)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def camera() -> Iterator[Camera]:
    with Camera() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


class RtspCamera(ThreadingTCPServer):
    """RTSP (RFC 2326) over TCP, of one track: MPEG-2 in a transport stream (RFC 2250), for who logs in.

    Attributes:
        content: of the transport stream, sent over and over.
        login: that is asked for.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _RtspHandler)
        self.content, self.login = content, f"admin:{SECRET}"
        self.address = f"127.0.0.1:{self.server_address[1]}/stream"


class _RtspHandler(StreamRequestHandler):
    server: RtspCamera

    def handle(self) -> None:
        while request := self.rfile.readline():
            method, head = request.split()[0].decode(), {}
            while line := self.rfile.readline().decode().strip():
                key, _, value = line.partition(": ")
                head[key] = value
            self._answer(method, head)
            if method == "PLAY":
                with suppress(OSError):  # the other side has closed it
                    self._play()
                return

    def _answer(self, method: str, head: dict[str, str]) -> None:
        status, body, more = "200 OK", "", {"Session": "1"}
        login = f"Basic {b64encode(self.server.login.encode()).decode()}"
        if method != "OPTIONS" and head.get("Authorization") != login:
            status, more = "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="camera"'}
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
            more = {"Content-Type": "application/sdp"}
        elif method == "SETUP":
            more["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
        lines = {"CSeq": head["CSeq"], **more, "Content-Length": str(len(body))}
        said = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
        self.wfile.write(f"RTSP/1.0 {status}\r\n{said}\r\n{body}".encode())

    def _play(self) -> None:
        parts = range(0, len(self.server.content), 7 * 188)
        for number, start in enumerate(part for _ in range(1000) for part in parts):
            packet = struct.pack(">BBHI4s", 0x80, 33, number % 65536, 3600 * number, b"lpr ")
            packet += self.server.content[start : start + 7 * 188]
            self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            time.sleep(0.002)


@pytest.fixture
def command(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of `lpr predict` in an empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return [
        *(sys.executable, "-m", "lpr", "predict", "--ocr", "none"),
        *("--detector", str(exported / MODELS / "detector.onnx")),
    ]


def records() -> list[dict]:
    return [json.loads(line) for line in Path("predictions/predictions.jsonl").read_text().splitlines()]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_images_and_videos_at_urls_and_what_cannot_be_reached(camera: Camera, command: list[str]) -> None:
    writer = cv2.VideoWriter("drive.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 192))
    for _ in range(5):
        writer.write(draw(ONE, scale=2))
    writer.release()
    camera.video = Path("drive.avi").read_bytes()
    Image.open(BytesIO(camera.images[0])).save("car.jpg")
    port, with_user = closed_port(), camera.url.replace("//", f"//admin:{SECRET}@")
    names = [
        f"rtsp://admin:{SECRET}@127.0.0.1:{port}/x",
        f"{with_user}/car.jpg?token={SECRET}",
        "car.jpg",
        f"{camera.url}/drive.avi",
        f"{camera.url}/page",
        f"{camera.url}/gone.jpg",
        "77",
        "ftp://127.0.0.1/car.jpg",
        "rtsp://camera..local/x",
    ]
    done = subprocess.run(
        [*command, *names, "--save", "csv,images,crops", "--format", "yolo,labelstudio"], capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    ends = [record for record in records() if "frame" not in record]
    assert {record["image"]: record.get("error") for record in ends} == {
        f"rtsp://***@127.0.0.1:{port}/x": "connection failed: Connection refused",
        f"{camera.url.replace('//', '//***@')}/car.jpg?token=***": None,
        "car.jpg": None,
        f"{camera.url}/drive.avi": None,
        f"{camera.url}/page": "neither an image nor a video that FFmpeg can open",
        f"{camera.url}/gone.jpg": "HTTP 404 Not Found",
        "77": "there is no such camera, or another program uses it",
        "ftp://127.0.0.1/car.jpg": "neither an http(s) nor an rtsp(s) URL",
        "rtsp://camera..local/x": "not the name of a host: camera..local",
    }
    assert done.stderr.splitlines() == [
        f"lpr predict: {end['image']}: {end['error']}" for end in ends if "error" in end
    ]
    with open("predictions/predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [ends[1]["image"], "car.jpg", *[ends[3]["image"]] * 5]
    np.testing.assert_allclose([float(rows[0][side]) for side in ("xmin", "ymin", "xmax", "ymax")], box(ONE, 2), atol=1)
    assert [ends[at]["annotated"] for at in (1, 2, 3)] == [
        *("annotated/car.jpg", "annotated/car-2.jpg", "annotated/drive.mp4")
    ]
    assert [path.name for path in Path("predictions/yolo/images").iterdir()] == ["car.jpg"]
    assert "yolo/ (without 1 images of URLs)" in done.stdout
    said = done.stdout + done.stderr
    for path in Path("predictions").rglob("*"):
        said += f"{path}" + (path.read_bytes().decode("latin-1") if path.is_file() else "")
    assert SECRET not in said


def test_addresses_that_differ_in_what_is_hidden_are_different_inputs(camera: Camera, command: list[str]) -> None:
    first, second = (f"{camera.url}/car.jpg?key={secret}" for secret in (f"{SECRET}1", f"{SECRET}2"))
    flickr = [f"{camera.url}/{number}@N00/car.jpg" for number in (1, 2)]
    assert subprocess.run([*command, first, flickr[0], "--save", "csv"]).returncode in (0, 3)
    done = subprocess.run(
        [*command, first, second, *flickr, "--save", "csv", "--resume"], capture_output=True, text=True
    )
    assert "going on: 2 of 4 inputs are done already" in done.stdout
    shown = f"{camera.url}/car.jpg?key=***"
    assert [record["image"] for record in records()] == [shown, flickr[0], shown, flickr[1]]
    assert SECRET not in Path("predictions/predictions.jsonl").read_text()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_live_stream_is_connected_to_again_and_ends_cleanly(
    camera: Camera, command: list[str], sent: signal.Signals, status: int
) -> None:
    camera.breaks = 10
    url = camera.url.replace("//", f"//admin:{SECRET}@") + "/live"
    process = subprocess.Popen(
        [*command, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in a shell's background ignore it
    )
    unfinished = Path("predictions/unfinished-predictions.jsonl")
    read_before = 0
    while process.poll() is None:
        read = unfinished.read_text().count("\n") if unfinished.exists() else 0
        if camera.connections < 3:
            read_before = read
        elif read >= read_before + 3:
            break
        time.sleep(0.01)
    process.send_signal(sent)
    said, complaint = process.communicate()
    assert process.returncode == status, complaint
    shown = camera.url.replace("//", "//***@") + "/live"
    assert complaint.splitlines() == [
        f"lpr predict: {shown}: live; Ctrl-C or SIGTERM ends it",
        f"lpr predict: {shown}: broke off (no more frames); attempt 1 of 5 in 1 s",
        "lpr predict: interrupted; what was found is kept, and `--resume` goes on",
    ]
    *frames, end = records()
    numbers = [frame["frame"] for frame in frames]
    assert numbers == sorted(set(numbers))
    assert end["frames"] == len(frames) > 3
    assert end["skipped"] >= numbers[-1] + 1 - len(frames)
    assert {record["image"] for record in records()} == {shown}
    assert [track["plates"] for track in end["tracks"]] == [len(frames)]
    times = [frame["time"] for frame in frames]
    assert times == sorted(times)
    assert f"{shown}: {len(frames)} frames, {len(frames)} plates on 1 tracks, {end['skipped']} frames skipped" in said
    with open("predictions/predictions.csv", newline="") as file:
        assert [row["time"] for row in csv.DictReader(file)] == times
    video = cv2.VideoCapture(f"predictions/{end['annotated']}")
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == len(frames)
    assert SECRET not in said + complaint + str(records())


def test_what_was_read_of_a_live_stream_survives_a_kill(camera: Camera, command: list[str]) -> None:
    arguments = [*command, f"{camera.url}/live", "--save", "csv"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    unfinished = Path("predictions/unfinished-predictions.jsonl")
    while (not unfinished.exists() or unfinished.read_text().count("\n") < 3) and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = [json.loads(line) for line in unfinished.read_text().splitlines(keepends=True) if line.endswith("\n")]
    done = subprocess.run([*arguments, "--resume"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "going on: 1 of 1 inputs are done already" in done.stdout
    assert records() == kept


def test_the_newest_frame_is_read_and_the_others_are_counted(camera: Camera) -> None:
    camera.images = [jpeg(np.full((96, 160, 3), 2 * number, np.uint8)) for number in range(128)]
    with open_stream(Stream(f"{camera.url}/live")) as video:
        assert isinstance(video, LiveVideo)
        frames = video.frames()
        first = next(frames)
        time.sleep(1)
        second, third = next(frames), next(frames)
    jump = second.number - first.number
    assert jump > 10
    assert second.pixels.mean() - first.pixels.mean() == pytest.approx(2 * jump, abs=4)
    assert second.time is not None
    assert first.time is not None
    assert (second.time - first.time).total_seconds() > 0.8
    assert video.skipped >= third.number + 1 - 3 > 10


def test_attempts_to_connect_again_are_bounded(camera: Camera) -> None:
    said: list[str] = []
    with open_stream(Stream(f"{camera.url}/live"), pauses_s=(0.01, 0.02), say=said.append) as video:
        frames = video.frames()
        next(frames)
        camera.ended.set()
        with pytest.raises(Unreadable) as error:
            list(frames)
    assert str(error.value) == "a stream that broke off, and did not come back in 2 attempts: HTTP 404 Not Found"
    assert [line.partition("broke off ")[2] for line in said] == [
        *("(no more frames); attempt 1 of 2 in 0.01 s", "(HTTP 404 Not Found); attempt 2 of 2 in 0.02 s")
    ]


def test_a_live_stream_from_python(camera: Camera, exported: Path) -> None:
    alpr = lpr.ALPR(exported / MODELS / "detector.onnx", "none")
    for frame in alpr.video(f"{camera.url}/live"):
        (plate,) = frame.plates
        np.testing.assert_allclose(plate.box, box(ONE, 2), atol=1)
        assert frame.time is not None
        if frame.number >= 5:
            break


def test_rtsp_with_a_password(exported: Path, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "drive.ts"), cv2.VideoWriter.fourcc(*"mpg2"), 25, (320, 192))
    for _ in range(50):
        writer.write(draw(ONE, scale=2))
    writer.release()
    alpr = lpr.ALPR(exported / MODELS / "detector.onnx", "none")
    with RtspCamera((tmp_path / "drive.ts").read_bytes()) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            frames = alpr.video(f"rtsp://{server.login}@{server.address}")
            found = [next(frames) for _ in range(5)]
            frames.close()
            with pytest.raises(Unreadable, match="no stream that FFmpeg can open: the path, user name or password"):
                next(alpr.video(f"rtsp://admin:wrong@{server.address}"))
        finally:
            server.shutdown()
            thread.join()
    for frame in found:
        (plate,) = frame.plates
        np.testing.assert_allclose(plate.box, box(ONE, 2), atol=1)
