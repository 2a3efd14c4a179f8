"""Logging of finished experiments to wandb; no other module imports wandb.

The CSV and JSON files of the experiment are its record; wandb has a copy. An error here is printed as one line of
warning and never fails the experiment.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lpr.config import Config
from lpr.config.target import target_of
from lpr.data.tables import read_table
from lpr.paths import DETECTIONS, IMAGE_CACHE, METRICS, PLATES, SPLIT
from lpr.report.detection_figures import boxes_of, choose_cases, draw_boxes

_FINISH_TIMEOUT_S = 600.0  # of the last uploads; that of the first connection is WANDB_INIT_TIMEOUT, 90 s
# What wandb knows as WANDB_MODE, as values of `tracking.mode`.
_MODES = {"online": "online", "offline": "offline", "disabled": "off", "run": "online", "dryrun": "offline"}
_IMAGE_PX = (640, 480)  # wandb shows all images of a list in the same size


@dataclass(frozen=True)
class RunLabels:
    """By what wandb groups and filters runs.

    Attributes:
        job_type: "repro" (of DVC), "experiment" (a single job), "sweep" (a job of many) or "trial" (of the tuner).
        group: of the run where `tracking.group` of the configuration is null.
    """

    job_type: str
    group: str | None = None


def log_run(config: Config, root: Path, provenance: dict[str, Any], labels: RunLabels) -> dict[str, str] | None:
    """Log a finished experiment as one wandb run.

    The run's config has the sections of `params.yaml`, and `provenance`: git revision, DVC's hashes, versions and
    hardware. Its history has a row an epoch, its summary the scores of `metrics/*.json` by the names of `flatten`.

    Args:
        config: of the experiment; `config.tracking` has the mode, project and entity. WANDB_MODE of the environment
            goes before that mode.
        root: the project's root, holding `data/`, `models/`, `metrics/` and `reports/`.
        provenance: of `lpr.tracking.provenance.collect`.
        labels: of the run.

    Returns:
        The run's `id`, `mode`, and `url` (online) or `folder` (offline); None where tracking is off or failed.
    """
    mode = _mode(config)
    if mode == "off":
        return None
    try:
        run = _log_run(config, root, provenance, labels, mode)
    except Exception as error:
        reason = " ".join(_without_secrets(str(error)).split())[:300]
        print(
            f"warning: this experiment was not logged to wandb; its own files are complete: "
            f"{type(error).__name__}: {reason}",
            file=sys.stderr,
        )
        return None
    hint = f"; to send it: wandb sync {run['folder']}" if "folder" in run else ""
    print(f"wandb: {run.get('url') or run['folder']}{hint}")
    return run


def flatten(scores: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a `metrics/*.json`, named by their keys joined with `/`.

    A score gives its value, interval and count: `synthetic/test/mean_iou`, `synthetic/test/mean_iou_low`, `…_high`,
    `…_n`.
    """
    for key, value in scores.items():
        name = f"{prefix}{key}"
        if not isinstance(value, dict):
            yield name, value
        elif "value" in value:
            yield name, value["value"]
            yield from ((f"{name}_{part}", value[part]) for part in ("low", "high", "n"))
        else:
            yield from flatten(value, f"{name}/")


def _mode(config: Config) -> str:
    """`tracking.mode`, in whose place WANDB_MODE of the environment is taken; but what is off stays off.

    wandb itself prefers what it is called with to its variables.
    """
    if config.tracking.mode == "off":
        return "off"
    return _MODES.get(os.environ.get("WANDB_MODE", ""), config.tracking.mode)


def _log_run(config: Config, root: Path, provenance: dict[str, Any], labels: RunLabels, mode: str) -> dict[str, str]:
    # wandb reads these on import. An offline run makes no network request and writes nothing outside its folder, which
    # is the project's root unless WANDB_DIR is set.
    folder = Path(os.environ.get("WANDB_DIR") or root).absolute()
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    os.environ.setdefault("WANDB_DATA_DIR", str(folder / "wandb" / "data"))
    os.environ.setdefault("WANDB_CACHE_DIR", str(folder / "wandb" / "cache"))
    import wandb

    tracking = config.tracking
    if mode == "online" and not wandb.login(prompt=False, verify=False):
        raise RuntimeError("no account is configured; set WANDB_API_KEY, or use tracking=offline")
    settings = wandb.Settings(
        console="off",
        disable_git=True,  # the provenance has the revision, without the remote's address
        disable_code=True,
        save_code=False,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
        finish_timeout=_FINISH_TIMEOUT_S,
        finish_timeout_raises=True,
    )
    with wandb.init(
        project=tracking.project,
        entity=tracking.entity,
        group=tracking.group or labels.group,
        job_type=labels.job_type,
        name=os.environ.get("DVC_EXP_NAME"),
        mode="online" if mode == "online" else "offline",
        dir=folder,
        tags=_tags(config),
        config=_config(config) | {"provenance": _identity(provenance)},
        settings=settings,
    ) as run:
        target = target_of(config)
        for row in read_table(root / target.history).to_dict("records"):
            values = {str(name): value for name, value in row.items() if pd.notna(value)}
            run.log(values, step=int(row["epoch"]))
        if tracking.images and (root / METRICS / "detection.json").is_file():
            run.log({"images": _images(root, tracking.images)})
        for path in (target.metrics, *target.scores):
            scores = json.loads((root / path).read_text()) if (root / path).is_file() else {}
            run.summary.update(dict(flatten(scores, "training/" if path == target.metrics else "")))
        tables = ("tables", "dataset", (PLATES, SPLIT, *target.tables))
        for name, kind, files in ((config.target, "model", target.models), tables):
            artifact = wandb.Artifact(name, kind, metadata=_identity(provenance))
            for file in files:
                if (root / file).is_file():
                    artifact.add_file(str(root / file), name=file.as_posix())
            run.log_artifact(artifact)
        where = {"url": run.url} if mode == "online" else {"folder": _relative(Path(run.dir).parent, root)}
        return {"id": run.id, "mode": mode, **where}


def _config(config: Config) -> dict[str, Any]:
    """All sections but `tuner`, on which the experiment does not depend."""
    return {section: values for section, values in config.as_dict().items() if section != "tuner"}


def _tags(config: Config) -> list[str]:
    """The chosen option of each group, such as `detector:regression`; wandb allows 64 characters."""
    sections = _config(config)
    return [f"{key}:{part['name']}"[:64] for key, part in sections.items() if isinstance(part, dict) and "name" in part]


def _identity(provenance: dict[str, Any]) -> dict[str, Any]:
    return {key: provenance[key] for key in ("git", "dvc", "versions", "hardware") if key in provenance}


def _images(root: Path, count: int) -> list[Any]:
    """Test images (all scored images where there are none), a third each of the worst, median and best IoU."""
    import wandb
    from PIL import Image, ImageOps

    detections = read_table(root / DETECTIONS)
    tested = detections[detections["split"] == "test"]
    third = count // 3
    cases = choose_cases(tested if len(tested) else detections, worst=count - 2 * third, median=third, best=third)
    images = []
    for which, rows in cases.items():
        for row in rows.to_dict("records"):
            with Image.open(root / IMAGE_CACHE / row["image"]) as image:
                drawn = ImageOps.pad(draw_boxes(image, *boxes_of(row), width=_IMAGE_PX[0]), _IMAGE_PX)
            caption = f"{which}: IoU {row['iou']:.2f} {row['source']}/{row['split']} {row['text']} {row['image']}"
            images.append(wandb.Image(drawn, caption=caption, file_type="jpg"))
    return images


def _relative(folder: Path, root: Path) -> str:
    """The path relative to the project's root, where it lies within."""
    return folder.relative_to(root.absolute()).as_posix() if folder.is_relative_to(root.absolute()) else str(folder)


def _without_secrets(text: str) -> str:
    for name, value in os.environ.items():
        if value and name.upper().endswith(("KEY", "TOKEN", "SECRET", "PASSWORD")):
            text = text.replace(value, f"${name}")
    return text
