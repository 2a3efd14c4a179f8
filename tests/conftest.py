"""What many tests share: the project's root, a copy of it to run in, and one tiny experiment run by DVC."""

import os
import shutil
from pathlib import Path

import pytest
from clones import ROOT, TINY, Clone, clone_project

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def in_root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkout, as the current folder."""
    monkeypatch.chdir(ROOT)
    return ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the project's conf/ and code, as the current folder."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "lpr").symlink_to(ROOT / "lpr")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images, where there is one."""
    folder = os.environ.get("LPR_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("LPR_DATA does not name the folder of real images")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which `dvc repro` has run a tiny experiment, committed. Tests leave its workspace as they found it."""
    clone = clone_project(tmp_path_factory.mktemp("tiny") / "clone")
    clone.lpr("params", *TINY)
    clone.dvc("repro")
    clone.commit("a tiny experiment")
    return clone


@pytest.fixture
def clone(tiny_run: Clone, tmp_path: Path) -> Clone:
    """A copy of the tiny run, to be changed at will; it shares nothing with it."""
    return tiny_run.copy(tmp_path / "clone")
