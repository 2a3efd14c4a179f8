"""The results of one experiment, wherever it lies: in a folder, or in Git with its files in DVC's cache."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from lpr.config import PARAMS, Metrics
from lpr.data.tables import read_table
from lpr.errors import UserError
from lpr.experiment.defaults import with_defaults
from lpr.experiment.folders import RUN, SWEEP
from lpr.experiment.revisions import Revision, find_revision
from lpr.experiment.run import FAILURE, FINISHED
from lpr.hashes import file_md5
from lpr.metrics import table as metric_table
from lpr.metrics.base import DetectionCases
from lpr.metrics.comparison import CaseScores, detection_case_scores, recognition_case_scores
from lpr.paths import DETECTIONS, IMAGE_CACHE, PREDICTIONS, RECOGNITIONS, SPLIT
from lpr.tracking.provenance import TIMINGS

if TYPE_CHECKING:
    import pandas as pd

_LOCK = Path("dvc.lock")
_TABLES = (SPLIT, PREDICTIONS, DETECTIONS, RECOGNITIONS)


class Files(Protocol):
    """The files of an experiment."""

    def text(self, path: Path) -> str | None:
        """The content of a small file; None where there is none."""

    def place(self, path: Path) -> Path | None:
        """Where the file, or a copy of it, can be read; None where it is not on this machine."""

    def pull_command(self, missing: list[Path]) -> str:
        """The command that fetches missing files."""


@dataclass(frozen=True)
class Result:
    """A finished experiment: its configuration, its tables and its files.

    Attributes:
        name: as it was given; `workspace` for `.`.
        config: of any age, with today's keys.
        defaults: dotted key → value, of the keys that its own configuration lacks.
        detections: rows of `reports/detections.csv` of the test images.
        cases: the same with all predictions; None where no detector was trained.
        recognitions: rows of `reports/recognitions.csv`; None where no text was recognized.
        seconds: of the whole experiment, or else of its training; None where no time was noted.
        files: where images are read from.
    """

    name: str
    config: dict[str, Any]
    defaults: dict[str, Any]
    detections: pd.DataFrame
    cases: DetectionCases | None
    recognitions: pd.DataFrame | None
    seconds: float | None
    files: Files

    @property
    def metrics(self) -> Metrics:
        """The section `metrics` of its configuration."""
        return Metrics.model_validate(self.config["metrics"])

    def case_scores(self, metrics: Metrics | None = None) -> dict[str, CaseScores]:
        """The terms of each metric that experiments are compared by, for each test case.

        Args:
            metrics: which metrics; None: those of its own configuration.

        Raises:
            UserError: a metric is not there any more.
        """
        table = metric_table.load(metrics or self.metrics)
        found = detection_case_scores(self.cases, table.detection) if self.cases else {}
        if self.recognitions is not None:
            found |= recognition_case_scores(self.detections, self.recognitions, table.recognition)
        return found

    def image(self, image: str) -> Path | None:
        """The cached image; None where it is not on this machine."""
        return self.files.place(IMAGE_CACHE / image)


def load(name: str, root: Path) -> Result:
    """The results of a run folder (`.`: DVC's workspace), a Git revision or a DVC experiment.

    Args:
        name: a path from `root`, or a name of git's or DVC's; a folder has precedence.
        root: of the project.

    Raises:
        UserError: there is no experiment of that name; it has not finished; its results are not of its params.yaml; or
            files are missing from DVC's cache, all of which the message names, with the command that fetches them.
    """
    files = _find(name, root)
    config, lock = _parse(files.text(PARAMS)), _parse(files.text(_LOCK))
    if stale := list(_stale_keys(config, lock)):
        raise UserError(f"{name}: its results were made before {', '.join(stale)} changed in {PARAMS}: `dvc repro`")
    if isinstance(files, _Folder):
        files.check_locked(_outs(lock))
    tables = {path: read_table(place) for path in _TABLES if (place := files.place(path))}
    if missing := [path for path in _TABLES if path not in tables and path.as_posix() in _outs(lock)]:
        raise UserError(
            f"{name}: not in DVC's cache: {', '.join(map(str, missing))}. To fetch: {files.pull_command(missing)}"
        )
    required = [DETECTIONS]
    if DETECTIONS in tables and "iou" in tables[DETECTIONS]:  # else no detector was trained
        required = [SPLIT, PREDICTIONS]
    for path in required:
        if path not in tables:
            raise UserError(f"{name} has no {path}: it has not been run to the end, and cannot be compared")
    tested = {path: rows[rows["split"] == "test"].reset_index(drop=True) for path, rows in tables.items()}
    config, defaults = with_defaults(config)
    cases = None
    if "iou" in tested[DETECTIONS]:
        threshold = config["inference"]["confidence_threshold"]
        cases = DetectionCases(tested[DETECTIONS], tested[PREDICTIONS], tested[SPLIT], threshold)
    return Result(
        name="workspace" if name == "." else name,
        config=config,
        defaults=defaults,
        detections=tested[DETECTIONS],
        cases=cases,
        recognitions=tested.get(RECOGNITIONS),
        seconds=_seconds(files),
        files=files,
    )


def _find(name: str, root: Path) -> _Folder | _Committed:
    folder = root / name
    if any((folder / trace).exists() for trace in (PARAMS, FAILURE, RUN)):
        _check_finished(folder, name)
        return _Folder(folder)
    if (folder / SWEEP).is_file():
        raise UserError(f"{name} is a sweep: name its jobs, such as {name.rstrip('/')}/0, or it alone for its table")
    if revision := find_revision(name, root):
        return _Committed(revision, root)
    raise UserError(f"{name} is no experiment's folder, Git revision or DVC experiment: `lpr compare` lists them")


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
        for path in _TABLES:
            locked, found = outs.get(path.as_posix()), file_md5(self.folder / path)
            if locked and found and found != locked:
                raise UserError(f"{self.folder / path} is not the one of {_LOCK}: `dvc checkout`, or `dvc repro`")


class _Committed:
    """A commit, with the outputs of DVC's stages as far as the cache has them: nothing is fetched or checked out."""

    def __init__(self, revision: Revision, root: Path) -> None:
        self.revision, self.root = revision, root
        self._copies = tempfile.TemporaryDirectory(prefix="lpr-compare-")

    def text(self, path: Path) -> str | None:
        place = self.place(path)
        return place.read_text() if place else None

    def place(self, path: Path) -> Path | None:
        from dvc.exceptions import DvcException

        copy = Path(self._copies.name) / path
        if not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._files.get_file(path.as_posix(), str(copy))
            except FileNotFoundError:
                return None
            except DvcException as error:
                raise UserError(f"{self.revision.name}: DVC cannot read this revision: {error}") from None
        return copy

    def pull_command(self, missing: list[Path]) -> str:
        # `dvc fetch` leaves the workspace alone, where `dvc pull` would check out. It knows branches and tags only; for
        # an experiment, `.` is the repository that has it: this one.
        if self.revision.experiment:
            return shlex.join(["dvc", "exp", "pull", ".", self.revision.name])
        return shlex.join(["dvc", "fetch", "--all-commits", *map(str, missing)])

    @cached_property
    def _files(self) -> Any:
        from dvc.api import DVCFileSystem

        # Without a remote, so that a comparison does not download what it lacks, image by image.
        return DVCFileSystem(str(self.root), rev=self.revision.commit, config={"core": {"remote": ""}})


def _check_finished(folder: Path, name: str) -> None:
    if (folder / FAILURE).is_file():
        reason = (folder / FAILURE).read_text().partition("\n\n")[0].strip()
        raise UserError(f"{name} failed, and cannot be compared: {reason}")
    if (folder / RUN).is_dir() and not (folder / FINISHED).is_file():
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
    """Keys whose values have changed since the stages before the report ran last.

    Keys that are gone are those of stages that are gone, which DVC leaves in its lock file.
    """
    found: dict[str, None] = {}
    for name, stage in lock.get("stages", {}).items():
        for key, used in stage.get("params", {}).get(PARAMS.name, {}).items() if name != "report" else ():
            value: Any = config
            for part in key.split("."):
                value = value.get(part, used) if isinstance(value, dict) else used
            if value != used:
                found[key] = None
    yield from found


def _seconds(files: Files) -> float | None:
    for path in (FINISHED, TIMINGS / "train.json"):
        if note := files.text(path):
            return float(json.loads(note)["seconds"])
    return None
