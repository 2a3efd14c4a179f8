import json
import os
import subprocess
import sys
from pathlib import Path

import composed
import pandas as pd
import pytest
from PIL import Image

from lpr.config import PARAMS
from lpr.data.tables import write_table
from lpr.tracking.wandb_run import flatten

SECRETS = {"WANDB_API_KEY": "0123456789abcdef" * 2 + "deadbeef", "OCR_SPACE_API_KEY": "K8planted-secret8957"}
PROVENANCE = {
    "git": {"revision": "f" * 40, "dirty": False, "changed": []},
    "dvc": {"experiment": None, "outputs": {"data/plates.csv": "a" * 32}},
}
LOG_RUN = """
import json, sys
from pathlib import Path
from lpr.config import load
from lpr.tracking.wandb_run import RunLabels, log_run
run = log_run(load(), Path(), json.loads(sys.argv[1]), RunLabels("sweep", "a-sweep"))
Path("result.json").write_text(json.dumps({"run": run, "imported": "wandb" in sys.modules}))
"""


def logged(project: Path, *overrides: str, **environment: str) -> tuple[dict, str]:
    """Log the project in a process of its own, as a stage does: the result, and all that was printed."""
    (project / PARAMS).write_text(composed.params(*overrides))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    done = subprocess.run(
        [sys.executable, "-c", LOG_RUN, json.dumps(PROVENANCE)],
        cwd=project,
        env=inherited | SECRETS | {"HOME": str(project / "home")} | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads((project / "result.json").read_text()), done.stdout + done.stderr


def make_project(root: Path) -> Path:
    """The outputs of the stages before the report, for five plates."""
    score = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 5}
    (root / "metrics").mkdir()
    (root / "metrics/training.json").write_text(json.dumps({"epochs": 3, "best_epoch": 2}))
    (root / "metrics/detection.json").write_text(json.dumps({"synthetic": {"test": {"mean_iou": score}}}))
    recognition = {"synthetic": {"test": {"true": {"plates": 5, "plate_acc": score}, "predicted": {"plates": 5}}}}
    (root / "metrics/recognition.json").write_text(json.dumps(recognition))
    history = {"epoch": [1, 2, 3], "loss": [0.3, 0.2, 0.1], "learning_rate": 0.001, "mean_iou": [0.1, 0.2, 0.3]}
    write_table(pd.DataFrame(history), root / "reports/history.csv")
    (root / "data/images").mkdir(parents=True)
    rows = []
    for index in range(5):
        Image.new("RGB", (160, 120), (40 * index, 90, 120)).save(root / f"data/images/{index}.jpg")
        corners = {"top_x": 40.0, "top_y": 50.0, "bottom_x": 100.0, "bottom_y": 70.0}
        predicted = {f"predicted_{name}": value + index for name, value in corners.items()}
        row = {"image": f"{index}.jpg", "source": "synthetic", "split": "test", "plate": 0, "text": "MH12AB1234"}
        rows.append(row | corners | predicted | {"iou": 1 - index / 5})
    write_table(pd.DataFrame(rows), root / "reports/detections.csv")
    for name in ("data/plates.csv", "data/split.csv", "reports/recognitions.csv"):
        (root / name).write_text("image\n")
    (root / "models").mkdir()
    (root / "models/detector.keras").write_bytes(b"weights")
    return root


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A project, the result of logging it offline, and what was printed."""
    project = make_project(tmp_path_factory.mktemp("project"))
    result, printed = logged(project, "tracking.group=sweep", "tracking.images=4")
    return project, result["run"], printed


def inspect(project: Path, run: dict, *arguments: str) -> str:
    """Read the run's folder with wandb's own command."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", *arguments, run["folder"]]
    environment = os.environ | {"WANDB_ERROR_REPORTING": "false"}
    return subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def summary(offline):
    project, run, _ = offline
    return json.loads(inspect(project, run, "--summary"))


@pytest.fixture(scope="module")
def records(offline):
    project, run, _ = offline
    return [json.loads(line) for line in inspect(project, run).splitlines()]


def test_the_folder_of_an_offline_run_is_printed(offline):
    project, run, printed = offline
    assert run["mode"] == "offline"
    assert run["folder"].startswith("wandb/offline-run-")
    assert run["id"] in run["folder"]
    assert (project / run["folder"]).is_dir()
    assert printed.splitlines() == [f"wandb: {run['folder']}; to send it: wandb sync {run['folder']}"]


def test_the_run_has_the_config_and_the_provenance(summary):
    config = composed.config("tracking.group=sweep", "tracking.images=4").as_dict()
    del config["tuner"]
    assert {key: summary["config"][key] for key in config} == config
    assert summary["config"]["provenance"] == PROVENANCE
    assert summary["state"] == "finished"
    assert {"detector:regression", "data:synthetic", "ocr:cascade"} <= set(summary["tags"])


def test_the_run_has_the_scores_by_name(summary):
    found = summary["summary"]
    assert found["synthetic/test/mean_iou"] == 0.5
    assert [found[f"synthetic/test/mean_iou_{part}"] for part in ("low", "high", "n")] == [0.25, 0.75, 5]
    assert found["synthetic/test/true/plate_acc"] == 0.5
    assert found["synthetic/test/predicted/plates"] == 5
    assert "synthetic/test/predicted/plate_acc" not in found
    assert found["training/best_epoch"] == 2


def test_the_run_has_a_row_an_epoch(records):
    rows = [record["history"]["item"] for record in records if record["type"] == "history"]
    assert [(row["_step"], row["epoch"], row["loss"]) for row in rows] == [(1, 1, 0.3), (2, 2, 0.2), (3, 3, 0.1)]


def test_the_run_has_the_images(offline, summary):
    project, run, _ = offline
    images = list((project / run["folder"] / "files/media/images").glob("*.jpg"))
    assert len(images) == summary["summary"]["images"]["count"] == 4
    assert all("IoU" in caption for caption in summary["summary"]["images"]["captions"])
    with Image.open(images[0]) as image:
        assert image.size == (640, 480)


def test_the_run_has_model_and_data_as_artifacts(records):
    artifacts = {record["artifact"]["name"]: record["artifact"] for record in records if record["type"] == "artifact"}
    assert {name: artifact["type"] for name, artifact in artifacts.items()} == {
        "detector": "model",
        "tables": "dataset",
    }
    files = [entry["path"] for artifact in artifacts.values() for entry in artifact["manifest"]["contents"]]
    assert {"models/detector.keras", "data/plates.csv", "data/split.csv", "reports/detections.csv"} <= set(files)


def test_the_run_belongs_to_its_group(records):
    (run,) = [record["run"] for record in records if record["type"] == "run"]
    assert (run["run_group"], run["project"]) == ("sweep", "lpr")


def test_no_secret_is_anywhere_in_the_project_and_nothing_outside_it(offline):
    project, _, printed = offline
    files = [path for path in project.rglob("*") if path.is_file()]
    assert files
    for secret in SECRETS.values():
        assert secret not in printed
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
    assert not (project / "home").exists()


def test_off_imports_nothing_and_writes_nothing(offline, tmp_path):
    result, printed = logged(make_project(tmp_path), "tracking=off")
    assert result == {"run": None, "imported": False}
    assert printed == ""
    assert not (tmp_path / "wandb").exists()


def test_wandb_mode_of_the_environment_is_honoured(tmp_path):
    project = make_project(tmp_path)
    result, printed = logged(project, WANDB_MODE="disabled")
    assert (result, printed) == ({"run": None, "imported": False}, "")
    assert not (project / "wandb").exists()
    result, _ = logged(project, "tracking=off", WANDB_MODE="offline")
    assert result == {"run": None, "imported": False}
    result, printed = logged(project, "tracking=online", WANDB_MODE="offline")
    assert result["run"]["mode"] == "offline"
    assert (project / result["run"]["folder"]).is_dir()


def test_wandb_dir_holds_the_whole_run(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    result, _ = logged(make_project(tmp_path / "project"), WANDB_DIR=str(tmp_path / "elsewhere"))
    assert Path(result["run"]["folder"]).is_relative_to(tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere/wandb/data/artifacts/staging").iterdir())
    assert not (tmp_path / "project/wandb").exists()


def one_warning(result: dict, printed: str) -> str:
    assert result["run"] is None
    (line,) = printed.splitlines()
    assert line.startswith("warning: this experiment was not logged to wandb")
    assert not any(secret in line for secret in SECRETS.values())
    return line


def test_a_server_that_does_not_answer_is_a_line_of_warning(tmp_path):
    unreachable = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_INIT_TIMEOUT": "2"}
    one_warning(*logged(make_project(tmp_path), "tracking=online", **unreachable))


def test_no_account_is_a_line_of_warning_and_no_question(tmp_path):
    line = one_warning(*logged(make_project(tmp_path), "tracking=online", WANDB_API_KEY=""))
    assert "tracking=offline" in line


def test_a_folder_that_cannot_be_written_is_a_line_of_warning(tmp_path):
    make_project(tmp_path)
    (tmp_path / "wandb").write_text("a file where wandb's folder should be")
    one_warning(*logged(tmp_path))


def test_a_missing_wandb_is_a_line_of_warning(tmp_path):
    make_project(tmp_path)
    (tmp_path / "wandb.py").write_text("raise ImportError('no module named wandb')")
    one_warning(*logged(tmp_path, PYTHONPATH=str(tmp_path)))


def test_names_of_scores_are_their_keys_joined():
    scores = {"a": {"test": {"cer": {"value": 0.1, "low": 0.0, "high": 0.2, "n": 9}, "plates": 9}}}
    assert dict(flatten(scores)) == {
        "a/test/cer": 0.1,
        "a/test/cer_low": 0.0,
        "a/test/cer_high": 0.2,
        "a/test/cer_n": 9,
        "a/test/plates": 9,
    }
