"""`lpr.ALPR`: what it takes, finds, draws and refuses."""

import functools
import http.server
import io
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clones import ROOT
from finder import box, draw
from PIL import Image, ImageDraw, ImageFont

import lpr
from lpr.boxes import Detections
from lpr.errors import UserError
from lpr.inference.inputs import Unreadable
from lpr.ocr.engines.base import PlateText
from lpr.paths import MODELS

ONE, TWO = (2, 3), (12, 7)


@pytest.fixture(scope="module")
def alpr(exported: Path) -> lpr.ALPR:
    return lpr.ALPR(exported / MODELS / "detector.onnx", ocr="none")


def found(plates: list[lpr.Plate]) -> list[tuple[float, ...]]:
    return sorted(plate.box for plate in plates)


def test_it_takes_an_image_in_any_form(alpr: lpr.ALPR, tmp_path: Path) -> None:
    pixels = draw(ONE, TWO, scale=3)
    path = tmp_path / "car.png"
    Image.fromarray(pixels).save(path)
    rgba = Image.fromarray(pixels).convert("RGBA")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/car.png"
        images = [path, str(path), path.read_bytes(), rgba, pixels, pixels[..., 1], url]
        every = alpr(images)
        assert [found(plates) for plates in every] == [found(alpr(image)) for image in images]
        server.shutdown()
    np.testing.assert_allclose(found(every[0]), [box(ONE, 3), box(TWO, 3)], atol=0.5)
    for plates in every:
        np.testing.assert_allclose(found(plates), found(every[0]), atol=0.5)


def test_the_order_of_an_arrays_channels_can_be_opencvs(alpr: lpr.ALPR, tmp_path: Path) -> None:
    pixels = draw(ONE)
    pixels[..., 2] //= 3  # yellow plates, which are brighter in their own order
    assert alpr(pixels)[0].confidence == alpr(pixels[..., ::-1], bgr=True)[0].confidence
    with pytest.raises(Unreadable, match=r"type float64 and shape \(96, 160, 3\); images are uint8"):
        alpr(pixels / 255)
    with pytest.raises(Unreadable, match=r"shape \(0, 160, 3\), which has no pixel"):
        alpr(pixels[:0])


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("gone.jpg", "no such file"),
        (".", "'.' is a folder; name the images in it"),
        (b"", "an empty file"),
        (b"<html>", "not an image but a web page"),
        (None, "no image, but of type NoneType"),
        (Image.new("F", (160, 96)), "floating-point pixels"),
    ],
)
def test_what_is_no_image_is_refused(alpr: lpr.ALPR, image: Any, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        alpr(image)


def test_a_plate_has_its_text_candidates_and_crop(exported: Path) -> None:
    image = Image.fromarray(draw(scale=8))
    left, top, right, bottom = box(ONE, 8)
    pen = ImageDraw.Draw(image)
    pen.rectangle((left, top, right, bottom), "white")
    pen.text(((left + right) / 2, (top + bottom) / 2), "KA05MH1234", "black", ImageFont.load_default(48), anchor="mm")
    reads = lpr.ALPR(exported / MODELS / "detector.onnx", "recognizer", confidence_threshold=0.2)
    (plate,) = reads(image)
    assert plate.text == "KA05MH1234"
    assert plate.crop is not None
    assert plate.crop.width == pytest.approx(plate.box[2] - plate.box[0], rel=0.5)
    assert len(plate.candidates) == len(plate.text)
    for character, candidates in zip(plate.text, plate.candidates, strict=True):
        assert max(candidates, key=lambda one: candidates[one]) == character
        assert all(0 <= share <= 1 for share in candidates.values())
    content = plate.to_dict()
    assert content["text"] == "KA05MH1234"
    assert content["box"] == [round(side, 2) for side in plate.box]
    assert set(content) == {"box", "confidence", "text", "text_confidence", "candidates", "regions"}
    assert sum(content["regions"].values()) == pytest.approx(1, abs=1e-3)
    drawn = np.asarray(reads.draw(image, [plate]), int)
    assert np.abs(drawn - np.asarray(image)).max(axis=2).any()


def test_the_example_of_the_documentation(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lpr.inference.alpr.SHIPPED_DETECTOR", exported / MODELS / "detector.onnx")
    Image.fromarray(draw(ONE, scale=2)).save("car.jpg")
    writer = cv2.VideoWriter("drive.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 192))
    for _ in range(2):
        writer.write(draw(ONE, scale=2)[..., ::-1].copy())
    writer.release()
    for page, printed in (("docs/inference.md", 3), ("README.md", 1)):
        (example, *_) = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)
        exec(example, {})
        assert len(capsys.readouterr().out.splitlines()) == printed
    assert Image.open("drawn.jpg").size == (320, 192)


class EverySquare:
    """A detector of one's own."""

    def detect(self, image: np.ndarray) -> Detections:
        height, width = image.shape[:2]
        return Detections(np.array([[0.0, 0.0, width / 2, height / 2], [0, 0, width, height]]), np.array([0.9, 0.05]))


class SizeReader:
    """An OCR engine of one's own."""

    def read(self, image: Image.Image) -> PlateText:
        return PlateText(f"W{image.width}", 0.8)


def test_detectors_and_ocr_engines_of_ones_own() -> None:
    (plate,) = lpr.ALPR(EverySquare(), SizeReader())(np.zeros((100, 200, 3), np.uint8))
    assert (plate.text, plate.text_confidence, plate.confidence) == ("W120", 0.8, 0.9)
    assert plate.box == (0, 0, 100, 50)
    assert len(lpr.ALPR(EverySquare(), "none", confidence_threshold=0.05)(Image.new("RGB", (20, 20)))) == 2


def test_the_texts_follow_the_registrations_of_a_country() -> None:
    class Reader:
        def __init__(self, **regions: float) -> None:
            self.regions = regions

        def read(self, image: Image.Image) -> PlateText:  # noqa: ARG002
            return PlateText("KAO5MH1234", 0.8, regions=self.regions)

    image = np.zeros((100, 200, 3), np.uint8)
    for reader, country, text in (
        (Reader(), {"country": "india"}, "KA05MH1234"),
        (Reader(), {}, "KAO5MH1234"),
        (Reader(india=0.7, europe=0.3), {}, "KA05MH1234"),
        (Reader(india=0.7, europe=0.3), {"country": "none"}, "KAO5MH1234"),
    ):
        (plate,) = lpr.ALPR(EverySquare(), reader, **country)(image)
        assert plate.text == text
    with pytest.raises(UserError, match=r"country='indai': there is no such country; choose of .*india"):
        lpr.ALPR(EverySquare(), Reader(), country="indai")


def test_the_plates_of_a_video_are_tracked(alpr: lpr.ALPR, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "drive.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 192))
    for number in range(4):
        writer.write(draw((2 + number, 3), scale=2)[..., ::-1].copy())
    writer.release()
    frames = list(alpr.video(tmp_path / "drive.avi"))
    assert [frame.number for frame in frames] == [0, 1, 2, 3]
    assert [(plate.frame, plate.track) for frame in frames for plate in frame.plates] == [(n, 1) for n in range(4)]
    assert frames[0].image.size == (320, 192)
    with pytest.raises(Unreadable, match="no such file"):
        next(alpr.video(tmp_path / "gone.avi"))


def test_threads_may_share_it(exported: Path) -> None:
    class Alone:
        """Fails where two threads are in it at a time."""

        def __init__(self) -> None:
            self._lock = threading.Lock()

        def read(self, image: Image.Image) -> PlateText:  # noqa: ARG002
            assert self._lock.acquire(blocking=False)
            threading.Event().wait(0.01)
            self._lock.release()
            return PlateText("A", 1.0)

    shared = lpr.ALPR(exported / MODELS / "detector.onnx", Alone())
    images = [draw(ONE), draw(TWO)] * 6
    with ThreadPoolExecutor(4) as pool:
        assert [found(plates) for plates in pool.map(shared, images)] == [found(shared(image)) for image in images]


def test_a_list_is_processed_by_several_workers_to_the_same_plates(exported: Path) -> None:
    images = [draw((number % 12, 3), scale=2) for number in range(9)]
    model = exported / MODELS / "detector.onnx"
    one, three = (lpr.ALPR(model, "recognizer", unread="keep", workers=workers) for workers in (1, 3))
    assert one(images) == three(images) != []
    with pytest.raises(Unreadable, match="no such file"):
        three([*images, "gone.jpg", b""])
    with pytest.raises(ValueError, match="workers=0: there is one at least"):
        lpr.ALPR(model, "none", workers=0)
    with pytest.raises(ValueError, match="confidence_threshold=50: it is in 0–1"):
        lpr.ALPR(model, "none", confidence_threshold=50)


class HeightReader:
    """Reads less confidently what is less high."""

    def read(self, image: Image.Image) -> PlateText:
        return PlateText("KA01" if image.height > 28 else "", image.height / 100)


class Ladder:
    """Boxes of several heights."""

    def detect(self, image: np.ndarray) -> Detections:  # noqa: ARG002
        boxes = [[10.0, 10.0, 90.0, 10.0 + height] for height in (60, 20, 15, 13, 5)]
        return Detections(np.array(boxes), np.linspace(0.69, 0.5, 5))


class Certain:
    """A box that is certainly a plate."""

    def detect(self, image: np.ndarray) -> Detections:  # noqa: ARG002
        return Detections(np.array([[10.0, 10.0, 90.0, 30.0]]), np.array([0.95]))


def test_a_box_in_which_nothing_is_read_is_no_plate() -> None:
    def heights(plates: list[lpr.Plate]) -> list[float]:
        return [plate.box[3] - plate.box[1] for plate in plates]

    image = np.zeros((100, 100, 3), np.uint8)
    # 20 px: a text without confidence; 15 px: no text; below 14 px there may be a plate, though nothing can be read
    assert heights(lpr.ALPR(Ladder(), HeightReader())(image)) == [60, 13, 5]
    assert heights(lpr.ALPR(Ladder(), HeightReader(), unread="keep")(image)) == [60, 20, 15, 13, 5]
    assert heights(lpr.ALPR(Ladder(), "none")(image)) == [60, 20, 15, 13, 5]
    # From a fifth of the threshold on, a box is a plate if it is read; a certain one is, read or not.
    assert heights(lpr.ALPR(Ladder(), HeightReader(), confidence_threshold=0.95)(image)) == [60]
    assert heights(lpr.ALPR(Certain(), HeightReader())(image)) == [20]
    with pytest.raises(ValueError, match="unread='no': choose of drop, keep"):
        lpr.ALPR(Ladder(), "none", unread="no")


def test_a_plate_that_is_unread_in_some_frames_keeps_its_track(tmp_path: Path) -> None:
    class Passing:
        """A plate at the left whose text is hidden for longer than a track may be interrupted, and a box without."""

        def detect(self, image: np.ndarray) -> Detections:  # noqa: ARG002
            return Detections(np.array([[10.0, 10, 110, 40], [200, 100, 300, 130]]), np.array([0.65, 0.6]))

    class Bright:
        def read(self, image: Image.Image) -> PlateText:
            return PlateText("KA01AB1234", 0.9) if np.asarray(image).mean() > 100 else PlateText("", 0.0)

    writer = cv2.VideoWriter(str(tmp_path / "drive.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 192))
    for number in range(14):
        frame = np.zeros((192, 320, 3), np.uint8)
        frame[:50, :120] = 0 if 3 <= number < 12 else 255
        writer.write(frame)
    writer.release()
    for workers in (1, 3):
        frames = list(lpr.ALPR(Passing(), Bright(), workers=workers).video(tmp_path / "drive.avi"))
        assert [frame.number for frame in frames] == list(range(14))
        assert [[plate.track for plate in frame.plates] for frame in frames] == [[1]] * 3 + [[]] * 9 + [[1]] * 2
        assert [frame.unread for frame in frames] == [1] * 3 + [2] * 9 + [1] * 2


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, lpr; before = set(sys.modules); lpr.ALPR; print(sorted({'numpy', 'cv2', 'PIL'} & before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="module 'lpr' has no attribute 'Alpr'"):
        lpr.Alpr  # noqa: B018


def test_bytes_and_pil_images_are_decoded_alike(alpr: lpr.ALPR) -> None:
    for mode, dtype in {
        "P": None,
        "L": None,
        "RGBA": None,
        "CMYK": None,
        "I;16": "<u2",
        "I;16B": ">u2",
        "I": "i4",
    }.items():
        image = Image.fromarray(draw(ONE)).convert("L" if dtype else mode)
        if dtype:
            values = (np.asarray(image).astype(dtype) * 257).astype(dtype)
            image = Image.frombytes(mode, image.size, values.tobytes())
        file = io.BytesIO()
        image.save(file, "TIFF")
        assert len(alpr(image)) == 1
        np.testing.assert_allclose(found(alpr(image)), found(alpr(file.getvalue())), atol=0.01, err_msg=mode)
    assert len(alpr(Image.fromarray(np.asarray(Image.fromarray(draw(ONE)).convert("L"), np.int32)))) == 1  # 8 bits
    with pytest.raises(Unreadable, match="a broken image: "):
        alpr(Image.open(io.BytesIO(file.getvalue()[:2000])))
