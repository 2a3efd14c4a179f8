"""What many tests share: the project's root, a copy of it to run in, an S3 server, one tiny experiment run by DVC."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clones import COMPOSED_BY_DVC, ROOT, TINY, Clone, clone_project
from filelock import FileLock

if TYPE_CHECKING:
    from s3_server import S3Server

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.pop("TQDM_DISABLE", None)  # tests look for the progress bars
# Tests run in a process a core, and OpenBLAS's threads wait by spinning: before NumPy is loaded, here or in a command.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that the processes end together. The first makes the tiny run, and the next needs none."""
    tiny = {item.path for item in items if "tiny_run" in getattr(item, "fixturenames", ())}
    order = ("test_chain.py", "test_export.py")
    items.sort(
        key=lambda item: (
            order.index(item.path.name) if item.path.name in order else len(order) + (item.path not in tiny)
        )
    )


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
def s3_server() -> Iterator[S3Server]:
    """Of this process; `s3` is what tests use."""
    from s3_server import serve  # moto takes a second to load

    yield from serve()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An S3 server with an empty bucket, which the environment leads to."""
    s3_server.clear()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images, where there is one."""
    folder = os.environ.get("LPR_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("LPR_DATA does not name the folder of real images")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which `dvc exp run` has run a tiny experiment, committed; tests change it in copies only.

    Its `params.yaml` is of `lpr params`; the one that DVC composed is kept beside the clone.

    The processes of a parallel test run share it: the first that needs it makes it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / "tiny.lock"):
        clone = Clone(folder / "tiny" / "clone")
        if not (folder / "tiny" / "finished").is_file():
            clone_project(clone.folder)
            clone.dvc("exp", "run", *(f"--set-param={override}" for override in TINY))
            clone.dvc("exp", "remove", "--all-commits")  # its name, not its results
            shutil.copy(clone.folder / "params.yaml", folder / "tiny" / COMPOSED_BY_DVC)
            clone.lpr("params", *TINY)
            clone.dvc("repro")  # checks the new file, and finds nothing else to do
            clone.commit("a tiny experiment")
            (folder / "tiny" / "finished").touch()
    return clone


@pytest.fixture
def clone(tiny_run: Clone, tmp_path: Path) -> Clone:
    """A copy of the tiny run, to be changed at will; it shares nothing with it."""
    return tiny_run.copy(tmp_path / "clone")
