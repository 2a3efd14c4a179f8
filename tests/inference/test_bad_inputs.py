"""A folder of more than sixty bad inputs beside three good ones: each is listed with a reason, the good are processed.

The same faults in 15,900 files (`spoiled`, other seeds) raised nothing else than `Unreadable` and took no time.
"""

import json
import os
import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from clones import ROOT
from PIL import Image

from lpr.inference.inputs import Unreadable, read_image
from lpr.inference.results import printable
from lpr.synthesis.scenes import draw_scene

IMAGES = {
    "jpg": {"format": "JPEG"},
    "jpeg": {"format": "JPEG", "progressive": True},
    "png": {"format": "PNG"},
    "gif": {"format": "GIF"},
    "webp": {"format": "WEBP"},
    "tif": {"format": "TIFF", "compression": "tiff_lzw"},
    "bmp": {"format": "BMP"},
    "avif": {"format": "AVIF"},
    "jp2": {"format": "JPEG2000"},
}
LINKS = {"gone.jpg": "nowhere.jpg", "itself.jpg": "itself.jpg"}
VIDEOS = {"mp4": "mp4v", "avi": "MJPG", "mkv": "mp4v", "flv": "FLV1"}


def whole_files(folder: Path) -> dict[str, bytes]:
    """Suffix → a file that can be read."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    found = {"heic": (ROOT / "tests/inference/files/car.heic").read_bytes()}
    for suffix, options in IMAGES.items():
        content = BytesIO()
        Image.fromarray(pixels).save(content, **options)
        found[suffix] = content.getvalue()
    for suffix, code in VIDEOS.items():
        writer = cv2.VideoWriter(str(folder / f"whole.{suffix}"), cv2.VideoWriter.fourcc(*code), 10, (80, 60))
        for _ in range(6):
            writer.write(pixels)
        writer.release()
        found[suffix] = (folder / f"whole.{suffix}").read_bytes()
    return found


def spoiled(content: bytes, random_: random.Random) -> bytes:
    """Some bytes of the beginning, where formats have sizes and offsets, changed, doubled or taken away."""
    changed = bytearray(content)
    for _ in range(random_.choice((2, 5, 30))):
        place = random_.randrange(4, min(len(changed), 400))
        fault = random_.choice(["bytes", "number", "shorter", "longer"])
        if fault == "bytes":
            changed[place] = random_.randrange(256)
        elif fault == "number":
            changed[place : place + 4] = random_.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        elif fault == "shorter":
            del changed[place : place + 4]
        else:
            changed[place:place] = changed[place : place + 40]
    return bytes(changed)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def claims(content: bytes, place: int, code: str, *values: int) -> bytes:
    size = struct.pack(code, *values)
    return content[:place] + size + content[place + len(size) :]


def special_files(whole: dict[str, bytes]) -> dict[str, bytes]:
    """Name → content that is a known trap for decoders, or something else under the name of an image."""
    jpeg, png, bmp = whole["jpg"], whole["png"], whole["bmp"]
    start = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", 80, 60, 8, 2, 0, 0, 0)
    many = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * (70 << 20)))
    floats = BytesIO()
    Image.new("F", (80, 60)).save(floats, "TIFF")
    return {
        "empty.jpg": b"",
        "one-byte.png": b"\x89",
        "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "answer.jpg": b'{"error": "not found"}',
        "text.png": "Straße\n".encode("utf-16"),
        "archive.jpg": b"PK\x03\x04" + bytes(60),
        "document.jpg": b"%PDF-1.7\n1 0 obj<<>>endobj\n",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "pointer.jpg": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "zeros.jpg": bytes(5000),
        "only-start.jpg": b"\xff\xd8\xff",
        "claims.jpg": claims(jpeg, jpeg.index(b"\xff\xc0") + 5, ">HH", 65000, 65000),
        "no-size.jpg": claims(jpeg, jpeg.index(b"\xff\xc0") + 5, ">HH", 0, 0),
        "claims.png": start + png_chunk(b"IHDR", claims(header, 0, ">II", 60000, 60000)) + png_chunk(b"IEND", b""),
        "no-pixels.png": start + png_chunk(b"IHDR", header) + png_chunk(b"IEND", b""),
        "bomb.png": start + png_chunk(b"IHDR", header) + many * 2 + png[png.index(b"IDAT") - 4 :],
        "claims.gif": claims(whole["gif"], 6, "<HH", 65535, 65535),
        "no-frame.gif": b"GIF89a" + struct.pack("<HHBBB", 80, 60, 0, 0, 0) + b";",
        "claims.bmp": claims(bmp, 18, "<ii", 2**31 - 1, -(2**31) + 1),
        "circle.tif": b"II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 8),
        "floats.tif": floats.getvalue(),
        "claims.ppm": b"P6 99999 99999 255\n",
        "noise.mp4": np.random.default_rng(1).bytes(3000),
        "only-type.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
        "only-header.avi": b"RIFF\xff\xff\xff\x7fAVI LIST",
        "only-header.mkv": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1f",
        "sound.mp4": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(20),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `street`, with good-1.png, good-2.jpg and good-3.webp, in the folder that is returned."""
    place = tmp_path_factory.mktemp("bad")
    street = place / "street"
    street.mkdir()
    scene = draw_scene(np.random.default_rng(3)).image
    for name in ("good-1.png", "good-2.jpg", "good-3.webp"):
        scene.save(street / name, quality=95)
    whole = whole_files(place)
    for suffix, content in whole.items():
        (street / f"cut.{suffix}").write_bytes(content[: len(content) // 3])
        (street / f"start.{suffix}").write_bytes(content[:40])
        for seed in range(3):
            (street / f"spoiled-{seed}.{suffix}").write_bytes(spoiled(content, random.Random(f"{suffix}{seed}")))
    for name, content in special_files(whole).items():
        (street / name).write_bytes(content)
    for name, target in LINKS.items():
        (street / name).symlink_to(target)
    (street / os.fsdecode(b"stra\xdfe.jpg")).write_bytes(b"a name that is no UTF-8")
    return place


def test_each_bad_input_has_a_reason_and_the_good_ones_are_processed(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lpr", "predict", "street", "--ocr", "none", "--save", "csv,images,crops"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # what libraries print of broken headers
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    lines = (folder / "predictions" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    ends = {record["image"]: record for record in map(json.loads, lines) if "frame" not in record}
    there = [Path("street", path.name) for path in (folder / "street").iterdir()]
    assert sorted(ends) == sorted(printable(path) for path in there if path.name not in LINKS)
    left_out = ", ".join(f"street/{name}" for name in LINKS)
    assert f"not looked at: 2 files that are no images or videos ({left_out})" in done.stdout

    bad = {image: record["error"] for image, record in ends.items() if "error" in record}
    assert len(bad) > 60
    assert all(reason.strip() and "\n" not in reason for reason in bad.values())
    spared = {image.removeprefix("street/") for image in ends.keys() - bad.keys()}
    # Of what is spoiled, some can still be decoded; nothing else can.
    assert {name for name in spared if "spoiled" not in name} == {"good-1.png", "good-2.jpg", "good-3.webp"}
    plates = {name: len(ends[f"street/{name}"]["plates"]) for name in spared if name.startswith("good")}
    assert all(plates.values())
    assert f"unreadable: {len(bad)}" in done.stdout


def test_the_reasons_say_what_it_is(folder: Path) -> None:
    reasons = {
        "page.jpg": "not an image but a web page",
        "archive.jpg": "not an image but something else",
        "empty.jpg": "an empty file",
        "gone.jpg": "no such file",
        "itself.jpg": "Too many levels of symbolic links",
        "floats.tif": "floating-point pixels, whose range is unknown",
        "claims.jpg": "a broken image: .*4225000000 pixels",
        "claims.png": "a broken image: .*3600000000 pixels",
        "claims.gif": "a broken image: .*4294836225 pixels",
        "bomb.png": "a broken image: .*(text|Decompressed)",
    }
    for name, reason in reasons.items():
        with pytest.raises(Unreadable, match=f"^{reason}"):
            read_image(folder / "street" / name)


def test_a_file_that_would_not_fit_in_memory_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "disk.jpg").open("wb") as file:
        file.truncate(5 << 30)  # sparse: takes no space
    with pytest.raises(Unreadable, match="larger than 1 GB"):
        read_image(tmp_path / "disk.jpg")
