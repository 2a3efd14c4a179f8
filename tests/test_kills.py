"""What is killed by `kill -9` at random moments, and run again, ends with the bytes of an undisturbed run.

Half of the kills end the command with all of its processes, the others its first process alone, whose stages live on.
`LPR_KILLS=50 pytest -m slow tests/test_kills.py` kills each command 50 times; by default, 3 times.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clones import ROOT, TINY, Clone, clone_project

from lpr.synthesis.scenes import draw_scene

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LPR_KILLS", "3"))
SEED = int(os.environ.get("LPR_KILLS_SEED", "0"))
PRODUCTS = ("*.csv", "*.json", "*.jsonl", "*.keras", "*.jpg")
# Files with times, or with the hardware.
MOVING = {"finished.json", "provenance.json", "run.json", "starts.json", "trials.csv", "timings.json"}
_LONGEST_WAIT_S = 180


class Killed:
    """A command that is run and killed in turn, in one folder after another."""

    def __init__(self, clone: Callable[[int], Clone], command: list[str], products: list[str]) -> None:
        """`products`: the folders whose files must be the same."""
        self.clone, self.command, self.products = clone, command, products
        self.orphans: list[int] = []  # process groups whose first process was killed alone

    def check(self) -> None:
        """Run it undisturbed, and then kill it `KILLS` times; whenever it ends by itself, compare, and begin again."""
        rng = random.Random(SEED)
        undisturbed, started = self.clone(0), time.monotonic()
        assert self.run(undisturbed, None, whole=True) == 0, self.said(undisturbed)
        seconds, expected = time.monotonic() - started, self.files(undisturbed)
        assert len(expected) > 1
        kills, numbers = 0, itertools.count(1)
        clone = self.clone(next(numbers))
        while True:
            moment = rng.uniform(0, seconds) if kills < KILLS else None
            status = self.run(clone, moment, whole=rng.random() < 0.5)
            if status is None:
                kills += 1
            # Killed while DVC wrote one of its files: as docs/faults.md says.
            elif "Unable to read RWLock-file" in self.said(clone):
                lock = clone.folder / ".dvc" / "tmp" / "rwlock"
                assert lock.stat().st_size == 0
                lock.unlink()
            elif re.match(r"'\./dvc\.lock' (validation failed|is invalid)", self.said(clone)):
                subprocess.run(["git", "checkout", "--quiet", "dvc.lock"], cwd=clone.folder, check=True)
            elif status:
                assert "Traceback" not in self.said(clone), self.said(clone)
                assert any(map(_is_alive, self.orphans)), (
                    f"nothing lives on that it could be refused for: {self.said(clone)}"
                )
                self.wait_for_orphans()
            else:
                self.wait_for_orphans()
                found = self.files(clone)
                assert {path for path in expected if found.get(path) != expected[path]} == set()
                assert set(found) == set(expected)
                if kills >= KILLS:
                    return
                clone = self.clone(next(numbers))

    def run(self, clone: Clone, moment: float | None, whole: bool) -> int | None:
        """The exit status; None where it was killed, after `moment` seconds."""
        with (clone.folder.parent / "said").open("w") as said:
            process = subprocess.Popen(
                self.command, cwd=clone.folder, env=clone.environment, stdout=said, stderr=said, start_new_session=True
            )
        try:
            return process.wait(moment)
        except subprocess.TimeoutExpired:
            if whole:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
                self.orphans.append(process.pid)
            process.wait()
            return None

    def said(self, clone: Clone) -> str:
        return (clone.folder.parent / "said").read_text(errors="replace")[-4000:]

    def files(self, clone: Clone) -> dict[str, bytes]:
        found = (path for place in self.products for kind in PRODUCTS for path in (clone.folder / place).rglob(kind))
        return {
            path.relative_to(clone.folder).as_posix(): path.read_bytes()
            for path in found
            if path.name not in MOVING and not {".lpr", "keras_tuner"} & {*path.parts}
        }

    def wait_for_orphans(self) -> None:
        until = time.monotonic() + _LONGEST_WAIT_S
        while any(map(_is_alive, self.orphans)):
            assert time.monotonic() < until, "a stage whose command was killed does not end"
            time.sleep(0.1)


def _is_alive(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def test_dvc_repro(tmp_path: Path) -> None:
    fresh = clone_project(tmp_path / "fresh" / "clone")
    fresh.lpr("params", *TINY)
    products = ["data", "models", "reports", "metrics"]
    Killed(
        lambda number: fresh.copy(tmp_path / str(number) / "clone"), [sys.executable, "-m", "dvc", "repro"], products
    ).check()


def test_a_sweep(tiny_run: Clone, tmp_path: Path) -> None:
    command = [
        "experiment",
        "-m",
        *TINY,
        "train.epochs=8",
        "loss=mse,mae",
        "hydra.sweep.dir=experiments/one",
        "--resume",
    ]
    Killed(
        lambda number: tiny_run.copy(tmp_path / str(number) / "clone"),
        [sys.executable, "-m", "lpr", *command],
        ["experiments/one/0", "experiments/one/1"],
    ).check()


def test_a_search(tiny_run: Clone, tmp_path: Path) -> None:
    smaller = ["split.train=0.4", "split.validation=0.4", "split.test=0.2", "detector.filters=2", "train.epochs=8"]
    space = ["tuner=grid", "~tuner.space", "+tuner.space={detector.dense: {choice: [[4], [5]]}}"]
    Killed(
        lambda number: tiny_run.copy(tmp_path / str(number) / "clone"),
        [sys.executable, "-m", "lpr", "tune", *TINY, *smaller, *space],
        ["tuning"],
    ).check()


def test_predictions(tmp_path: Path) -> None:
    def folder(number: int) -> Clone:
        images = tmp_path / str(number) / "clone" / "images"
        images.mkdir(parents=True)
        for seed in range(24):
            draw_scene(np.random.default_rng(seed)).image.save(images / f"{seed}.png")
        clone = Clone(images.parent)
        clone.environment["PYTHONPATH"] = str(ROOT)
        return clone

    command = ["predict", "images", "--ocr", "none", "--save", "csv", "--resume"]
    Killed(folder, [sys.executable, "-m", "lpr", *command], ["predictions"]).check()
    assert len(pd.read_csv(tmp_path / "0" / "clone" / "predictions" / "predictions.csv")) > 8
