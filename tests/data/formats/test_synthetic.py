"""The drawn data source: files, boxes, texts, and the same bytes from the same seed."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lpr.data.formats.synthetic import draw_scenes
from lpr.synthesis.plate_art import LONG, SCHEMES, SMALL, SQUARE, choose_plate, draw_plate
from lpr.synthesis.scenes import draw_scene, paste_warped

STATE = "(?:A[NPRS]|BR|C[GH]|D[DN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[GNRS]|U[AKP]|WB)"
NUMBER = re.compile(
    rf"{STATE}\d{{2}}[A-HJ-NP-Z]{{0,3}}\d{{1,4}}"  # states and older forms
    r"|DL\d{1,2}[A-Z][A-HJ-NP-Z]{2}\d{4}"  # Delhi
    r"|\d{2}BH\d{4}[A-HJ-NP-Z]{1,2}"  # Bharat series
)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "images").iterdir()}


def lines(folder: Path) -> list[str]:
    return (folder / "annotations.json").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "new"
    draw_scenes(folder, 40, seed=3)
    return folder


def test_same_seed_same_bytes_and_a_smaller_number_is_the_first_part(drawn: Path, tmp_path: Path) -> None:
    draw_scenes(tmp_path, 9, seed=3)
    draw_scenes(tmp_path, 8, seed=3)
    fewer, more = digests(tmp_path), digests(drawn)
    assert len(fewer) == 8  # the ninth of the earlier drawing is gone
    assert len(more) == 40
    assert fewer.items() <= more.items()
    assert lines(tmp_path) == lines(drawn)[:8]


def test_another_seed_is_another_set(drawn: Path, tmp_path: Path) -> None:
    draw_scenes(tmp_path, 4, seed=4)
    assert not set(digests(tmp_path).values()) & set(digests(drawn).values())


def test_annotations_describe_the_images(drawn: Path) -> None:
    formats: Counter[str] = Counter()
    for index, line in enumerate(lines(drawn)):
        scene = json.loads(line)
        with Image.open(drawn / scene["content"]) as image:
            formats[f"{image.format} {image.mode}"] += 1
            size = image.size
        assert scene["content"].startswith(f"images/scene-{index:05d}.")
        assert 320 <= min(size) <= max(size) <= 900
        assert scene["annotation"]
        areas = []
        for plate in scene["annotation"]:
            assert plate["label"] == ["number_plate"]
            assert NUMBER.fullmatch(plate["notes"]), plate["notes"]
            assert (plate["imageWidth"], plate["imageHeight"]) == size
            first, last = plate["points"]
            assert 0 <= first["x"] < last["x"] <= 1
            assert 0 <= first["y"] < last["y"] <= 1
            areas.append((last["x"] - first["x"]) * (last["y"] - first["y"]))
        assert max(areas) == areas[0]
        assert (last["x"] - first["x"]) * size[0] > 30
    assert set(formats) >= {"JPEG RGB", "PNG RGB", "GIF P"}


def test_plates_of_every_scheme_with_valid_numbers_on_one_and_two_lines() -> None:
    seen = set()
    for index in range(400):
        rng = np.random.default_rng(index)
        plate = choose_plate(rng, (LONG, SQUARE, SMALL)[index % 3])
        assert NUMBER.fullmatch(plate.text), plate.text
        assert len(plate.text) <= 11
        seen.add((plate.scheme, len(plate.lines)))
        if index < 40:
            art = draw_plate(plate, 200, rng)
            assert art.size == (200, round(200 * plate.size_mm[1] / plate.size_mm[0]))
            background = np.asarray(art.convert("RGB"), float).reshape(-1, 3)
            near = np.abs(background - SCHEMES[plate.scheme][0]).max(axis=1) < 50
            assert near.mean() > 0.25, (index, plate)
    assert seen == {(scheme, count) for scheme in SCHEMES for count in (1, 2)}


def test_a_warped_plate_lands_on_its_corners() -> None:
    corners = np.array([(60.0, 40.0), (180.0, 55.0), (176.0, 92.0), (57.0, 74.0)])
    image = Image.new("RGB", (240, 160), (0, 0, 0))
    paste_warped(image, Image.new("RGBA", (300, 90), (255, 255, 255)), corners)
    rows, columns = np.nonzero(np.asarray(image).max(axis=2) > 100)
    assert (columns.min(), columns.max() + 1) == pytest.approx((57, 180), abs=1.5)
    assert (rows.min(), rows.max() + 1) == pytest.approx((40, 92), abs=1.5)


def test_most_plates_can_be_read_inside_their_boxes() -> None:
    rapidocr = pytest.importorskip("rapidocr")
    reader = rapidocr.RapidOCR()
    right = []
    for index in range(40):
        scene = draw_scene(np.random.default_rng([11, index]))
        left, top, right_edge, bottom = (round(edge) for edge in scene.plates[0].box)
        if right_edge - left < 2.5 * (bottom - top):
            continue
        crop = np.asarray(scene.image.crop((left, top, right_edge, bottom)))[:, :, ::-1]
        answer = reader(crop, use_det=False, use_cls=False, use_rec=True)
        text = re.sub("[^A-Z0-9]", "", "".join(answer.txts or ()).upper())
        right.append(text.replace("O", "0") == scene.plates[0].text.replace("O", "0"))
    assert len(right) >= 20
    assert np.mean(right) >= 0.6
