"""The wheel, installed beside the packages of the base installation alone, and used in an empty folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from clones import ROOT, clone_project
from packaging.requirements import Requirement
from PIL import Image, ImageDraw
from plate_images import plate_image

from lpr.paths import SHIPPED_DETECTOR
from lpr.synthesis.indian_plates import LONG

PLATE = 220, 290  # the upper left corner of the plate of `car.jpg`, pixels


class Installation:
    """A virtual environment with the wheel, and an empty folder, where its commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "empty"
        self.folder.mkdir()
        self.python = folder / "venv" / "bin" / "python"
        venv.create(folder / "venv", symlinks=True)
        (self.packages,) = (folder / "venv" / "lib").glob("python*/site-packages")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of the environment, which knows nothing of the checkout."""
        environment = {"PATH": f"{self.python.parent}{os.pathsep}{os.defpath}", "HOME": str(self.folder.parent)}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def install(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet", *arguments]
        subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what stands in the checkout now."""
    folder = tmp_path_factory.mktemp("wheel")
    clone_project(folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(folder / "source")], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel beside links to the packages, of those installed here, that its base dependencies need."""
    installation = Installation(tmp_path_factory.mktemp("installed"))
    installation.install("--no-deps", "--no-index", str(wheel))
    (metadata,) = installation.packages.glob("lpr-*.dist-info")
    for package in closure(Distribution.at(metadata)):
        for name in {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}:
            link = installation.packages / name
            if not link.exists():
                link.symlink_to(str(package.locate_file(name)))
    draw_car(installation.folder / "car.jpg")
    return installation


def closure(package: Distribution) -> Iterator[Distribution]:
    """The packages that it requires without an extra, and those that these require, each once."""
    waiting, seen = [package], set()
    while waiting:
        for entry in waiting.pop().requires or ():
            requirement = Requirement(entry)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                required = distribution(requirement.name)
                if required.name not in seen:
                    seen.add(required.name)
                    waiting.append(required)
                    yield required


def draw_car(path: Path) -> str:
    """An image of 640 × 420 px of the back of a car, with a plate of 200 px at `PLATE`; returns the plate's text."""
    text, plate = plate_image(LONG, 3, 0)
    image = Image.new("RGB", (640, 420), (120, 130, 140))
    draw = ImageDraw.Draw(image)
    draw.rectangle((80, 60, 560, 400), fill=(40, 42, 60))
    draw.rectangle((130, 80, 510, 180), fill=(20, 25, 30))
    image.paste(plate.resize((200, round(200 * plate.height / plate.width)), Image.Resampling.LANCZOS), PLATE)
    image.save(path, quality=92)
    return text


def test_the_environment_has_the_base_installation_alone(installed: Installation) -> None:
    for package in ("pandas", "scipy", "hydra", "dvc", "wandb", "tensorflow", "keras", "matplotlib", "sklearn"):
        done = installed.run("python", "-c", f"import {package}")
        assert f"No module named '{package}'" in done.stderr


@pytest.mark.skipif(not SHIPPED_DETECTOR.is_file(), reason="the detector's weights are not in this checkout")
def test_predict_reads_a_plate(installed: Installation, tmp_path: Path) -> None:
    done = installed.run("lpr", "predict", "car.jpg")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with (installed.folder / "predictions" / "predictions.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == draw_car(tmp_path / "car.jpg")
    assert abs(float(row["xmin"]) - PLATE[0]) < 20
    assert abs(float(row["ymin"]) - PLATE[1]) < 20
    assert (installed.folder / "predictions" / "annotated" / "car.jpg").is_file()


@pytest.mark.parametrize("engine", ["cascade", "recognizer", "rapidocr"])
def test_plates_are_read_from_python_even_beside_a_conf_of_something_else(
    installed: Installation, engine: str, tmp_path: Path
) -> None:
    (installed.folder / "conf").mkdir(exist_ok=True)
    (installed.folder / "conf" / "config.yaml").write_text("server: 1\n")
    done = installed.run("python", "-c", _READ.format(engine=engine, box=[*PLATE, PLATE[0] + 200, PLATE[1] + 48]))
    assert done.returncode == 0, done.stderr
    assert done.stdout == draw_car(tmp_path / "car.jpg") + "\n"


_READ = """
import numpy as np
import lpr
from lpr.boxes import Detections

class Mine:
    def detect(self, image):
        return Detections(np.array([{box}], float), np.array([0.9]))

for plate in lpr.ALPR(detector=Mine(), ocr="{engine}")("car.jpg"):
    print(plate.text)
"""


def test_videos_are_tracked_and_other_images_are_decoded(installed: Installation) -> None:
    code = """
import cv2, lpr
from PIL import Image
from lpr.inference.tracker import Tracker
from lpr.inference.plates import Plate
tracker = Tracker(2)
for frame in range(3):
    print([plate.track for plate in tracker.update([Plate((frame, 0, 60 + frame, 20), 0.9)], frame)])
from lpr.inference.inputs import read_image
from pathlib import Path
Image.open("car.jpg").save("car.png")
print(read_image(Path("car.png")).shape)
"""
    done = installed.run("python", "-c", code)
    assert done.stdout.splitlines() == ["[1]", "[1]", "[1]", "(420, 640, 3)"], done.stderr


def test_the_help_lists_the_verbs_and_the_engines(installed: Installation) -> None:
    assert "predict" in installed.run("lpr", "--help").stdout
    assert "cascade, ocrspace, rapidocr, recognizer, tesseract, none" in " ".join(
        installed.run("lpr", "predict", "--help").stdout.split()
    )


def test_the_package_is_imported_at_once(installed: Installation) -> None:
    """Measured by what is imported, not by a clock."""
    done = installed.run("python", "-c", "import sys, lpr; print({'numpy', 'pydantic', 'PIL'} & set(sys.modules))")
    assert done.stdout == "set()\n"


def test_models_are_listed_with_what_their_cards_say(installed: Installation) -> None:
    done = installed.run("lpr", "models")
    assert done.returncode == 0, done.stderr
    assert "recognizer/weights/recognizer.onnx" in done.stdout
    assert "detection/weights/detector.onnx" in done.stdout
    assert "Licence: MIT" in done.stdout
    card = installed.run("lpr", "models", "--card", "recognizer")
    assert card.stdout == (ROOT / "lpr" / "ocr" / "recognizer" / "weights" / "README.md").read_text()


@pytest.mark.parametrize("verb", ["experiment", "train", "params", "tune", "export"])
def test_what_needs_more_packages_says_so_in_a_line(installed: Installation, verb: str) -> None:
    done = installed.run("lpr", verb)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"lpr {verb} needs packages that are not installed (")
    assert line.endswith("): pip install 'lpr[experiments,cpu]'")


@pytest.mark.slow
def test_the_registry_has_all_that_the_wheel_requires(wheel: Path, tmp_path: Path) -> None:
    """The true installation; it needs a package registry."""
    installation = Installation(tmp_path)
    installation.install(str(wheel))
    text = draw_car(installation.folder / "car.jpg")
    done = installation.run("python", "-c", _READ.format(engine="cascade", box=[*PLATE, PLATE[0] + 200, PLATE[1] + 48]))
    assert done.stdout == f"{text}\n", done.stderr
