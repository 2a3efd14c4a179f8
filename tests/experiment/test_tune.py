"""`lpr tune`: what a trial is, how a search that was killed goes on, and what it writes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from clones import TINY, Clone
from PIL import Image
from processes import killing_own_processes

from lpr.composition.compose import compose
from lpr.errors import UserError
from lpr.experiment.search_space import Base, Space

# A second a trial, and enough validation images for scores that differ.
BASE = [
    *[*TINY, "split.train=0.4", "split.validation=0.4", "split.test=0.2", "detector.filters=2"],
    *["detector.convs=2", "detector.pools=1", "optimizer.learning_rate=0.01"],
    *["tuner.objective=val_loss", "tuner.direction=min"],
]


def space(keys: str) -> list[str]:
    """Overrides that tune these keys and no others."""
    return ["~tuner.space", f"+tuner.space={{{keys}}}"]


def trials(clone: Clone) -> pd.DataFrame:
    return pd.read_csv(clone.folder / "tuning" / "trials.csv", dtype={"trial": str})


def folders(clone: Clone) -> list[Path]:
    """The trials' folders of every search."""
    return sorted(clone.folder.glob("tuning/*/trials/*"))


def start(clone: Clone, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lpr", *arguments],
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


def checked(*overrides: str) -> Space:
    return Space(Base(compose(list(overrides)), list(overrides)))


@pytest.fixture(scope="module")
def searched(tiny_run: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which a random search has run: trials that fit, and one that cannot be built."""
    clone = tiny_run.copy(tmp_path_factory.mktemp("searched") / "clone")
    keys = (
        "detector.pools: {int: [1, 4]}, optimizer.learning_rate: {float: [0.0001, 0.02], sampling: log}, "
        "augment: {choice: [none, standard]}, detector.dense: {choice: [[4], [8, 4]]}"
    )
    clone.lpr_in_process("tune", *BASE, "tracking=offline", "tuner.max_trials=3", *space(keys))
    return clone


def test_a_search_leaves_a_table_best_first_and_failed_trials_last_with_their_reason(searched: Clone) -> None:
    table = trials(searched)
    finished = table[table["status"] == "finished"]
    assert list(table["status"]) == ["finished", "finished", "failed"]
    assert finished["objective"].is_monotonic_increasing
    assert finished["objective"].is_unique
    assert (finished["epochs"] == 2).all()
    failed = table[table["status"] == "failed"]
    assert (failed["detector.pools"] > 2).all()
    assert all("more than detector.convs=2" in reason for reason in failed["reason"])
    assert "conf/ with" not in "".join(failed["reason"])


def test_the_objective_is_that_of_the_best_epoch_of_the_trials_history(searched: Clone) -> None:
    best = trials(searched).iloc[0]
    (folder,) = [folder for folder in folders(searched) if folder.name == best["trial"]]
    assert best["objective"] == pd.read_csv(folder / "reports" / "history.csv")["val_loss"].min()
    assert not (folder / "reports" / "detections.csv").exists(), "test images are not looked at"


def test_a_search_draws_its_trials_and_its_keys(searched: Clone) -> None:
    for name in ("objective.png", "keys.png"):
        with Image.open(searched.folder / "tuning" / name) as image:
            colours = image.convert("RGB").getcolors(1 << 24)
        assert colours is not None
        assert any(colour == (0, 114, 178) for _, colour in colours), "no trial was drawn"


def test_each_finished_trial_is_a_wandb_run_of_one_group(searched: Clone) -> None:
    runs = []
    for folder in searched.folder.glob("tuning/*/trials/*/wandb/offline-run-*"):
        command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
        environment = os.environ | {"WANDB_ERROR_REPORTING": "false"}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        runs += [record["run"] for record in records if record["type"] == "run"]
    assert len(runs) == (trials(searched)["status"] == "finished").sum()
    assert {run["job_type"] for run in runs} == {"trial"}
    (search,) = {folder.parts[-3] for folder in folders(searched)}
    assert {run["run_group"] for run in runs} == {f"tune-{search}"}


def test_the_winner_is_an_experiment_that_trains_to_the_trials_score(searched: Clone) -> None:
    tuned = (searched.folder / "conf" / "experiment" / "tuned.yaml").read_text()
    assert tuned == (searched.folder / "tuning" / "tuned.yaml").read_text()
    assert tuned.startswith("# @package _global_\n#")
    best = trials(searched).iloc[0]
    assert f"val_loss {best['objective']:.4f}" in tuned
    searched.lpr_in_process("params", "experiment=tuned", "tracking=off")
    for stage in ("split", "train"):
        searched.lpr_in_process(stage)
    history = pd.read_csv(searched.folder / "reports" / "history.csv")
    assert history["val_loss"].min() == best["objective"]


def test_the_winner_has_the_very_configuration_of_the_trial(searched: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(searched.folder)
    best = trials(searched).iloc[0]
    (folder,) = [folder for folder in folders(searched) if folder.name == best["trial"]]
    tuned = compose(["experiment=tuned"]).as_dict()
    trial = yaml.safe_load((folder / "params.yaml").read_text())
    assert {key: tuned[key] for key in tuned if key not in ("tuner", "inputs")} == {
        key: trial[key] for key in trial if key not in ("tuner", "inputs")
    }
    # A seed still reaches what it always reaches.
    assert compose(["experiment=tuned", "seed=3"]).train.seed == 3


def test_the_same_command_keeps_what_is_done_and_more_trials_go_on(clone: Clone) -> None:
    too_large_for_memory = "[400000000, 400000000]"
    search = ["tune", *BASE, *space(f"detector.dense: {{choice: [[4], {too_large_for_memory}]}}"), "tuner=grid"]
    clone.lpr_in_process(*search, "tuner.max_trials=1")
    trained = {folder: (folder / "finished.json").stat().st_mtime_ns for folder in folders(clone)}
    assert len(trained) == 1
    again = clone.lpr_in_process(*search)
    assert "going on with tuning/" in again.stdout
    assert "1 finished trials" in again.stdout
    assert {folder: (folder / "finished.json").stat().st_mtime_ns for folder in trained} == trained
    table = trials(clone)
    assert list(table["detector.dense"]) == ["[4]", too_large_for_memory]
    assert list(table["status"]) == ["finished", "failed"]

    impossible = space("detector.pools: {int: [3, 4]}")
    other = clone.lpr_in_process("tune", *BASE, *impossible, "tuner=grid", "optimizer.beta_1=0.8", check=False)
    assert "a new search" in other.stdout
    assert "base.optimizer.beta_1: 0.9 there, 0.8 here" in other.stdout
    assert list(trials(clone)["status"]) == ["failed", "failed"]


@pytest.mark.slow
def test_a_killed_search_goes_on_in_the_middle_of_a_trial(clone: Clone) -> None:
    search = ["tune", *BASE, "train.epochs=30", "tuner=grid", *space("detector.dense: {choice: [[4], [5]]}")]
    process = start(clone, *search)
    wait_for(lambda: [folder for folder in folders(clone) if folder.name == "0001" and _epochs(folder) >= 3])
    process.send_signal(signal.SIGKILL)
    process.wait()
    first, second = folders(clone)
    done, epochs = (first / "finished.json").read_bytes(), _epochs(second)
    assert epochs < 30
    again = clone.lpr(*search)
    # The state is written just after the history: the kill may have come between.
    assert any(f"continuing after epoch {last} of 30" in again.stdout for last in (epochs, epochs - 1))
    assert (first / "finished.json").read_bytes() == done
    assert list(trials(clone)["status"]) == ["finished", "finished"]
    assert len(folders(clone)) == 2


def _epochs(folder: Path) -> int:
    file = folder / ".lpr" / "training" / "state.npz"
    return len(pd.read_csv(folder / "reports" / "history.csv")) if file.is_file() else 0


@pytest.mark.slow
def test_two_workers_do_the_trials_of_one_though_one_is_killed(clone: Clone) -> None:
    search = ["tune", *BASE, "train.epochs=8", "tuner=grid", *space("detector.dense: {choice: [[4], [5], [6], [7]]}")]
    process = start(clone, *search, "tuner.workers=2")
    wait_for(lambda: any(_epochs(folder) for folder in folders(clone)))
    os.kill(_worker(process.pid, "worker1"), signal.SIGKILL)
    assert process.wait(timeout=180) == 0
    table = trials(clone)
    assert list(table["status"]) == ["finished"] * 4
    assert sorted(table["detector.dense"]) == ["[4]", "[5]", "[6]", "[7]"]
    assert len(folders(clone)) == 4
    logs = [log.read_text() for log in clone.folder.glob("tuning/*/worker*.log")]
    assert len(logs) == 2
    assert sum(log.count(": val_loss ") for log in logs) == 4, "each trial ended once"
    assert _worker(process.pid, "chief") == 0


def _worker(parent: int, name: str) -> int:
    """The process that `lpr tune` started under this name; 0 where there is none."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"PPid:\t{parent}\n" in status and f"KERASTUNER_TUNER_ID={name}".encode() in environment.split(b"\0"):
            return int(folder.name)
    return 0


@pytest.mark.slow
def test_hyperband_trains_for_the_epochs_that_it_asks_for(clone: Clone) -> None:
    many = "detector.dense: {choice: [[4], [5], [6], [7], [8], [9]]}"
    clone.lpr("tune", *BASE, "tuner=hyperband", "tuner.max_epochs=2", "tuner.factor=2", *space(many))
    table = trials(clone)
    assert (table["status"] == "finished").all()
    assert set(table["epochs"]) == {1, 2}


def test_a_trial_that_is_killed_again_and_again_fails_and_ends_no_other(clone: Clone) -> None:
    search = ["tune", *BASE, "tuner=grid", *space("detector.dense: {choice: [[4], [5]]}")]
    with killing_own_processes(os.getpid()) as killed:
        stopped = clone.lpr_in_process(*search, check=False)
    assert (stopped.returncode, len(killed)) == (1, 6)
    assert stopped.stdout.count("its process was killed by SIGKILL") == 6
    assert "Traceback" not in stopped.stderr
    table = trials(clone)
    assert list(table["status"]) == ["failed", "failed"]
    assert set(table["reason"]) == {"its process was killed 3 times in the same epoch: it may need too much memory"}


def test_failures_in_a_row_end_the_search_and_say_why(clone: Clone) -> None:
    search = ["tune", *BASE, "tuner=grid", *space("detector.pools: {int: [3, 5]}, augment: {choice: [none, standard]}")]
    stopped = clone.lpr_in_process(*search, "tuner.max_consecutive_failures=2", check=False)
    assert stopped.returncode == 1
    assert "the last 2 trials failed one after another" in stopped.stderr
    assert "detector.pools=3 is more than detector.convs=2" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert list(trials(clone)["status"]) == ["failed", "failed"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("detector.convz: {int: [1, 2]}", ["detector.convz", "'detector.convs'"]),
        ("detector.pools: {int: [1, 12]}", ["tuner.space.detector.pools", "detector.pools=12", "less than or equal"]),
        ("optimizer.learning_rate: {float: [0.0, 0.1]}", ["optimizer.learning_rate=0.0", "greater than 0"]),
        ("detector.filters: {int: [4, 4]}", ["[4,4] is empty"]),
        ("train.batch_size: {choice: [32, many]}", ["train.batch_size='many'"]),
        ("augment: {choice: [none, wild]}", ["tuner.space.augment", "wild", "standard"]),
        ("detector.filters: {int: [4, 8], when: {detectr: regression}}", ["detector.filters.when", "'detector'"]),
        ("detector.filters: {int: [4, 8], when: {detector.pools: 9}}, detector.pools: {int: [1, 2]}", ["never 9"]),
        ("detector.filters: {int: [4, 8], choice: [1]}", ["exactly one of"]),
        ("detector.filters: {whole: [4, 8]}", ["whole", "no such key"]),
        ("tuner.workers: {int: [1, 2]}", ["tuner.workers", "no section that a trial can change"]),
    ],
)
def test_a_mistake_in_the_space_is_refused_by_name(in_root: Path, keys: str, words: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        checked("tracking=off", *space(keys))
    for word in words:
        assert word in str(refusal.value)


def test_a_mistake_in_the_space_is_refused_before_the_first_trial(clone: Clone) -> None:
    refused = clone.lpr_in_process("tune", *BASE, *space("detector.convz: {int: [1, 2]}"), check=False)
    assert (refused.returncode, folders(clone)) == (1, [])
    assert "'detector.convs'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_conditions_hold_on_tuned_keys_and_on_the_base(in_root: Path) -> None:
    keys = (
        "detector: {choice: [regression, regression_6conv]}, "
        "detector.filters: {choice: [8, 16], when: {detector: regression}}, "
        "detector.kernel_size: {int: [3, 5], when: {loss: huber}}, detector.dropout: {float: [0.0, 0.5], when: "
        "{optimizer.name: adam}}"
    )
    tuned = checked(*space(keys))
    assert set(tuned.dimensions) == {"detector", "detector.filters", "detector.dropout"}
    raw = {"detector": '"regression_6conv"', "detector.filters": "8", "detector.dropout": 0.123456789}
    assert tuned.decode(raw) == {"detector": "regression_6conv", "detector.dropout": 0.123457}
    assert tuned.decode(raw | {"detector": '"regression"'})["detector.filters"] == 8
    assert "detector.kernel_size" in checked("loss=huber", *space(keys)).dimensions
    given = tuned.hyperparameters()
    assert {key.name for key in given.space} == set(tuned.dimensions)
    assert given.values == {"detector": '"regression"', "detector.filters": "8", "detector.dropout": 0.0}


@pytest.mark.parametrize("name", ["random", "bayesian", "grid", "hyperband"])
def test_the_default_space_can_be_searched(in_root: Path, name: str) -> None:
    assert len(checked(f"tuner={name}").dimensions) == 7


@pytest.mark.slow
def test_dvc_searches_by_a_command_of_its_own_only(clone: Clone) -> None:
    clone.lpr("params", *TINY, "tuner=grid", *space("detector.dense: {choice: [[4], [5]]}"))
    assert "tune" not in clone.dvc("repro").stdout
    assert not (clone.folder / "tuning" / "trials.csv").exists()
    assert clone.dvc("status", "dvc.yaml").stdout.strip() == "Data and pipelines are up to date."

    assert "Running stage 'tuning/dvc.yaml:tune'" in clone.dvc("repro", "tuning/dvc.yaml").stdout
    outputs = yaml.safe_load((clone.folder / "tuning" / "dvc.lock").read_text())["stages"]["tune"]["outs"]
    assert {out["path"] for out in outputs} == {
        f"tuning/{name}" for name in ("keys.png", "objective.png", "trials.csv", "tuned.yaml")
    }
    again = clone.dvc("repro", "tuning/dvc.yaml").stdout
    assert [line for line in again.splitlines() if line.startswith("Running")] == ["Running stage 'config':"]

    clone.run("git", "add", "--all")
    added = clone.run("git", "diff", "--cached", "--name-only").stdout.splitlines()
    kept = {"dvc.lock", "keys.png", "objective.png", "trials.csv", "tuned.yaml"}
    assert {name for name in added if name.startswith("tuning/")} == {f"tuning/{name}" for name in kept}
    assert "conf/experiment/tuned.yaml" in added
    clone.dvc("exp", "run", "config", "--set-param=experiment=tuned")
    dense = yaml.safe_load((clone.folder / "params.yaml").read_text())["detector"]["dense"]
    assert json.dumps(dense) == trials(clone)["detector.dense"].iloc[0]


def test_values_composed_by_dvc_are_tuned_by_key_but_not_by_group(in_root: Path) -> None:
    composed = compose([*space("detector.filters: {int: [4, 8]}, augment: {choice: [none]}")])
    with pytest.raises(UserError, match="the group 'augment'"):
        Space(Base(composed, None))
    plain = Base(compose([*space("detector.filters: {int: [4, 8]}")]), None)
    assert Space(plain).dimensions.keys() == {"detector.filters"}
    assert plain.with_values({"detector.filters": 5}).detector.filters == 5
