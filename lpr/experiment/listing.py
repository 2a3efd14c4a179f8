"""The list of all experiments and their scores, by `metrics/*.json` alone.

It imports nothing heavy and starts no DVC, which would take some ten times as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lpr.config import ORIGINAL_BOXES, OVERRIDE_BOXES
from lpr.experiment.folders import SWEEP, find_folders
from lpr.experiment.revisions import list_revisions, read_files
from lpr.metrics.table import BUILT_IN, DETECTION_OBJECTIVE
from lpr.paths import METRICS

_SCORES = METRICS / "detection.json"
_EXPERIMENTS = Path("experiments")
_HEADLINES = [metric.name for metric in BUILT_IN.detection if metric.headline]
_WIDTH = 120


def show(root: Path) -> None:
    """Print the workspace, Git revisions, DVC experiments, runs and sweeps that have scores, and the scores.

    Args:
        root: of the project.
    """
    lines = [("", "date", f"{' / '.join(_HEADLINES)} of the test images")]
    runs, sweeps = find_folders(root / _EXPERIMENTS)
    parts = {"Git and DVC": _versioned(root), "runs": _runs(root, runs), "sweeps": _sweeps(root, sweeps)}
    for title, rows in parts.items():
        if found := list(rows):
            lines += [(f"{title}:", "", ""), *((f"  {name}", day, scores) for name, day, scores in found)]
    if len(lines) == 1:
        print("nothing has been run yet: `dvc repro`, `dvc exp run` or `lpr experiment` does")
        return
    widest = max(len(name) for name, _, _ in lines)
    for name, day, scores in lines:
        line = f"{name:{widest}}  {day:10}  {scores}".rstrip()
        print(line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…")
    print("\nlpr compare A B […] compares others with A; lpr compare SWEEP shows the table of a sweep")


def _versioned(root: Path) -> Iterator[tuple[str, str, str]]:
    if (root / _SCORES).is_file():
        yield ". (the workspace)", _day(root / _SCORES), _scores((root / _SCORES).read_text())
    revisions = list_revisions(root)
    texts = read_files([(revision.commit, _SCORES.as_posix()) for revision in revisions], root)
    names: dict[str, tuple[list[str], str, str]] = {}
    for revision, text in zip(revisions, texts, strict=True):
        if text is not None:
            names.setdefault(revision.commit, ([], revision.date, _scores(text)))[0].append(revision.name)
    for called, day, scores in names.values():
        yield ", ".join(called), day, scores


def _runs(root: Path, folders: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    for folder in folders:
        if (path := folder / _SCORES).is_file():
            yield folder.relative_to(root).as_posix(), _day(path), _scores(path.read_text())


def _sweeps(root: Path, folders: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    for folder in folders:
        jobs = sum((job / _SCORES).is_file() for job in find_folders(folder)[0])
        yield folder.relative_to(root).as_posix(), _day(folder / SWEEP), f"jobs with scores: {jobs}"


def _day(path: Path) -> str:
    return date.fromtimestamp(path.stat().st_mtime).isoformat()


def _scores(text: str) -> str:
    """The headline scores of each source that was tested."""
    scores: dict[str, Any] = json.loads(text)
    tested = {
        source: splits["test"]
        for source, splits in scores.items()
        if DETECTION_OBJECTIVE in splits.get("test", {}) and not source.endswith((OVERRIDE_BOXES, ORIGINAL_BOXES))
    }
    return "; ".join(
        f"{source} " + " / ".join(f"{test[metric]['value']:.3f}" for metric in _HEADLINES if metric in test)
        for source, test in tested.items()
    )
