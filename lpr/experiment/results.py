"""The results of one experiment, wherever it lies: in a folder, or in Git with its files in DVC's cache."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from lpr.config import PARAMS
from lpr.data.tables import read_table
from lpr.errors import UserError
from lpr.experiment.revisions import Revision, find_revision, read_files
from lpr.experiment.run import FAILURE, FINISHED
from lpr.hashes import file_md5
from lpr.metrics.comparison import plate_scores
from lpr.paths import DETECTIONS, IMAGE_CACHE, RECOGNITIONS
from lpr.tracking.provenance import TIMINGS

if TYPE_CHECKING:
    import pandas as pd

_LOCK = Path("dvc.lock")


class Files(Protocol):
    """Where the files of an experiment are."""

    def text(self, path: Path) -> str | None:
        """The content of a small file; None where there is none."""

    def place(self, path: Path) -> Path | None:
        """Where the content of a cached file lies, if it is there."""

    def pull_command(self, missing: list[Path]) -> str:
        """What to type to have missing files."""


@dataclass(frozen=True)
class Result:
    """A finished experiment: its configuration, its test plates, and its files."""

    name: str
    config: dict[str, Any]  # of any age, so it need not fit today's schema
    plates: pd.DataFrame  # of `lpr.metrics.comparison.plate_scores`
    detections: pd.DataFrame  # rows of reports/detections.csv, the test images'
    readings: pd.DataFrame | None  # rows of reports/recognitions.csv
    seconds: float | None  # the whole experiment, or else its training; None where nobody noted it
    files: Files

    def image(self, image: str) -> Path | None:
        """The cached image; None where it is not here."""
        return self.files.place(IMAGE_CACHE / image)


def load(name: str, root: Path) -> Result:
    """The results of a run folder (`.`: DVC's workspace), a Git revision or a DVC experiment.

    Args:
        name: a path from `root`, or what git or DVC calls it; a folder goes first.
        root: of the project.

    Raises:
        UserError: nothing is called so; it has not finished; its results are not of its params.yaml; or files are
            missing from DVC's cache, all of which the message names, with the command that fetches them.
    """
    folder = root / name
    files: Files
    if any((folder / trace).exists() for trace in (PARAMS, FAILURE, ".hydra")):
        _check_finished(folder, name)
        files = _Folder(folder)
    elif (folder / "multirun.yaml").is_file():
        raise UserError(f"{name} is a sweep: name its jobs, such as {name.rstrip('/')}/0, or it alone for its table")
    elif revision := find_revision(name, root):
        files = _Committed(revision, root)
    else:
        raise UserError(f"{name} is no experiment's folder, Git revision or DVC experiment: `lpr compare` lists them")
    config = _parse(files.text(PARAMS))
    lock = _parse(files.text(_LOCK))
    if stale := list(_stale_keys(config, lock)):
        raise UserError(f"{name}: its results were made before {', '.join(stale)} changed in {PARAMS}: `dvc repro`")
    if isinstance(files, _Folder):
        files.check_locked(_outs(lock))
    tables = {path: read_table(place) for path in (DETECTIONS, RECOGNITIONS) if (place := files.place(path))}
    if missing := [
        path for path in (DETECTIONS, RECOGNITIONS) if path not in tables and path.as_posix() in _outs(lock)
    ]:
        raise UserError(
            f"{name}: not in DVC's cache: {', '.join(map(str, missing))}. To fetch: {files.pull_command(missing)}"
        )
    if DETECTIONS not in tables:
        raise UserError(f"{name} has no {DETECTIONS}: it has not been run to the end, and cannot be compared")
    detections, readings = tables[DETECTIONS], tables.get(RECOGNITIONS)
    return Result(
        name="workspace" if name == "." else name,
        config=config,
        plates=plate_scores(detections, readings),
        detections=detections[detections["split"] == "test"],
        readings=readings,
        seconds=_seconds(files),
        files=files,
    )


class _Folder:
    """A run's folder, or DVC's workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def text(self, path: Path) -> str | None:
        return (self.folder / path).read_text() if (self.folder / path).is_file() else None

    def place(self, path: Path) -> Path | None:
        return self.folder / path if (self.folder / path).is_file() else None

    def pull_command(self, missing: list[Path]) -> str:
        return shlex.join(["dvc", "pull", *map(str, missing)])

    def check_locked(self, outs: dict[str, str]) -> None:
        """Refuse a workspace whose tables are another experiment's than its params.yaml and dvc.lock are."""
        for path in (DETECTIONS, RECOGNITIONS):
            locked, found = outs.get(path.as_posix()), file_md5(self.folder / path)
            if locked and found and found != locked:
                raise UserError(f"{self.folder / path} is not the one of {_LOCK}: `dvc checkout`, or `dvc repro`")


class _Committed:
    """A commit, whose dvc.lock says under which hash DVC's cache has each output."""

    def __init__(self, revision: Revision, root: Path) -> None:
        self.revision, self.root = revision, root

    def text(self, path: Path) -> str | None:
        return next(read_files([(self.revision.commit, path.as_posix())], self.root))

    def place(self, path: Path) -> Path | None:
        md5 = self._outs.get(path.as_posix()) or self._images.get(path)
        return self._cached(md5) if md5 else None

    def pull_command(self, missing: list[Path]) -> str:
        # To fetch leaves the workspace alone, where to pull would check out. It looks at branches and tags only; for an
        # experiment, `.` is the repository that has it: this one.
        if self.revision.experiment:
            return shlex.join(["dvc", "exp", "pull", ".", self.revision.name])
        return shlex.join(["dvc", "fetch", "--all-commits", *map(str, missing)])

    @cached_property
    def _outs(self) -> dict[str, str]:
        return _outs(_parse(self.text(_LOCK)))

    @cached_property
    def _images(self) -> dict[Path, str]:
        """The hash of each image: DVC's cache has a folder as the list of its files."""
        folder = self._outs.get(IMAGE_CACHE.as_posix())
        listed = self._cached(folder) if folder else None
        return (
            {IMAGE_CACHE / entry["relpath"]: entry["md5"] for entry in json.loads(listed.read_text())} if listed else {}
        )

    @cached_property
    def _store(self) -> Any:
        from dvc.repo import Repo

        return Repo(str(self.root)).cache.local

    def _cached(self, md5: str) -> Path | None:
        path = Path(self._store.oid_to_path(md5))
        return path if path.is_file() else None


def _check_finished(folder: Path, name: str) -> None:
    if (folder / FAILURE).is_file():
        reason = (folder / FAILURE).read_text().partition("\n\n")[0].strip()
        raise UserError(f"{name} failed, and cannot be compared: {reason}")
    if (folder / ".hydra").is_dir() and not (folder / FINISHED).is_file():
        raise UserError(f"{name} is not finished: its command, with --resume, goes on with it")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's numbers, which DVC writes: `1e-08` is one; PyYAML alone takes it for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("+-0123456789")
)


def _parse(text: str | None) -> dict[str, Any]:
    content = yaml.load(text or "", _Loader)
    return content if isinstance(content, dict) else {}


def _outs(lock: dict[str, Any]) -> dict[str, str]:
    outs = [out for stage in lock.get("stages", {}).values() for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if "md5" in out}


def _stale_keys(config: dict[str, Any], lock: dict[str, Any]) -> Iterator[str]:
    """Keys whose values the stages before the report had otherwise when they ran last."""
    found: dict[str, None] = {}
    for name, stage in lock.get("stages", {}).items():
        for key, used in stage.get("params", {}).get(PARAMS.name, {}).items() if name != "report" else ():
            value: Any = config
            for part in key.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value != used:
                found[key] = None
    yield from found


def _seconds(files: Files) -> float | None:
    for path in (FINISHED, TIMINGS / "train.json"):
        if note := files.text(path):
            return float(json.loads(note)["seconds"])
    return None
