"""What is exported says what Keras says, or is not there; its bytes depend on nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from finder import SETTINGS, box, build_finder, draw, trained_project

from lpr import cli
from lpr.config import compose
from lpr.detector.decoding import Plates
from lpr.detector.export import TOLERANCE_CONFIDENCE, TOLERANCE_PX, export
from lpr.detector.exported import load_exported
from lpr.detector.looks import look
from lpr.detector.networks import build_detector, load_detector, save_detector
from lpr.detector.prediction import keras_network
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.stages.files import DETECTOR

CENTER = [
    "experiment=none",
    "detector=center",
    "detector.width=4",
    "detector.depth=1",
    "detector.neck=8",
    "augment=views",
    "loss=giou",
]
FAMILIES = {
    "batch": [*CENTER, "detector.norm=batch", "detector.stride=16", "inference=one_look", "inference.image_size=96"],
    "weight": [*CENTER, "detector.norm=weight", "inference=two_looks", "inference.image_size=128"],
    "seed": ["experiment=seed", "detector.image_size=32", "detector.filters=2"],
}


def untrained(settings: list[str]) -> Path:
    """A detector of that family, which sees plates in many places."""
    config = compose([*settings, "train.threads=1"])
    model = build_detector(config.detector, "float32", 0)
    if config.detector.name == "center":
        heat = model.get_layer("heat")
        kernel, bias = heat.get_weights()
        heat.set_weights([kernel * 100, bias + 4])
    save_detector(model, DETECTOR)
    return DETECTOR


def noise(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*random.integers(40, 200, 2), 3), dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_says_what_keras_says_for_pictures_of_any_size(project: Path, family: str) -> None:
    config = compose([*FAMILIES[family], "train.threads=1"])
    deviations = export(untrained(FAMILIES[family]), config, noise(4), Path("out"))
    assert {path.name for path in Path("out").iterdir()} == {"detector.onnx", "detector.tflite"} == set(deviations)
    for deviation in deviations.values():
        assert deviation.boxes >= 4
        assert 0 <= deviation.pixels <= TOLERANCE_PX
        assert 0 <= deviation.confidence <= TOLERANCE_CONFIDENCE
    exported, model = load_exported(Path("out/detector.onnx")), load_detector(DETECTOR)
    assert exported.facts.detector == config.detector.name
    assert exported.facts.inference == config.inference
    assert exported.facts.keras_md5 == file_md5(DETECTOR)
    size = (32, 32) if family == "seed" else (64, 96)
    for count in (1, 3):
        pictures = np.random.default_rng(count).integers(0, 256, (count, *size, 3), dtype=np.uint8)
        np.testing.assert_allclose(exported.network(pictures), keras_network(model)(pictures), rtol=1e-4, atol=1e-4)


def plates_of(found: Plates, confidence: float) -> list[list[float]]:
    return sorted(found.boxes[found.confidences >= confidence].tolist())


def test_the_boxes_are_those_of_the_plates(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    detector = load_exported(Path("models/detector.onnx"))
    places = [(2, 3), (12, 7)]
    found = look(draw(*places, scale=3), detector.network, config.inference)
    np.testing.assert_allclose(plates_of(found, 0.5), [box(place, 3) for place in places], atol=0.01)


def test_tflite_works_by_itself_at_any_size(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    with pytest.warns(UserWarning, match="deprecated"):
        interpreter = tf.lite.Interpreter("models/detector.tflite")
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert taken["dtype"] == np.uint8
    interpreter.resize_tensor_input(taken["index"], (1, 96, 160, 3))
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], draw((2, 3))[None])
    interpreter.invoke()
    assert np.unravel_index(interpreter.get_tensor(given["index"])[0, ..., 0].argmax(), (12, 20)) == (4, 4)


def test_the_same_detector_is_the_same_bytes_in_another_process(project: Path) -> None:
    config = compose([*FAMILIES["batch"], "train.threads=1"])
    export(untrained(FAMILIES["batch"]), config, noise(1), Path("one"))
    code = (
        "import numpy; from pathlib import Path; from lpr.config import compose; "
        "from lpr.detector.export import export; "
        f"export(Path({str(DETECTOR)!r}), compose({[*FAMILIES['batch'], 'train.threads=1']!r}), "
        "[numpy.zeros((64, 64, 3), 'uint8')], Path('other'))"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": "."}
    )
    for name in ("detector.onnx", "detector.tflite"):
        assert Path("one", name).read_bytes() == Path("other", name).read_bytes()


def test_what_deviates_is_not_left_and_neither_is_an_earlier_one(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    trained_project(build_finder(wild=1e7), SETTINGS)
    with pytest.raises(UserError, match=r"detector\.onnx .* px"):
        export(DETECTOR, config, [draw((2, 3))], Path("models"))
    assert [path.name for path in Path("models").iterdir()] == ["detector.keras"]


def test_the_command_says_how_close_it_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), SETTINGS)
    assert cli.main(["export", "--output", "elsewhere"]) == 0
    said = capsys.readouterr().out
    assert "24 drawn pictures" in said
    assert "elsewhere/detector.onnx: " in said
    session = onnxruntime.InferenceSession("elsewhere/detector.onnx")
    (taken,) = session.get_inputs()
    assert (taken.type, taken.shape) == ("tensor(uint8)", ["n", "h", "w", 3])


def test_nothing_trained(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), SETTINGS)
    DETECTOR.unlink()
    assert cli.main(["export"]) == 1
    assert "models/detector.keras is missing: `dvc repro train`" in capsys.readouterr().err


def test_another_family_than_the_configuration_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), ["experiment=seed", "train.threads=1"])
    assert cli.main(["export"]) == 1
    assert "family 'center', and params.yaml says detector=seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"), [(b"no model", "cannot be loaded"), (None, "is missing: `lpr export` writes it")]
)
def test_what_is_no_exported_detector(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "detector.onnx").write_bytes(content)
    with pytest.raises(UserError, match=said):
        load_exported(tmp_path / "detector.onnx")
