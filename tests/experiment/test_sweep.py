"""Sweeps: killed and continued, with an impossible job, and their table."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from clones import ROOT, TINY, Clone
from processes import is_alive, killing_own_processes, own_processes

from lpr.errors import UserError
from lpr.experiment import compare

# Two folds of a network that can be built, and two of one that cannot.
COMMAND = [
    *["experiment", "-m", *TINY, "tracking=offline", "tracking.images=0", "train.epochs=30"],
    *["split=kfold", "split.folds=2", "detector.pools=1,6", "split.fold=0,1"],
]


def rows_of(history: Path) -> int:
    return len(history.read_text().splitlines()) - 1 if history.is_file() else 0


@pytest.fixture(scope="module")
def killed(tiny_run: Clone, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, Path, int]:
    """A clone, and its sweep, killed in the middle of the second job's training, after so many epochs."""
    clone = tiny_run.copy(tmp_path_factory.mktemp("sweep") / "clone")
    command = [sys.executable, "-m", "lpr", *COMMAND]
    sweep = subprocess.Popen(
        command, cwd=clone.folder, env=clone.environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    history = "experiments/*/1/reports/history.csv"
    while not (found := list(clone.folder.glob(history))) or rows_of(found[0]) < 3:
        assert sweep.poll() is None, "the sweep ended before it could be killed"
        time.sleep(0.01)
    (job,) = own_processes(sweep.pid)
    sweep.kill()
    sweep.wait()
    while is_alive(job):  # it ends by itself
        time.sleep(0.01)
    epochs = rows_of(found[0])
    assert epochs < 30, "the training ended before it could be killed"
    return clone, found[0].parents[2], epochs


@pytest.fixture(scope="module")
def continued(killed: tuple[Clone, Path, int]) -> tuple[Path, subprocess.CompletedProcess[str], float]:
    """The same sweep, continued: its folder, what was printed, and when the first job had finished before."""
    clone, folder, _ = killed
    before = (folder / "0" / "finished.json").stat().st_mtime
    return folder, clone.lpr(*COMMAND, "--resume", check=False), before


def test_a_finished_job_is_not_run_again_and_a_half_trained_one_goes_on(killed, continued) -> None:
    folder, done, before = continued
    assert f"going on with experiments/{folder.name}" in done.stdout
    assert "/0: finished already" in done.stdout
    assert (folder / "0" / "finished.json").stat().st_mtime == before
    continued_after = [line for line in done.stdout.splitlines() if line.startswith("continuing after epoch")]
    assert len(continued_after) == 1
    assert int(continued_after[0].split()[3]) >= killed[2] - 1  # the state is written just after the history
    assert rows_of(folder / "1" / "reports" / "history.csv") == 30
    assert len(list(folder.parent.glob("*/multirun.yaml"))) == 1


def test_an_impossible_job_stops_no_other_and_is_named(continued) -> None:
    folder, done, _ = continued
    assert done.returncode == 1
    assert "these jobs did not finish: 2, 3;" in done.stderr
    assert "detector.image_size_px=32 cannot be: at most 5 pools" in done.stderr
    assert "Traceback" not in done.stderr
    assert "detector.pools=6" in (folder / "2" / "failure.txt").read_text()
    assert not (folder / "2" / "finished.json").exists()


def test_folds_are_one_row_of_the_table(continued) -> None:
    folder, done, _ = continued
    table = pd.read_csv(folder / "sweep.csv")
    assert (table["row"] == 1).all()
    line = table[table["metric"] == "mean_iou"].iloc[0]
    assert line["jobs"] == "0 1"
    scores = [
        json.loads((folder / job / "metrics" / "detection.json").read_text())["synthetic"]["test"]["mean_iou"]
        for job in ("0", "1")
    ]
    plates = sum(score["n"] for score in scores)
    assert line["n"] == plates  # every plate is tested once
    assert line["value"] == pytest.approx(sum(score["value"] * score["n"] for score in scores) / plates, abs=1e-6)
    assert line["std"] == pytest.approx(abs(scores[0]["value"] - scores[1]["value"]) / 2**0.5, abs=1e-6)
    assert "2 of 4 jobs finished" in done.stdout
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_can_be_printed_again(killed, continued) -> None:
    clone, folder, _ = killed
    again = clone.lpr("compare", str(folder.relative_to(clone.folder)), "--output", "elsewhere")
    assert "2 of 4 jobs finished" in again.stdout
    assert (clone.folder / "elsewhere" / "sweep.csv").read_text() == (folder / "sweep.csv").read_text()


def test_the_jobs_are_one_group_in_wandb(killed, continued) -> None:
    clone, folder, _ = killed
    for job in ("0", "1"):
        (run,) = (folder / job / "wandb").glob("offline-run-*")
        read = clone.run("wandb", "leet", "inspect", "--json", str(run))
        records = [json.loads(line) for line in read.stdout.splitlines() if line.startswith("{")]
        (about,) = [record["run"] for record in records if record["type"] == "run"]
        assert (about["run_group"], about["job_type"]) == (folder.name, "sweep")
        assert {"detector:regression", "split:kfold"} <= set(about["tags"])


def hand_made(folder: Path, **overlaps: list[float]) -> Path:
    """A sweep of finished jobs `NAME/SEED`, each with these IoUs of its test plates, one per image."""
    for name, values in overlaps.items():
        setting, seed = name.split("_")
        job = folder / setting / seed
        (job / ".hydra").mkdir(parents=True)
        (job / ".hydra" / "overrides.yaml").write_text(f"- loss={setting}\n- train.seed={seed}\n- train.epochs=5\n")
        boxes = {"top_x": 0, "top_y": 0, "bottom_x": 10, "bottom_y": 5}
        predicted = {f"predicted_{corner}": value for corner, value in boxes.items()}
        images = [f"{number:03}.jpg" for number in range(len(values))]
        table = pd.DataFrame({"image": images, "source": "mine", "split": "test", "plate": 0, "text": ""} | boxes)
        (job / "reports").mkdir()
        table.assign(iou=values).to_csv(job / "reports" / "detections.csv", index=False)
        table.drop(columns=["plate", "text", *boxes]).assign(rank=0, confidence=1.0, **predicted).to_csv(
            job / "reports" / "predictions.csv", index=False
        )
        (job / "data").mkdir()
        table[["image", "source", "split"]].to_csv(job / "data" / "split.csv", index=False)
        shutil.copy(ROOT / "params.yaml", job)
        (job / "metrics").mkdir()
        mean = sum(values) / len(values)
        scores = {"mine": {"test": {"mean_iou": {"value": mean, "low": 0, "high": 1, "n": len(values)}}}}
        (job / "metrics" / "detection.json").write_text(json.dumps(scores))
        finished = {"config": "x", "objective": mean, "seconds": 10.0, "threads": 2}
        (job / "finished.json").write_text(json.dumps(finished))
    (folder / "multirun.yaml").write_text("{}\n")
    return folder


def test_rows_are_ordered_averaged_and_compared_with_the_best_or_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    low, high = [0.2 + 0.001 * n for n in range(60)], [0.5 + 0.001 * n for n in range(60)]
    sweep = hand_made(tmp_path, mse_0=low, mse_1=low, huber_0=high, huber_1=[v + 0.1 for v in high], mae_0=low)
    compare.run([str(sweep)], None, None)
    printed = capsys.readouterr().out
    assert printed.index("huber") < printed.index("mse")
    assert "train.epochs" not in printed  # all have it alike
    assert "nothing was validated" in printed
    table = pd.read_csv(sweep / "sweep.csv")
    table = table[table["metric"] == "mean_iou"].set_index("loss")
    assert table.loc["huber", "value"] == pytest.approx(0.5 + 0.0295 + 0.05)
    assert table.loc["huber", "std"] == pytest.approx(0.1 / 2**0.5)
    assert table.loc["huber", "jobs"] == "huber/0 huber/1"
    assert table.loc["mse", "verdict"] == table.loc["mae", "verdict"] == "worse"
    assert table.loc["mse", "difference"] == pytest.approx(-0.35)

    compare.run([str(sweep)], None, int(table.loc["mse", "row"]))
    table = pd.read_csv(sweep / "sweep.csv")
    verdicts = table[table["metric"] == "mean_iou"].set_index("loss")["verdict"]
    assert verdicts["huber"] == "better"
    assert verdicts["mae"].startswith("no difference shown")
    with pytest.raises(UserError, match="rows 1 to 3"):
        compare.run([str(sweep)], None, 4)


def test_a_job_that_is_killed_ends_no_other(clone: Clone) -> None:
    command = [sys.executable, "-m", "lpr", "experiment", "-m", *TINY, "seed=0,1", "hydra.sweep.dir=experiments/killed"]
    with (
        subprocess.Popen(command, cwd=clone.folder, env=clone.environment, stderr=subprocess.PIPE, text=True) as sweep,
        killing_own_processes(sweep.pid) as killed,
    ):
        _, printed = sweep.communicate()
    assert (sweep.returncode, len(killed)) == (1, 2)
    assert "no job of experiments/killed has finished" in printed
    assert "Traceback" not in printed
    for job in ("0", "1"):
        reason = (clone.folder / "experiments/killed" / job / "failure.txt").read_text()
        assert reason == "its process was killed by SIGKILL, as the system does where memory runs out\n"


def test_nothing_to_resume_is_an_error(project: Path) -> None:
    refused = Clone(project).lpr(*COMMAND, "--resume", check=False)
    assert refused.returncode == 1
    assert "nothing to resume" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "launcher",
    [
        pytest.param("joblib", marks=pytest.mark.slow),
        pytest.param("submitit_local", marks=pytest.mark.slow),
        pytest.param("ray", marks=pytest.mark.slow),
    ],
)
def test_a_launcher_runs_jobs_in_processes_of_their_own(clone: Clone, launcher: str) -> None:
    """Jobs side by side share the cores out where the launcher tells how many are theirs."""
    clone.environment |= {"RAY_USAGE_STATS_ENABLED": "0"}
    sweep = [
        "train.epochs=1",
        "train.threads=null",
        "seed=0,1",
        "ocr=recognizer",
        "data.sources.0.seed=0",
        f"hydra/launcher={launcher}",
    ]
    clone.lpr("experiment", "-m", *TINY, *sweep, "hydra.sweep.dir=experiments/many")
    finished = [json.loads((clone.folder / "experiments/many" / job / "finished.json").read_text()) for job in "01"]
    cores = len(os.sched_getaffinity(0))
    shared = {"joblib": 1, "ray": 1, "submitit_local": cores}[launcher]
    assert [one["threads"] for one in finished] == [shared] * 2
    table = pd.read_csv(clone.folder / "experiments/many/sweep.csv")
    assert set(table["jobs"]) == {"0 1"}
    assert table["metric"].tolist() == [
        *("mean_iou", "recall@0.5", "recall@0.7", "false_positives_per_image"),
        *("true/plate_acc", "predicted/plate_acc", "true/cer", "predicted/cer"),
    ]
    with (clone.folder / "experiments/many/multirun.yaml").open() as file:
        assert launcher.partition("_")[0] in yaml.safe_load(file)["hydra"]["launcher"]["_target_"]
