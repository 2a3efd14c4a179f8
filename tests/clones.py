"""Clones of the project for tests to run commands in."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


class Clone:
    """A git clone of the project with its own DVC repository, and the commands that a user types in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "WANDB_", "GIT_"))},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            # The clone's own code, whatever the environment has installed.
            "PYTHONPATH": str(folder),
            "GIT_AUTHOR_NAME": "tester",
            "GIT_AUTHOR_EMAIL": "tester@localhost",
            "GIT_COMMITTER_NAME": "tester",
            "GIT_COMMITTER_EMAIL": "tester@localhost",
            "DVC_SITE_CACHE_DIR": str(folder.parent / "dvc-site"),
        }

    def copy(self, folder: Path, *left_out: str) -> Clone:
        """A copy, to be changed at will; it shares nothing with this one."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(*left_out))
        return Clone(folder)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)} exited {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "dvc", *arguments, check=check)

    def lpr(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "lpr", *arguments, check=check)

    def lpr_in_process(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`lpr` by the checkout's code in the process of the tests, so that TensorFlow starts once.

        Not for `experiment`: Hydra sets up the logging of the whole process, and pytest's capture ends with that.
        """
        from lpr.cli.main import main

        out, err = io.StringIO(), io.StringIO()
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            status = main(list(arguments))
        if check and status:
            pytest.fail(
                f"lpr {' '.join(arguments)} returned {status}\n{out.getvalue()[-3000:]}\n{err.getvalue()[-3000:]}"
            )
        return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", message)


def clone_project(folder: Path) -> Clone:
    """A clone of what stands in the checkout now, committed or not."""
    folder.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    clone = Clone(folder)
    clone.run("git", "init", "--quiet")
    clone.commit("the checkout")
    return clone


def content(path: Path) -> list[tuple[Path, bytes]]:
    """Names and bytes of a file, or of the files of a folder."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return [(file.relative_to(path), file.read_bytes()) for file in files]


COMPOSED_BY_DVC = "params_composed_by_dvc.yaml"

TINY = [
    "experiment=smoke",
    "tracking=off",
    "data.sources.0.scenes=24",
    "detector.image_size_px=32",
    "split=random",
    "train.threads=1",
    "ocr=recognizer",
]
