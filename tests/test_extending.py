"""A format, a detector family, an OCR engine and metrics from outside the package: the modules of docs/examples/."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clones import ROOT, Clone

from lpr.synthesis.scenes import draw_scene

TOYS = ["data=toy", "data.annotations=plates.txt", "detector=toy", "ocr=toy", "metrics=toy"]
IMAGES = 18


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project of one's own: conf/ with the toys' options, the toys' modules, images, and a file that lists them."""
    folder = tmp_path_factory.mktemp("outside")
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
    shutil.copytree(ROOT / "docs" / "examples" / "conf", folder / "conf", dirs_exist_ok=True)
    lines = ["no plate is described here"]
    for number in range(IMAGES):
        scene = draw_scene(np.random.default_rng([7, number]))
        plate = scene.plates[0]
        scene.image.save(folder / f"{number:02}.png")
        size = "x".join(map(str, scene.image.size))
        lines.append(f"{number:02}.png {size} {','.join(f'{side:.1f}' for side in plate.box)} {plate.text}")
    (folder / "plates.txt").write_text("\n".join(lines) + "\n")
    clone = Clone(folder)
    clone.environment["PYTHONPATH"] = str(ROOT)
    return clone


@pytest.fixture(scope="module")
def experiments(outside: Clone) -> list[Path]:
    """Two whole experiments with the toys, from annotations to the report."""
    toys = [*TOYS, "experiment=none", "split=random", "split.train=0.5", "split.validation=0.2", "split.test=0.3"]
    sizes = ["detector.filters=2,4", "train.epochs=2", "train.batch_size=4", "train.threads=1", "tracking=off"]
    outside.lpr("experiment", "-m", *toys, *sizes, "hydra.sweep.dir=experiments/toys")
    return [outside.folder / "experiments" / "toys" / job for job in ("0", "1")]


def test_the_format_is_read_and_its_bad_line_is_counted(experiments: list[Path]) -> None:
    assert len(pd.read_csv(experiments[0] / "data/plates.csv")) == IMAGES
    (reject,) = pd.read_csv(experiments[0] / "data/rejects.csv").to_dict("records")
    assert (reject["source"], reject["line"]) == ("toy", 1)


def test_the_family_is_trained_and_scored(experiments: list[Path]) -> None:
    assert list(pd.read_csv(experiments[0] / "reports/history.csv")["epoch"]) == [1, 2]
    predictions = pd.read_csv(experiments[0] / "reports/predictions.csv")
    assert len(predictions) == IMAGES
    parameters = [json.loads((job / "metrics/training.json").read_text())["parameters"] for job in experiments]
    assert parameters[0] < parameters[1]


def test_the_engine_reads(experiments: list[Path]) -> None:
    texts = pd.read_csv(experiments[0] / "reports/recognitions.csv")["predicted_text"].dropna()
    assert set(texts) <= {"KA01AB1234", "MH12DE1433"}
    assert len(texts) > 0


def test_the_metrics_are_scored_shown_and_compared(experiments: list[Path], outside: Clone) -> None:
    detection = json.loads((experiments[0] / "metrics/detection.json").read_text())["toy"]["test"]
    recognition = json.loads((experiments[0] / "metrics/recognition.json").read_text())["toy"]["test"]["true"]
    assert set(detection) == {"mean_iou", "centre_error_px"}
    assert detection["centre_error_px"]["low"] <= detection["centre_error_px"]["value"]
    assert 0 <= recognition["digit_accuracy"]["value"] <= 1
    page = (experiments[0] / "reports/index.html").read_text()
    assert "distance between the centres of the true and the predicted box" in page
    compared = outside.lpr("compare", *(str(job.relative_to(outside.folder)) for job in experiments)).stdout
    assert "digit_accuracy" in compared
    assert "detector.filters 2 → 4" in compared


def test_a_wrong_key_of_a_plug_in_is_refused_by_name(outside: Clone) -> None:
    for override, nearest in (("++detector.filter=3", "filters"), ("++ocr.text=[A]", "texts")):
        done = outside.lpr("params", *TOYS, "experiment=none", override, check=False)
        assert done.returncode == 1
        assert f"did you mean '{nearest}'" in done.stderr
        assert "Traceback" not in done.stderr


def test_dvc_watches_the_modules_of_ones_own(outside: Clone) -> None:
    outside.lpr("params", *TOYS, "experiment=none")
    params = (outside.folder / "params.yaml").read_text()
    for module in ("family", "engine"):
        assert f"docs/examples/toy_{module}.py" in params


def test_the_exported_detector_of_the_family_predicts_without_tensorflow(
    experiments: list[Path], outside: Clone, tmp_path: Path
) -> None:
    exported = subprocess.run(
        [sys.executable, "-m", "lpr", "export", "--output", str(tmp_path)],
        cwd=experiments[0],
        env=outside.environment | {"PYTHONPATH": f"{ROOT}:{outside.folder}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert exported.returncode == 0, exported.stderr
    options = ["--detector", str(tmp_path / "detector.onnx"), "--ocr", "toy"]
    code = (
        "import sys; from lpr.cli.main import main; status = main(sys.argv[1:]); "
        "print('tensorflow' in sys.modules); sys.exit(status)"
    )
    done = outside.run(sys.executable, "-c", code, "predict", "00.png", *options, "--output", str(tmp_path / "out"))
    assert done.stdout.splitlines()[-1] == "False"
    (row,) = pd.read_csv(tmp_path / "out" / "predictions.csv").to_dict("records")
    assert row["xmax"] > row["xmin"]
    assert row["text"] in {"KA01AB1234", "MH12DE1433"}
