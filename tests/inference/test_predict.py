"""`lpr predict` on real files: what it finds, writes and prints, and its exit status."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from clones import ROOT
from finder import box, draw
from PIL import Image, ImageDraw, ImageFont

from lpr.cli.main import main
from lpr.composition.compose import compose
from lpr.data.decoding import decode
from lpr.detection import families
from lpr.detection.export import export
from lpr.inference.inputs import Unreadable, read_image
from lpr.nn.saving import save_model
from lpr.paths import DETECTOR, MODELS

Lpr = Callable[..., subprocess.CompletedProcess[str]]
ONE, TWO = (2, 3), (12, 7)
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
FILES = ["predictions.csv", "predictions.jsonl", "run.json"]


@pytest.fixture
def lpr(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lpr:
    """`lpr predict` as a user types it in an empty folder, the current one; `--detector` names the exported detector.

    The process fails where TensorFlow was imported on the way.
    """
    monkeypatch.chdir(tmp_path)
    code = (
        "import sys; from lpr.cli.main import main; code = main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'tf2onnx'} & set(sys.modules); sys.exit(code)"
    )

    def run(
        *arguments: str, model: Path | None = exported / MODELS / "detector.onnx"
    ) -> subprocess.CompletedProcess[str]:
        named = ["--detector", str(model)] if model else []
        return subprocess.run(
            [sys.executable, "-c", code, "predict", *arguments, *named],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def start(
    exported: Path, *arguments: str, stdout: int = subprocess.PIPE, stderr: int | None = subprocess.PIPE
) -> subprocess.Popen[str]:
    """`lpr predict` without texts as a process that goes on beside the test."""
    command = [sys.executable, "-m", "lpr", "predict", *arguments, "--ocr", "none"]
    return subprocess.Popen(
        [*command, "--detector", str(exported / MODELS / "detector.onnx")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=stderr,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in a shell's background ignore it
    )


def save(image: np.ndarray, path: str, **options: object) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return Path(path)


def rows(path: str = "predictions/predictions.csv") -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def inputs(path: str = "predictions/predictions.jsonl") -> list[dict]:
    """The records of images, of the ends of videos, and of what could not be read."""
    records = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return [record for record in records if "frame" not in record]


def boxes(found: list[dict[str, str]]) -> list[list[float]]:
    return sorted([float(row[side]) for side in ("xmin", "ymin", "xmax", "ymax")] for row in found)


def test_the_plates_of_a_folder_are_listed_and_drawn(lpr: Lpr) -> None:
    save(draw(ONE, TWO, scale=3), "street/two.jpg", quality=95)
    save(draw(ONE), "street/one.png")
    save(draw(), "street/none.JPG")
    Path("street/notes.txt").write_text("no image")
    done = lpr("street", "--ocr", "none", "--format", "coco,yolo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "predictions/: predictions.jsonl, predictions.csv, annotated/, coco.json, yolo/\n" in done.stdout
    assert Path("predictions/yolo/images/two.jpg").read_bytes() == Path("street/two.jpg").read_bytes()
    assert "street/none.JPG: no plate\n" in done.stdout
    assert "images: 3, plates: 3, unreadable: 0" in done.stdout
    found = rows()
    assert [row["image"] for row in found] == ["street/none.JPG", "street/one.png", "street/two.jpg", "street/two.jpg"]
    assert found[0] == dict.fromkeys(found[0], "") | {"image": "street/none.JPG", "width": "160", "height": "96"}
    np.testing.assert_allclose(boxes(found[1:2]), [box(ONE)], atol=0.5)
    np.testing.assert_allclose(boxes(found[2:]), [box(ONE, 3), box(TWO, 3)], atol=0.5)
    assert all(float(row["confidence"]) > 0.9 for row in found[1:])
    entries = inputs()
    assert [len(entry["plates"]) for entry in entries] == [0, 1, 2]
    assert boxes(found[1:2]) == [entries[1]["plates"][0]["box"]]
    drawn = np.asarray(Image.open(f"predictions/{entries[2]['annotated']}"), int)
    changed = np.abs(drawn - draw(ONE, TWO, scale=3)).max(axis=2) > 60
    for left, top, right, bottom in (box(ONE, 3), box(TWO, 3)):
        assert changed[top - 1, left : int(right)].mean() > 0.9
        assert changed[top : int(bottom), right + 1].mean() > 0.9
    assert not changed[200:, :200].any()


@pytest.mark.parametrize(("engine", "least"), [("rapidocr", 0.5), ("recognizer", 0.2), ("cascade", 0.2)])
def test_the_texts_are_recognized(lpr: Lpr, engine: str, least: float) -> None:
    image = Image.fromarray(draw(scale=8))
    left, top, right, bottom = box(ONE, 8)
    pen = ImageDraw.Draw(image)
    pen.rectangle((left, top, right, bottom), "white")
    middle = (left + right) / 2, (top + bottom) / 2
    pen.text(middle, "KA05MH1234", "black", ImageFont.load_default(48), anchor="mm")
    image.save("car.png")
    done = lpr("car.png", "--confidence", "0.2", "--ocr", engine)
    assert done.returncode == 0, done.stderr
    (row,) = rows()
    assert row["text"] == "KA05MH1234"
    assert least < float(row["text_confidence"]) <= 1
    assert f"car.png: KA05MH1234 {float(row['confidence']):.2f}" in done.stdout
    assert "plates: 1 (1 read)" in done.stdout


def lettered(path: str, *texts: str) -> None:
    """A white plate for each text, at `ONE` and `TWO`; one without a text is grey: the detector is less sure."""
    image = Image.fromarray(draw(*(ONE, TWO)[: len(texts)], scale=8))
    pen = ImageDraw.Draw(image)
    for place, text in zip((ONE, TWO), texts, strict=False):
        left, top, right, bottom = box(place, 8)
        if not text:
            pen.rectangle((left, top, right - 1, bottom - 1), (180, 180, 180))
        pen.text(((left + right) / 2, (top + bottom) / 2), text, "black", ImageFont.load_default(48), anchor="mm")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def test_boxes_in_which_nothing_is_read_are_left_out_and_counted(lpr: Lpr) -> None:
    lettered("street/two.png", "KA05MH1234", "")
    lettered("street/none.png", "")
    arguments = ("street", "--ocr", "recognizer", "--confidence", "0.2", "--save", "csv,crops")
    done = lpr(*arguments)
    assert done.returncode == 0, done.stderr
    assert [row["text"] for row in rows()] == ["", "KA05MH1234"]
    assert [(len(entry["plates"]), entry["unread"]) for entry in inputs()] == [(0, 1), (1, 1)]
    assert "street/none.png: no plate\n" in done.stdout
    assert "images: 2, plates: 1 (1 read), unreadable: 0" in done.stdout
    assert (
        done.stdout.splitlines()[-1] == "boxes left out because nothing was read in them: 2; `--unread keep` lists them"
    )
    assert [path.name for path in Path("predictions/crops").iterdir()] == ["two-1.jpg"]
    other = lpr(*arguments, "--unread", "keep", "--resume")
    assert "was written with another unread" in other.stderr
    done = lpr(*arguments, "--unread", "keep")
    assert sorted(row["text"] for row in rows()) == ["", "", "KA05MH1234"]
    assert "left out" not in done.stdout
    assert all("unread" not in entry for entry in inputs())


def test_the_crops_of_plates_are_saved(lpr: Lpr) -> None:
    for folder in "ab":
        save(draw(ONE, TWO, scale=3), f"{folder}/x.png")
    save(draw(), "a/none.png")
    write_video("x.avi", "MJPG", [draw(scale=2), draw(ONE, scale=2)])
    done = lpr("a", "b", "x.avi", "--ocr", "none", "--save", "csv,crops")
    assert done.returncode == 0, done.stderr
    assert "predictions/: predictions.jsonl, predictions.csv, crops/\n" in done.stdout
    names = ["crops/x-1.jpg", "crops/x-2.jpg", "crops/x-2-1.jpg", "crops/x-2-2.jpg", "crops/x/1-1.jpg"]
    assert [row["crop"] for row in rows() if row["xmin"]] == names
    assert [plate["crop"] for entry in inputs()[1:3] for plate in entry["plates"]] == names[:4]
    written = {str(path.relative_to("predictions")) for path in Path("predictions/crops").rglob("*.jpg")}
    assert written == set(names)
    assert not Path("predictions/annotated").exists()
    for row in rows():
        if row["crop"]:
            crop = Image.open(Path("predictions", row["crop"]))
            assert crop.width == pytest.approx(float(row["xmax"]) - float(row["xmin"]), abs=1.5)
            assert np.asarray(crop).mean() > 200


def test_no_input_is_overwritten(lpr: Lpr) -> None:
    for folder in ("annotated", "crops", "yolo/images"):
        save(draw(ONE), f"predictions/{folder}/car.png")
    Path("predictions/yolo/images/link.png").symlink_to(save(draw(ONE), "car.png").absolute())
    before = Path("car.png").read_bytes()
    for what, folder, named, arguments in (
        ("images", "annotated", "car.png", []),
        ("crops", "crops", "car.png", ["--save", "crops"]),
        ("yolo", "yolo", "images/car.png", ["--format", "yolo"]),
        ("yolo", "yolo", "images/link.png", ["--format", "yolo"]),
    ):
        refused = lpr(f"predictions/{folder}/{named}", "--ocr", "none", *arguments)
        assert refused.returncode == 1
        place = f"{what} would be written to predictions/{folder}, which has inputs: choose another --output"
        assert refused.stderr == f"lpr predict: {place}\n"
    refused = lpr("car.png", "--ocr", "none", "--format", "yolo")
    assert "predictions/yolo/images, which has images of its own, such as car.png" in refused.stderr
    assert not Path("predictions/predictions.jsonl").exists()
    assert Path("car.png").read_bytes() == Path("predictions/yolo/images/link.png").read_bytes() == before


def test_images_that_come_later_take_no_names(lpr: Lpr) -> None:
    save(draw(ONE), "f/car.png")
    assert lpr("f", "--ocr", "none", "--save", "csv,images,crops").returncode == 0
    first = {path: path.read_bytes() for path in Path("predictions").rglob("*.jpg")}
    Path("f/car.PNG").write_bytes(save(draw(TWO), "other.png").read_bytes())  # sorted before the other
    done = lpr("f", "--ocr", "none", "--save", "csv,images,crops", "--resume")
    assert "going on: 1 of 2 inputs are done already" in done.stdout
    assert [row["crop"] for row in rows()] == ["crops/car-1.jpg", "crops/car-2-1.jpg"]
    assert [entry["annotated"] for entry in inputs()] == ["annotated/car.jpg", "annotated/car-2.jpg"]
    assert {path: path.read_bytes() for path in first} == first


def test_damaged_results_are_named(lpr: Lpr) -> None:
    save(draw(ONE), "car.png")
    command = ["car.png", "--ocr", "none", "--save", "csv"]
    assert lpr(*command).returncode == 0
    results, run = Path("predictions/predictions.jsonl"), Path("predictions/run.json")
    good = results.read_bytes()
    for file, content, where in (
        (results, good + b"\0\0\n", "predictions/predictions.jsonl, line 2,"),
        (results, good + b"\xff\n", "predictions/predictions.jsonl, line 2,"),
        (run, b"", "predictions/run.json"),
    ):
        file.write_bytes(content)
        done = lpr(*command, "--resume")
        assert done.returncode == 1
        assert done.stderr == f"lpr predict: {where} is damaged: repair it, or start anew without --resume\n"
        results.write_bytes(good)


def test_the_work_goes_on_where_nobody_reads_what_is_printed(exported: Path, lpr: Lpr) -> None:
    for number in range(12):
        save(draw(ONE), f"many/{number}.png")
    process = start(exported, "many", "--save", "csv", "--workers", "1")
    process.stdout.close()
    assert process.wait() == 0, process.stderr.read()
    assert process.stderr.read() == ""
    assert len(rows()) == 12


@pytest.mark.parametrize("other", [["--workers", "3"], pytest.param(["--on", "ray"], marks=pytest.mark.slow)])
def test_any_number_of_workers_writes_the_same_bytes(lpr: Lpr, other: list[str]) -> None:
    for number in range(12):
        lettered(f"street/{number}.png", f"KA05MH{number:04}", "")
    write_video("street/drive.avi", "MJPG", [draw((2 + number, 3), scale=2) for number in range(9)])
    Path("street/page.jpg").write_text("<html>")
    written = []
    for output, workers in (("one", ["--workers", "1"]), ("other", other)):
        arguments = [*workers, "--output", output, "--save", "csv,images,crops", "--confidence", "0.2"]
        done = lpr("street", "--ocr", "recognizer", *arguments)
        assert done.returncode == 3, done.stderr
        files = sorted(path for path in Path(output).rglob("*") if path.is_file())
        written.append({path.relative_to(output): path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert len(written[0]) == 3 + 13 + 12 + 9  # tables and run.json, annotated/, crops/ of images and of frames
    assert [entry["image"] for entry in inputs("other/predictions.jsonl")] == sorted(map(str, Path("street").iterdir()))


def test_images_are_turned_as_their_exif_says(lpr: Lpr) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    for orientation, method in undo.items():
        stored = Image.fromarray(draw(ONE, scale=2)).transpose(Image.Transpose(method))
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(f"{orientation}.jpg", exif=exif, quality=95)
        stored.save(f"{orientation}-xmp.jpg", xmp=XMP % orientation, quality=95)  # as some programs write it
    assert lpr("*.jpg", "--ocr", "none", "--save", "csv,images").returncode == 0
    assert [row["image"] for row in rows()] == sorted(path.name for path in Path().glob("*.jpg"))
    assert len(rows()) == 2 * len(undo)
    for row in rows():
        np.testing.assert_allclose(boxes([row]), [box(ONE, 2)], atol=0.5, err_msg=row["image"])
        assert Image.open(f"predictions/annotated/{row['image']}").size == (320, 192)
    assert sorted(path.name for path in Path("predictions").iterdir()) == ["annotated", *FILES]


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(lpr: Lpr) -> None:
    whole = save(draw(ONE), "good.jpg").read_bytes()
    Path("cut.jpg").write_bytes(whole[: len(whole) // 2])
    Path("page.jpg").write_text("<html>Not found</html>")
    Path("empty.png").touch()
    Path("nothing").mkdir()
    Path("nothing/readme.txt").touch()
    Path("clip.mp4").write_bytes(b"no video")
    done = lpr("cut.jpg", "page.jpg", "empty.png", "gone.jpg", "nothing", "clip.mp4", "good.jpg", "--ocr", "none")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [f"lpr predict: {entry['image']}: {entry['error']}" for entry in inputs()[:-1]]
    assert [entry["error"].partition(":")[0] for entry in inputs()[:-1]] == [
        *("a broken image", "not an image but a web page", "an empty file", "no such file"),
        *("a folder without images or videos", "not a video that FFmpeg can open"),
    ]
    np.testing.assert_allclose(boxes(rows()), [box(ONE)], atol=0.5)
    assert "unreadable: 6" in done.stdout


def test_a_folder_is_searched_by_content(lpr: Lpr) -> None:
    """Cameras and tools name files as they like; what is no image or video is counted."""
    for name in ("car.jfif", "car", "car.JPG.download"):
        save(draw(ONE), f"street/{name}", format="PNG")
    for name, code in (("a.3gp", "mp4v"), ("a.mts", "MPG2"), ("a.flv", "FLV1")):
        write_video(f"street/{name}", code, [draw(ONE, scale=2)] * 3)
    shutil.copy(ROOT / "tests/inference/files/car.heic", "street/IMG_1.HEIC")
    Path("street/broken.jpg").write_bytes(b"no image")
    Path("street/BMW.txt").write_text("BMW, blue")
    Path("street/.hidden.jpg").write_bytes(b"")
    os.mkfifo("street/pipe.jpg")
    save(draw(TWO), "street/more/car.png")
    save(draw(TWO), "street/predictions/annotated/earlier.png")
    done = lpr("street", "--ocr", "none", "--save", "csv", "--output", "street/predictions")
    assert done.returncode == 3
    assert [Path(entry["image"]).name for entry in inputs("street/predictions/predictions.jsonl")] == [
        *("IMG_1.HEIC", "a.3gp", "a.flv", "a.mts", "broken.jpg", "car", "car.JPG.download", "car.jfif")
    ]
    assert "not looked at: 2 files that are no images or videos (street/BMW.txt, street/pipe.jpg)" in done.stdout
    assert "not looked at: 1 subfolder (street/more); `--recursive` looks into subfolders" in done.stdout
    assert f"images: {4 + 3 * 3}, " in done.stdout
    done = lpr("street", "--recursive", "--ocr", "none", "--save", "csv", "--output", "street/predictions")
    assert "street/more/car.png" in [entry["image"] for entry in inputs("street/predictions/predictions.jsonl")]
    assert f"images: {5 + 3 * 3}, " in done.stdout
    assert "subfolder" not in done.stdout


def test_no_input_stops_the_others(lpr: Lpr) -> None:
    """A frame rate that MPEG-4 cannot have, a header of 65000 × 65000 pixels, a pipe, long names, a secret folder."""
    write_video("slow.avi", "MJPG", [draw(ONE, scale=2)] * 4, frames_per_second=206.897)
    content = bytearray(save(draw(ONE, scale=2), "claims.jpg").read_bytes())
    place = content.index(b"\xff\xc0") + 5  # height and width in the frame header
    content[place : place + 4] = (65000).to_bytes(2, "big") * 2
    Path("claims.jpg").write_bytes(content)
    os.mkfifo("pipe.jpg")
    long = "ж" * 125
    for folder in "ab":
        save(draw(ONE), f"{folder}/{long}.png")
    save(draw(ONE), "good.png")
    names = ["slow.avi", "claims.jpg", "pipe.jpg", f"a/{long}.png", f"b/{long}.png", "x" * 300 + ".jpg", "good.png"]
    done = lpr(*names, "--ocr", "none", "--save", "csv,images,crops")
    assert done.returncode == 3, done.stderr
    errors = {entry["image"]: entry.get("error") for entry in inputs()}
    assert list(errors) == names
    assert errors["slow.avi"] is None
    assert "4225000000 pixels" in errors["claims.jpg"]
    assert errors["pipe.jpg"] == "not a file: a pipe, a socket or a device"
    assert errors["x" * 300 + ".jpg"] == "File name too long"
    assert [errors[name] for name in names if "ж" in name or name == "good.png"] == [None] * 3
    assert cv2.VideoCapture("predictions/annotated/slow.mp4").get(cv2.CAP_PROP_FPS) == pytest.approx(206.9, abs=0.1)
    assert len(list(Path("predictions/annotated").iterdir())) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(draw(ONE), str(tmp_path / "secret/car.png"))
    (tmp_path / "secret").chmod(0)
    monkeypatch.chdir("/")
    os.seteuid(65534)
    try:
        with pytest.raises(Unreadable, match="Permission denied"):
            read_image(tmp_path / "secret")
    finally:
        os.seteuid(0)


def test_nothing_that_can_be_read(lpr: Lpr) -> None:
    Path("nothing").mkdir()
    done = lpr("nothing", "--ocr", "none")
    assert done.returncode == 1
    assert done.stderr == (
        "lpr predict: nothing: a folder without images or videos\nlpr predict: nothing could be read\n"
    )
    assert inputs() == [{"image": "nothing", "error": "a folder without images or videos"}]


def test_the_pixels_are_those_that_detectors_are_trained_on(tmp_path: Path) -> None:
    for mode in ("RGB", "L"):
        Image.fromarray(draw(ONE, TWO, scale=2)).convert(mode).save(tmp_path / f"{mode}.jpg", quality=70)
        expected = decode((tmp_path / f"{mode}.jpg").read_bytes())[0]
        np.testing.assert_array_equal(read_image(tmp_path / f"{mode}.jpg"), expected)


def test_so_are_those_of_real_images(real_data: Path) -> None:
    paths = sorted((real_data / "dataturks" / "mirror").iterdir())[::5]
    for path in paths:
        np.testing.assert_array_equal(read_image(path), decode(path.read_bytes())[0], str(path))


def write_video(name: str, code: str, frames: list[np.ndarray], frames_per_second: float = 10) -> None:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*code), frames_per_second, (width, height))
    for frame in frames:
        writer.write(frame[..., ::-1].copy())
    writer.release()


def test_a_video_is_processed_frame_by_frame(lpr: Lpr) -> None:
    frames = [draw((2 + number, 3), scale=2) if number % 3 else draw(scale=2) for number in range(9)]
    write_video("drive.avi", "MJPG", frames)
    done = lpr("drive.avi", "--ocr", "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert "drive.avi: 9 frames, 6 plates" in done.stdout
    found = rows()
    assert [int(row["frame"]) for row in found] == [1, 2, 4, 5, 7, 8]
    assert {row["track"] for row in found} == {"1"}
    for row in found:
        np.testing.assert_allclose(boxes([row]), [box((2 + int(row["frame"]), 3), 2)], atol=1)
    (entry,) = inputs()
    assert (entry["frames"], entry["frames_per_second"], entry["annotated"]) == (9, 10, "annotated/drive.mp4")
    assert entry["tracks"] == [{"number": 1, "first": 1, "last": 8, "plates": 6, "text": ""}]
    video = cv2.VideoCapture("predictions/annotated/drive.mp4")
    seen = [video.read()[1] for _ in range(9)]
    assert not video.read()[0]
    left, top, right, _ = box((3, 3), 2)
    frame, empty = (np.asarray(image, int)[top - 2, left:right] for image in (seen[1], seen[0]))
    # Orange in OpenCV's order of channels.
    assert frame[:, 2].mean() > 120 > 80 > frame[:, 0].mean()
    assert empty.mean() < 60


def test_a_video_that_breaks_off_keeps_what_was_found(lpr: Lpr) -> None:
    write_video("whole.avi", "MJPG", [draw(ONE, scale=2) for _ in range(20)])
    content = Path("whole.avi").read_bytes()
    Path("half.avi").write_bytes(content[: len(content) // 2])
    done = lpr("half.avi", "--ocr", "none", "--save", "csv")
    assert done.returncode == 3
    assert "half.avi: a video that breaks off after " in done.stderr
    (entry,) = inputs()
    assert 5 <= entry["frames"] == len(rows()) < 15
    assert not Path("predictions/annotated").exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_keeps_what_was_found(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, status: int
) -> None:
    monkeypatch.chdir(tmp_path)
    first = save(draw(ONE, scale=8), "many/0000.png")
    for number in range(1, 400):
        Path(f"many/{number:04}.png").symlink_to(first.name)
    process = start(exported, "many")
    while not Path("predictions/annotated/0002.jpg").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    said, complaint = process.communicate()
    assert process.returncode == status
    assert complaint == "lpr predict: interrupted; what was found is kept, and `--resume` goes on\n"
    assert 2 <= len(rows()) < 400
    assert f"images: {len(rows())}, plates: {len(rows())}" in said
    assert sum("plates" in entry for entry in inputs()) == len(rows())
    # What was in work was finished: no image was drawn whose record is lost.
    assert len(list(Path("predictions/annotated").iterdir())) == len(rows())


def test_an_interrupted_video_keeps_its_frames_and_is_done_again(exported: Path, lpr: Lpr) -> None:
    write_video("drive.avi", "MJPG", [draw(ONE, scale=8)] * 60)
    process = start(exported, "drive.avi", "--save", "csv", stdout=subprocess.DEVNULL, stderr=None)
    unfinished = Path("predictions/unfinished-predictions.jsonl")
    while (not unfinished.exists() or unfinished.read_text().count("\n") < 2) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert 2 <= len(rows()) < 60
    assert inputs() == []
    assert lpr("drive.avi", "--ocr", "none", "--save", "csv", "--resume").returncode == 0
    assert len(rows()) == 60
    assert inputs()[0]["frames"] == 60


def test_patterns_and_names_that_are_the_same(lpr: Lpr) -> None:
    for folder in "ab":
        save(draw(ONE), f"{folder}/x.png")
    save(draw(ONE), "a/x.jpg")
    done = lpr("?/*.png", "a/x.jpg", "a/x.png", "--ocr", "none")
    assert done.returncode == 0
    assert [(entry["image"], entry["annotated"]) for entry in inputs()] == [
        ("a/x.png", "annotated/x.jpg"),
        ("b/x.png", "annotated/x-2.jpg"),
        ("a/x.jpg", "annotated/x-3.jpg"),
    ]
    assert len(list(Path("predictions/annotated").iterdir())) == 3


def test_what_was_found_is_a_table_to_train_on(lpr: Lpr, tmp_path: Path) -> None:
    from lpr.data.annotations import read_annotations
    from lpr.data.sources import obtain

    save(draw(ONE, TWO), "street/two.png")
    save(draw(), "street/none.png")
    assert lpr("street", "--ocr", "none").returncode == 0
    data = compose(
        ["data=table", "data.annotations=predictions/predictions.csv", "data.image_root=."], ROOT / "conf"
    ).data
    obtain(data.sources[0], Path("source"), data)
    plates = read_annotations(Path("source/annotations.json"), "mine").plates
    assert plates["url"].tolist() == ["street/none.png", "street/two.png", "street/two.png"]
    assert plates["top_x"].notna().tolist() == [False, True, True]


def test_the_default_is_the_shipped_detector_and_one_that_was_trained_here_is_pointed_to(
    lpr: Lpr, exported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image, model = save(draw(ONE), "one.png"), MODELS / "detector.onnx"
    done = lpr(str(image), "--ocr", "none", model=None)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(Path("predictions/run.json").read_text())["detector"] == "shipped"
    shutil.copytree(exported / MODELS, MODELS)
    done = lpr(str(image), "--ocr", "none", model=None)
    assert done.stderr == "lpr predict: by the shipped detector; --detector models/detector.onnx names yours\n"
    done = lpr(str(image), "--ocr", "none", model=model)
    assert (done.returncode, done.stderr) == (0, "")
    DETECTOR.write_bytes(b"trained anew")
    done = lpr(str(image), "--ocr", "none", model=model)
    assert done.returncode == 0
    assert "models/detector.onnx was exported from another models/detector.keras" in done.stderr
    model.unlink()
    done = lpr(str(image), "--ocr", "none", model=model)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "lpr predict: models/detector.onnx is missing, but models/detector.keras is there: `lpr export` writes it"
    )
    DETECTOR.unlink()
    done = lpr(str(image), "--ocr", "none", model=model)
    assert done.returncode == 1
    assert done.stderr == "lpr predict: models/detector.onnx is missing: `lpr export` writes it\n"
    for loop in ("loop.png", "*.png"):
        Path("loop.png").unlink(missing_ok=True)
        Path("loop.png").symlink_to("loop.png")
        done = lpr(loop, str(image), "--ocr", "none", model=None)
        assert "lpr predict: loop.png: Too many levels of symbolic links\n" in done.stderr
        assert f"{image}: " in done.stdout
    assert (
        lpr(str(image), "--ocr", "none", model=Path("")).stderr == "lpr predict: . is missing: `lpr export` writes it\n"
    )


def test_the_ocr_engine_is_that_of_params_yaml_where_there_is_one(lpr: Lpr, exported: Path) -> None:
    image = save(draw(ONE), "one.png")
    settings = (exported / "params.yaml").read_text()
    Path("params.yaml").write_text(settings.replace("  margin: 0.16\n", "  margin: 7.0\n"))
    done = lpr(str(image))
    assert done.returncode == 1
    assert "params.yaml:\n  ocr.margin=7.0: input should be less than or equal to 1" in done.stderr
    Path("params.yaml").write_text("lr: 0.1\n")  # of another project
    assert lpr(str(image)).returncode == 0
    assert json.loads(Path("predictions/run.json").read_text())["ocr"] == "cascade"


def test_the_regression_family_finds_one_plate_an_image(lpr: Lpr, exported: Path) -> None:
    shutil.copytree(exported / "conf", "conf")
    config = compose(["experiment=original", "detector.image_size_px=32", "detector.filters=2", "train.threads=1"])
    family = families.load("regression")
    settings = family.Settings.model_validate(config.detector.model_dump())
    save_model(family.build(settings, "float32", 0), DETECTOR)
    export(DETECTOR, config, [draw(ONE)], MODELS)
    image = save(draw(ONE, scale=2), "one.jpg")
    done = lpr(str(image), "--ocr", "none", model=MODELS / "detector.onnx")
    assert done.returncode == 0, done.stderr
    ((left, top, right, bottom),) = boxes(rows())
    assert 0 <= left < right <= 320
    assert 0 <= top < bottom <= 192


def test_a_detector_that_lpr_did_not_export(lpr: Lpr, exported: Path) -> None:
    import onnx

    model = onnx.load(exported / MODELS / "detector.onnx")
    for said, value in (("was written by another version of lpr", "{}"), ("lack the key 'lpr'", None)):
        model.ClearField("metadata_props")
        if value:
            onnx.helper.set_model_props(model, {"lpr": value})
        onnx.save(model, "foreign.onnx")
        done = lpr(str(save(draw(ONE), "one.png")), model=Path("foreign.onnx"))
        assert done.returncode == 1
        assert said in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--confidence", "2"],
        ["--save", "xml"],
        ["--format", "voc"],
        ["--ocr", "eyes"],
        ["--unread", "no"],
        ["--workers", "0"],
        [],
    ],
)
def test_wrong_usage(lpr: Lpr, arguments: list[str]) -> None:
    done = lpr(*(["x.jpg", *arguments] if arguments else []))
    assert done.returncode == 2
    assert "usage: lpr predict" in done.stderr


def test_the_exit_codes_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "3 some inputs could not be read" in said


def test_a_killed_run_goes_on_without_what_is_done(exported: Path, lpr: Lpr) -> None:
    first = save(draw(ONE, scale=8), "many/0000.png")
    for number in range(1, 60):
        Path(f"many/{number:04}.png").symlink_to(first.name)
    write_video("many/drive.avi", "MJPG", [draw(ONE, scale=2)] * 3)
    Path("many/page.jpg").write_text("<html>")
    process = start(exported, "many", "--save", "csv", stdout=subprocess.DEVNULL, stderr=None)
    unfinished = Path("predictions/unfinished-predictions.jsonl")
    while (not unfinished.exists() or unfinished.read_text().count("\n") < 5) and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not Path("predictions/predictions.jsonl").exists()
    with unfinished.open("a") as file:
        file.write('{"image": "many/drive.avi", "frame": 0, "width": 320, "height": 192, "plates": []}\n{"ima')
    kept = unfinished.read_text().splitlines()[:-2]

    before = unfinished.read_bytes()
    anew = lpr("many", "--ocr", "none", "--save", "csv")
    assert anew.returncode == 1
    assert "is of a killed run: go on with --resume, or remove it" in anew.stderr
    other = lpr("many", "--ocr", "none", "--save", "csv", "--confidence", "0.9", "--resume")
    assert other.returncode == 1
    assert "was written with another confidence" in other.stderr
    assert unfinished.read_bytes() == before
    done = lpr("many", "--ocr", "none", "--save", "csv", "--resume")
    assert done.returncode == 3
    assert f"going on: {len(kept)} of 62 inputs are done already" in done.stdout
    assert "images: 63, plates: 63, unreadable: 1" in done.stdout
    records = Path("predictions/predictions.jsonl").read_text().splitlines()
    assert records[: len(kept)] == kept
    assert [entry["image"] for entry in inputs()] == [
        *(f"many/{number:04}.png" for number in range(60)),
        *("many/drive.avi", "many/page.jpg"),
    ]
    assert len(rows()) == 63
    assert sorted(path.name for path in Path("predictions").iterdir()) == FILES
    again = lpr("many", "--ocr", "none", "--save", "csv", "--resume")
    assert "going on: 62 of 62 inputs are done already" in again.stdout
    assert Path("predictions/predictions.jsonl").read_text().splitlines() == records
