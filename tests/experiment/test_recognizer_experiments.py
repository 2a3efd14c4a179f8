"""Experiments with the recognizer alone: a sweep over it, a search, and how they are shown."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from clones import TINY, Clone

from lpr import config
from lpr.composition.compose import compose
from lpr.data.tables import read_table
from lpr.errors import UserError
from lpr.experiment.search_space import Base, Space
from lpr.synthesis.plate_file import load_plates

RECOGNIZER = [
    *[override for override in TINY if override != "experiment=smoke"],
    *[
        "experiment=recognizer",
        "tracking=offline",
        "recognizer.synthetic_plates=12",
        "recognizer.held_out_plates=12",
        "recognizer.fpn_channels=8",
    ],
    *[
        "recognizer.train.threads=1",
        "recognizer.train.epochs=2",
        "recognizer.train.steps_per_epoch=2",
        "recognizer.train.batch_size=4",
    ],
]

MODELS = {"recognizer.keras", "recognizer.onnx", "recognizer.int8.onnx"}


@pytest.fixture(scope="module")
def clone(tiny_run: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return tiny_run.copy(tmp_path_factory.mktemp("recognizers") / "clone")


@pytest.fixture(scope="module")
def swept(clone: Clone) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A sweep of two widths, and what it printed."""
    done = clone.lpr(
        "experiment", "-m", *RECOGNIZER, "recognizer.real_sources=[synthetic]", "recognizer.stem_channels=4,6"
    )
    (folder,) = (path.parent for path in clone.folder.glob("experiments/*/multirun.yaml"))
    return folder, done


def test_each_job_trains_a_recognizer_of_its_own_and_no_detector(swept) -> None:
    folder, _ = swept
    for job in ("0", "1"):
        recognitions = read_table(folder / job / "reports" / "recognitions.csv")
        assert set(recognitions["boxes"]) == {"true"}
        assert set(recognitions["split"]) == {"test"}
        assert {path.name for path in (folder / job / "models").iterdir()} == MODELS
        page = (folder / job / "reports" / "index.html").read_text()
        assert "predicted text, true box" in page
    sizes = [(folder / job / "models" / "recognizer.onnx").stat().st_size for job in ("0", "1")]
    assert sizes[0] < sizes[1]


def test_each_stage_writes_its_outputs(swept) -> None:
    folder = swept[0] / "0"
    assert len(load_plates(folder / "data" / "synthetic_plates.npz")) == 12
    assert len(pd.read_csv(folder / "reports" / "recognizer_history.csv")) == 2
    assert json.loads((folder / "metrics" / "recognizer_training.json").read_text())["epochs"] == 2
    scores = json.loads((folder / "metrics" / "synthetic_recognition.json").read_text())["synthetic_plates"]["test"][
        "true"
    ]
    assert scores["plate_acc"]["n"] == scores["plates"] == 12
    images = sorted(path.name for path in (folder / "reports" / "synthetic_recognition_figures").iterdir())
    assert images == ["confusions.png", "reliability.png", "worst.png"]


def test_of_the_real_images_only_training_plates_are_learned_from(swept) -> None:
    folder, _ = swept
    plates = pd.read_csv(folder / "0" / "data" / "plates.csv").merge(pd.read_csv(folder / "0" / "data" / "split.csv"))
    texts = {plate.text for plate in load_plates(folder / "0" / "data" / "real_plates.npz")}
    assert texts
    assert texts <= set(plates.loc[plates["split"] == "train", "text"])


def test_the_table_is_of_recognizers(swept) -> None:
    folder, done = swept
    assert "best first, by plate_acc of synthetic plates" in done.stdout
    assert "mean_iou" not in done.stdout
    assert "tf2onnx" not in done.stdout + done.stderr
    table = pd.read_csv(folder / "sweep.csv")
    assert set(table["metric"]) == {"true/plate_acc", "true/cer"}
    assert set(table["recognizer.stem_channels"]) == {4, 6}
    for row in table.to_dict("records"):
        metrics = folder / str(row["jobs"]) / "metrics"
        held_out = json.loads((metrics / "synthetic_recognition.json").read_text())["synthetic_plates"]["test"]["true"]
        assert row["objective"] == pytest.approx(held_out["plate_acc"]["value"], abs=1e-6)
        test = json.loads((metrics / "recognition.json").read_text())["synthetic"]["test"]["true"]
        assert row["value"] == pytest.approx(test[row["metric"].removeprefix("true/")]["value"])


def test_each_job_is_a_wandb_run_with_its_history_and_scores(swept) -> None:
    folder, _ = swept
    for job in ("0", "1"):
        (run,) = (folder / job / "wandb").glob("offline-run-*")
        (log,) = run.glob("run-*.wandb")
        content = log.read_bytes()
        for name in (b"char_acc", b"synthetic_plates/test/true/plate_acc", b"training/parameters"):
            assert name in content


def test_two_jobs_can_be_compared(clone: Clone, swept) -> None:
    folder, _ = swept
    name = folder.relative_to(clone.folder).as_posix()
    shown = clone.lpr_in_process("compare", f"{name}/0", f"{name}/1").stdout
    assert "recognizer.stem_channels 4 → 6" in shown
    assert "true/plate_acc" in shown
    assert "mean_iou" not in shown


@pytest.mark.slow
def test_a_search_trains_recognizers(clone: Clone) -> None:
    space = ["~tuner.space", "+tuner.space={recognizer.stem_channels: {choice: [4, 6]}}"]
    done = clone.lpr_in_process("tune", *RECOGNIZER, "tuner=grid", *space)
    assert "`lpr params experiment=tuned`, then `dvc repro recognizer/dvc.yaml`" in done.stdout
    table = pd.read_csv(clone.folder / "tuning" / "trials.csv", dtype={"trial": str})
    assert list(table["status"]) == ["finished", "finished"]
    assert table["objective"].is_monotonic_decreasing
    for row in table.to_dict("records"):
        (folder,) = clone.folder.glob(f"tuning/*/trials/{row['trial']}")
        history = pd.read_csv(folder / "reports" / "recognizer_history.csv")
        assert row["objective"] == pytest.approx(history["char_acc"].max())
        assert not (folder / "models" / "detector.keras").exists()
    clone.lpr_in_process("params", "experiment=tuned")
    winner = config.load(clone.folder / "params.yaml")
    assert winner.target == "recognizer"
    assert winner.recognizer.stem_channels == table["recognizer.stem_channels"].iloc[0]


def test_what_a_recognizer_does_not_depend_on_is_not_tuned() -> None:
    def search(*overrides: str) -> None:
        Space(Base(compose(list(overrides)), list(overrides)))

    tuned = ["~tuner.space", "+tuner.space={detector.filters: {choice: [2, 4]}}"]
    with pytest.raises(UserError, match="detector is no section that a trial can change"):
        search("experiment=recognizer", *tuned)
    search("experiment=original", *tuned)
    with pytest.raises(UserError, match=r"tuner\.objective=val_mean_iou is no score of what target=recognizer trains"):
        search("experiment=recognizer", "tuner.objective=val_mean_iou")
    with pytest.raises(UserError, match="ocr=tesseract has none"):
        search("target=recognizer", "tuner.objective=char_acc", "ocr=tesseract")
