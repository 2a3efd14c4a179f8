"""From synthetic plates to a recognizer in use, by DVC; what its stages write is in test_recognizer_experiments.py."""

import hashlib
import json
from pathlib import Path

import pytest
from clones import TINY, Clone

from lpr.synthesis.lettered_plates import draw_lettered_plates
from lpr.synthesis.plate_file import load_plates, save_plates

SETTINGS = [
    *TINY,
    "recognizer.synthetic_plates=12",
    "recognizer.held_out_plates=12",
    "recognizer.stem_channels=4",
    "recognizer.fpn_channels=8",
    "recognizer.train.epochs=2",
    "recognizer.train.threads=1",
    "recognizer.train.steps_per_epoch=2",
    "recognizer.train.batch_size=4",
]
STAGES = ["synthesize-plates", "label-plates", "train-recognizer", "export-recognizer", "evaluate-recognizer"]


def ran(output: str) -> list[str]:
    return [line.split("'")[1].rpartition(":")[2] for line in output.splitlines() if line.startswith("Running stage")]


@pytest.fixture(scope="module")
def trained(tiny_run: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy of the tiny run in which a tiny recognizer was trained."""
    clone = tiny_run.copy(tmp_path_factory.mktemp("recognizer") / "clone")
    clone.lpr_in_process("params", *SETTINGS)
    for stage in STAGES:
        clone.lpr_in_process(stage)
    return clone


@pytest.mark.slow
def test_dvc_runs_the_stages_to_the_same_bytes_and_a_second_time_does_nothing(trained: Clone) -> None:
    before = digest(trained.folder)
    assert ran(trained.dvc("repro", "recognizer/dvc.yaml").stdout) == ["config", *STAGES]
    assert digest(trained.folder) == before
    assert ran(trained.dvc("repro", "recognizer/dvc.yaml").stdout) == []


def digest(folder: Path) -> list[str]:
    names = ("recognizer.keras", "recognizer.onnx", "recognizer.int8.onnx")
    return [hashlib.sha256((folder / "models" / name).read_bytes()).hexdigest() for name in names]


@pytest.mark.slow
def test_the_trained_recognizer_is_an_ocr_engine_of_the_chain(trained: Clone) -> None:
    trained.lpr("params", *SETTINGS, "ocr=recognizer", "ocr.weights=models/recognizer.onnx")
    assert ran(trained.dvc("repro").stdout) == ["config", "ocr", "report"]
    recognition = json.loads((trained.folder / "metrics" / "recognition.json").read_text())
    assert recognition["synthetic"]["test"]["true"]["plates"] > 0


def test_a_file_that_is_no_recognizer_is_named(clone: Clone) -> None:
    clone.lpr_in_process("params", *SETTINGS, "ocr=recognizer", "ocr.weights=params.yaml")
    refused = clone.lpr_in_process("ocr", check=False)
    assert refused.returncode == 1
    assert "params.yaml" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_plates_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    plates = draw_lettered_plates(3, 5)
    for name in ("one.npz", "two.npz"):
        save_plates(plates, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    for plate, again in zip(plates, load_plates(tmp_path / "one.npz"), strict=True):
        assert (plate.pixels == again.pixels).all()
        assert (plate.characters == again.characters).all()
        assert (plate.text, plate.box) == (again.text, again.box)
