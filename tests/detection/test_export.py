"""Exported detectors have the outputs of Keras or are not written; their bytes depend on nothing else."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from clones import ROOT
from finder import SETTINGS, box, build_finder, draw, trained_project

from lpr.boxes import Detections
from lpr.cli.main import main as cli
from lpr.composition.compose import compose
from lpr.config import Config
from lpr.detection import families
from lpr.detection.confidence import ValidationDetections
from lpr.detection.export import TOLERANCE_CONFIDENCE, TOLERANCE_PX, Deviation, export, export_int8
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import keras_network
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.metrics.calibration import calibrate
from lpr.nn.saving import load_model, save_model
from lpr.paths import DETECTOR, MODELS

CENTERNET = [
    "experiment=none",
    "detector=centernet",
    "detector.stem_channels=4",
    "detector.stage_depths=[1,1,1,1]",
    "detector.fpn_channels=8",
    "augment=random_crops",
    "loss=giou",
]
FAMILIES = {
    "one scale": [
        *CENTERNET,
        "detector.output_stride=16",
        "inference=multiscale",
        "inference.scales=1",
        "inference.image_size_px=96",
    ],
    "several scales": [*CENTERNET, "inference=multiscale", "inference.image_size_px=256"],
    "regression": ["experiment=original", "detector.image_size_px=32", "detector.filters=2"],
}


@dataclass(frozen=True)
class Exported:
    """An untrained detector of a family, which finds plates in many places, and its export, below `folder`/models."""

    folder: Path
    config: Config
    deviations: dict[str, Deviation]


@pytest.fixture(scope="module", params=FAMILIES)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "_"))
    config = compose([*FAMILIES[request.param], "train.threads=1"], ROOT / "conf")
    family = families.load(config.detector.name)
    model = family.build(family.Settings.model_validate(config.detector.model_dump()), "float32", 0)
    if family.HAS_CONFIDENCE:
        heatmap = model.get_layer("heatmap")
        kernel, bias = heatmap.get_weights()
        heatmap.set_weights([kernel * 100, bias + 4])
    save_model(model, folder / DETECTOR)
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (*random.integers(40, 200, 2), 3), dtype=np.uint8) for _ in range(4)]
    return Exported(folder, config, export(folder / DETECTOR, config, images, folder / MODELS))


def test_every_family_has_the_outputs_of_keras_for_images_of_any_size(exported: Exported) -> None:
    files = {path.name for path in (exported.folder / MODELS).iterdir()}
    assert files == {"detector.keras", "detector.onnx", "detector.tflite"} == {"detector.keras", *exported.deviations}
    for deviation in exported.deviations.values():
        assert deviation.boxes >= 4
        assert 0 <= deviation.pixels <= TOLERANCE_PX
        assert 0 <= deviation.confidence <= TOLERANCE_CONFIDENCE
    detector, model = load_onnx_detector(exported.folder / MODELS / "detector.onnx"), exported.folder / DETECTOR
    assert detector.metadata.detector == exported.config.detector.name
    assert detector.metadata.inference == exported.config.inference
    assert detector.metadata.keras_md5 == file_md5(model)
    expected = keras_network(load_model(model))
    size = (32, 32) if exported.config.inference.name == "stretch" else (64, 96)
    for count in (1, 3):
        images = np.random.default_rng(count).integers(0, 256, (count, *size, 3), dtype=np.uint8)
        np.testing.assert_allclose(detector.network(images), expected(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("exported", ["one scale"], indirect=True)
def test_the_same_detector_is_the_same_bytes_in_another_process(exported: Exported, tmp_path: Path) -> None:
    code = (
        "import sys, numpy; from pathlib import Path; from lpr.config import Config; "
        "from lpr.detection.export import export; "
        "export(Path(sys.argv[1]), Config.model_validate_json(sys.argv[2]), "
        "[numpy.zeros((64, 64, 3), 'uint8')], Path(sys.argv[3]))"
    )
    config = exported.config.model_dump_json(by_alias=True)
    subprocess.run(
        [sys.executable, "-c", code, str(exported.folder / DETECTOR), config, str(tmp_path)],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
    )
    for name in ("detector.onnx", "detector.tflite"):
        assert (exported.folder / MODELS / name).read_bytes() == (tmp_path / name).read_bytes()


def plates_of(found: Detections, confidence: float) -> list[list[float]]:
    return sorted(found.boxes[found.confidences >= confidence].tolist())


def test_the_boxes_are_those_of_the_plates(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    detector = load_onnx_detector(Path("models/detector.onnx"))
    places = [(2, 3), (12, 7)]
    found = detector.detect(draw(*places, scale=3))
    np.testing.assert_allclose(plates_of(found, 0.5), [box(place, 3) for place in places], atol=0.01)


def test_tflite_works_by_itself_at_any_size(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    with pytest.warns(UserWarning, match="deprecated"):
        interpreter = tf.lite.Interpreter("models/detector.tflite")
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert image["dtype"] == np.uint8
    interpreter.resize_tensor_input(image["index"], (1, 96, 160, 3))
    interpreter.allocate_tensors()
    interpreter.set_tensor(image["index"], draw((2, 3))[None])
    interpreter.invoke()
    assert np.unravel_index(interpreter.get_tensor(output["index"])[0, ..., 0].argmax(), (12, 20)) == (4, 4)


def test_a_file_that_deviates_is_removed_and_so_is_an_earlier_one(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    trained_project(build_finder(wild=1e7), SETTINGS)
    with pytest.raises(UserError, match=r"detector\.onnx .* px"):
        export(DETECTOR, config, [draw((2, 3))], Path("models"))
    assert [path.name for path in Path("models").iterdir()] == ["detector.keras"]


def test_the_command_prints_the_deviation(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), SETTINGS)
    assert cli(["export", "--output", "elsewhere"]) == 0
    printed = capsys.readouterr().out
    assert "24 synthetic images" in printed
    assert "elsewhere/detector.onnx: " in printed
    session = onnxruntime.InferenceSession("elsewhere/detector.onnx")
    (image,) = session.get_inputs()
    assert (image.type, image.shape) == ("tensor(uint8)", ["n", "h", "w", 3])


def test_every_family_computes_with_8_bit_integers(exported: Exported, tmp_path: Path) -> None:
    shutil.copy(exported.folder / MODELS / "detector.onnx", tmp_path)
    images = [np.random.default_rng(seed).integers(0, 256, (90, 120, 3), dtype=np.uint8) for seed in range(3)]
    deviation = export_int8(tmp_path, images, images, threads=1)
    assert deviation.boxes >= 3
    assert 0 < deviation.pixels < 1
    plain, quantized = (load_onnx_detector(tmp_path / name) for name in ("detector.onnx", "detector.int8.onnx"))
    assert quantized.metadata == plain.metadata


def test_in_8_bit_integers_it_finds_the_same_plates(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), SETTINGS)
    assert cli(["export", "--int8"]) == 0
    assert "models/detector.int8.onnx: " in capsys.readouterr().out
    plain, quantized = (load_onnx_detector(Path("models") / name) for name in ("detector.onnx", "detector.int8.onnx"))
    assert quantized.metadata == plain.metadata
    places = [(2, 3), (12, 7)]
    found = quantized.detect(draw(*places, scale=3))
    np.testing.assert_allclose(plates_of(found, 0.5), [box(place, 3) for place in places], atol=1)
    operators = {node.op_type for node in onnx.load("models/detector.int8.onnx").graph.node}
    assert "DequantizeLinear" in operators
    first = Path("models/detector.int8.onnx").read_bytes()
    assert cli(["export", "--int8"]) == 0
    assert Path("models/detector.int8.onnx").read_bytes() == first
    assert cli(["export"]) == 0
    assert not Path("models/detector.int8.onnx").exists(), "it would be of another detector"


def test_nothing_trained(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), SETTINGS)
    DETECTOR.unlink()
    assert cli(["export"]) == 1
    assert "models/detector.keras is missing: `dvc repro train`" in capsys.readouterr().err


def test_a_detector_of_another_family_is_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_project(build_finder(), ["experiment=original", "train.threads=1"])
    assert cli(["export"]) == 1
    assert "family 'centernet', but params.yaml has detector.name=regression" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"), [(b"no model", "cannot be loaded"), (None, "is missing: `lpr export` writes it")]
)
def test_a_file_that_is_no_exported_detector(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "detector.onnx").write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_onnx_detector(tmp_path / "detector.onnx")


def test_confidences_are_calibrated_and_the_threshold_is_chosen_by_validation_images(project: Path) -> None:
    config = trained_project(build_finder(), SETTINGS)
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.05, 0.6, 2000)
    correct = rng.random(2000) < (confidences - 0.05) / 0.55  # the detector is surer than it says
    validation = ValidationDetections(confidences, correct, int(correct.sum()))
    export(DETECTOR, config, [draw((2, 3))], Path("models"), validation)
    detector = load_onnx_detector(Path("models/detector.onnx"))
    calibration, threshold = detector.metadata.calibration, detector.metadata.inference.confidence_threshold
    assert calibration is not None
    shares = [
        (calibrate(confidences[part], calibration).mean(), correct[part].mean())
        for part in (confidences < 0.2, (confidences > 0.2) & (confidences < 0.4), confidences > 0.4)
    ]
    np.testing.assert_allclose(*zip(*shares, strict=True), atol=0.05)
    after = calibrate(confidences, calibration)

    def f1(least: float) -> float:
        return float(2 * (correct & (after >= least)).sum() / ((after >= least).sum() + correct.sum()))

    assert f1(threshold) >= max(f1(other) for other in np.linspace(0.05, 0.95, 91)) - 0.005
    export(DETECTOR, config, [draw((2, 3))], Path("models"))
    plain = load_onnx_detector(Path("models/detector.onnx"))
    image = draw((2, 3), scale=3)
    np.testing.assert_allclose(
        detector.detect(image).confidences, calibrate(plain.detect(image).confidences, calibration)
    )
    assert plain.metadata.inference.confidence_threshold == 0.5
