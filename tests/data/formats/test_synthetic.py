"""The format of synthetic scenes: files, boxes, texts, and the same bytes from the same seed."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from indian_registrations import REGISTRATION
from joblib import Parallel, delayed
from PIL import Image

from lpr.data.annotations import image_name
from lpr.data.formats.synthetic import IMAGES, draw_scenes


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / IMAGES).iterdir()}


def lines(folder: Path) -> list[str]:
    return (folder / "annotations.json").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes") / "new"
    draw_scenes(folder, 24, seed=3)
    return folder


def test_same_seed_same_bytes_and_a_smaller_number_is_the_first_part(scenes: Path, tmp_path: Path) -> None:
    draw_scenes(tmp_path, 5, seed=3)
    draw_scenes(tmp_path, 4, seed=3)
    fewer, more = digests(tmp_path), digests(scenes)
    assert len(fewer) == 4  # the fifth of the earlier call is gone
    assert len(more) == 24
    assert fewer.items() <= more.items()
    assert lines(tmp_path) == lines(scenes)[:4]


def test_jobs_of_joblib_draw_the_same(scenes: Path, tmp_path: Path) -> None:
    """As a sweep by hydra/launcher=joblib does, where each job has to prepare its own data."""
    jobs = [tmp_path / "first", tmp_path / "second"]
    Parallel(2)(delayed(draw_scenes)(job, 2, seed=3) for job in jobs)
    assert [lines(job) for job in jobs] == [lines(scenes)[:2]] * 2


def test_a_relative_folder_is_that_of_the_working_directory(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):  # joblib's processes of the first call draw in the second, too
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        draw_scenes(Path("scenes"), 2, seed=3)
        assert digests(Path("scenes")).items() <= digests(scenes).items()


def test_another_seed_is_another_set(scenes: Path, tmp_path: Path) -> None:
    draw_scenes(tmp_path, 4, seed=4)
    assert not set(digests(tmp_path).values()) & set(digests(scenes).values())


def test_annotations_describe_the_images(scenes: Path) -> None:
    formats: Counter[str] = Counter()
    for index, line in enumerate(lines(scenes)):
        scene = json.loads(line)
        with Image.open(scenes / scene["content"]) as image:
            formats[f"{image.format} {image.mode}"] += 1
            size = image.size
        assert scene["content"].startswith(f"{IMAGES}/scene-{index:05d}.")
        assert 320 <= min(size) <= max(size) <= 900
        assert scene["annotation"]
        areas = []
        for plate in scene["annotation"]:
            assert plate["label"] == ["number_plate"]
            assert REGISTRATION.fullmatch(plate["notes"]), plate["notes"]
            assert (plate["imageWidth"], plate["imageHeight"]) == size
            first, last = plate["points"]
            assert 0 <= first["x"] < last["x"] <= 1
            assert 0 <= first["y"] < last["y"] <= 1
            areas.append((last["x"] - first["x"]) * (last["y"] - first["y"]))
        assert max(areas) == areas[0]
        assert (last["x"] - first["x"]) * size[0] > 30
    assert set(formats) >= {"JPEG RGB", "PNG RGB", "GIF P"}


def test_the_names_of_cached_scenes_and_so_their_split_stay() -> None:
    """As lpr 0.1 named them: the split hashes the names, so others would be another split."""
    assert image_name("synthetic", f"{IMAGES}/scene-00000.jpg") == "synthetic-scene-00000-jpg-24dd483951ea.jpg"
