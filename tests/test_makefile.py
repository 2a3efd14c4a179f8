"""The Makefile, by make itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clones import ROOT


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["repro", "recognizer"])
def test_without_a_git_repository_it_says_what_to_do(tmp_path: Path, target: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}

    def make() -> str:
        # Without setting up the virtual environment: there is no DVC, either.
        command = ["make", "--old-file", ".venv/.ready", target]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 2
        return done.stderr

    said = f"DVC needs a Git repository, and {tmp_path} is none: type 'git init' there, then again: make {target}\n"
    assert make().startswith(said)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert "git init" not in make()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["repro", "recognizer"])
def test_a_lock_that_dvc_was_killed_while_writing_is_removed(tmp_path: Path, target: str) -> None:
    """There is no DVC here, so that make ends with an error after it."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    lock = tmp_path / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(parents=True)
    for content, kept in (("", False), ("{}", True)):
        lock.write_text(content)
        command = ["make", "--old-file", ".venv/.ready", target]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 2
        assert lock.exists() is kept


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "never_committed"])
@pytest.mark.parametrize("last", ["- path:", ""], ids=["cut_off", "empty"])
def test_a_cut_off_dvc_lock_is_replaced_and_nothing_is_made_again(tmp_path: Path, last: str, committed: bool) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "dvc.yaml").write_text(
        "stages: {made: {cmd: date +%N > made; echo made >> log, deps: [Makefile], outs: [made]}}"
    )
    run("git", "init", "--quiet")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    make = ["make", "--old-file", ".venv/.ready", "repro"]
    run(*make)
    lock, made = tmp_path / "dvc.lock", (tmp_path / "made").read_text()
    if committed:
        run("git", "add", "dvc.lock")
        run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "lock")
    whole = lock.read_text()
    lock.write_text(whole[: whole.index(last) + len(last)])
    said = run(*make)
    assert lock.read_text() == whole
    assert "dvc.lock was cut off" in said
    assert (tmp_path / "made").read_text() == made
    assert (tmp_path / "log").read_text() == "made\n"
