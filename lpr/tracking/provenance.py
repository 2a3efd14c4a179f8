"""The provenance of an experiment's scores: code, data, versions, hardware and time.

It is written to `reports/provenance.json`; of two equal runs, only this file and the page may differ.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from lpr.config import Config
from lpr.cores import usable_cores
from lpr.git import git_output
from lpr.hashes import file_md5
from lpr.paths import SCRATCH

TIMINGS = SCRATCH / "timings"
NOT_TIMED = "restored from DVC's cache: not timed here"

_PACKAGES = (
    "lpr",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "numpy",
    "pandas",
    "pillow",
    "scipy",
    "scikit-learn",
    "rapidocr",
    "onnxruntime",
    "dvc",
    "hydra-core",
    "wandb",
)
# Every run rewrites these, so that changes to them are no changes to the code.
_WRITTEN_BY_RUNS = ("dvc.lock", "metrics", "reports")


def write_timing(stage: str, seconds: float, output: Path, timings_folder: Path = TIMINGS, **details: Any) -> None:
    """Record how long a stage took, with the hash of its output: `.lpr/timings/STAGE.json`.

    Args:
        stage: its name in `dvc.yaml`.
        seconds: wall time.
        output: a file that the stage wrote, relative to the project's root; the record is valid while it is unchanged.
        timings_folder: of the records.
        details: of the run, such as `threads` or `precision`.
    """
    record = {"stage": stage, "seconds": round(seconds, 3), **details}
    record["output"] = {"path": output.as_posix(), "md5": file_md5(output)}
    timings_folder.mkdir(parents=True, exist_ok=True)
    (timings_folder / f"{stage}.json").write_text(json.dumps(record, indent=2) + "\n")


def collect(
    config: Config, timings_folder: Path = TIMINGS, wandb_run: dict[str, str] | None = None, root: Path = Path()
) -> dict[str, Any]:
    """The content of `reports/provenance.json`: time of writing, git, DVC, wandb, hardware, versions and timings.

    Args:
        config: of the experiment.
        timings_folder: of the records of `write_timing`.
        wandb_run: returned by `lpr.tracking.wandb_run.log_run`.
        root: the project's root.
    """
    locked = _locked(root)
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": _git(root),
        "dvc": {
            "experiment": os.environ.get("DVC_EXP_NAME"),
            "outputs": {out["path"]: out["md5"] for outs in locked.values() for out in outs if "md5" in out},
        },
        "wandb": wandb_run or {"mode": config.tracking.mode},
        "hardware": _hardware(),
        "versions": {"python": platform.python_version(), **_versions()},
        "timings": _timings(list(locked), timings_folder, root),
    }


def _git(root: Path) -> dict[str, Any]:
    revision = git_output(root, "rev-parse", "HEAD")
    if revision is None:
        return {"revision": "unknown", "dirty": "unknown", "changed": []}
    excluded = (f":(exclude){path}" for path in _WRITTEN_BY_RUNS)
    changed = (git_output(root, "status", "--porcelain", "--", ".", *excluded) or "").splitlines()
    return {"revision": revision.strip(), "dirty": bool(changed), "changed": [line[3:] for line in changed]}


def _locked(root: Path) -> dict[str, list[dict[str, str]]]:
    """The outputs of every stage in `dvc.lock`, which DVC writes after each stage, but the report: it runs last."""
    try:
        stages = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    except FileNotFoundError:
        return {}
    return {name: stage.get("outs", []) for name, stage in stages.items() if name != "report"}


def _timings(stages: list[str], folder: Path, root: Path) -> dict[str, Any]:
    records = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    timings: dict[str, Any] = {}
    for stage in [*stages, *(name for name in records if name not in stages and name != "report")]:
        record = records.get(stage)
        if record is not None and file_md5(root / record["output"]["path"]) == record["output"]["md5"]:
            timings[stage] = {key: value for key, value in record.items() if key not in ("stage", "output")}
        else:
            timings[stage] = NOT_TIMED
    return timings


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _hardware() -> dict[str, Any]:
    countable = "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {})
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if countable else 0
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "memory_gb": round(memory / 1e9, 1) if memory else "unknown",
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
