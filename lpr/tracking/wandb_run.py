"""The mirror of an experiment in wandb; no other module knows wandb.

Our own CSV and JSON files are the truth. What goes wrong here is a line of warning, never a failed experiment.
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
from lpr.paths import PLATES, SPLIT
from lpr.report.detection_figures import boxes_of, choose_cases, draw_boxes

_FINISH_TIMEOUT_S = 600.0  # for what is left to upload; the wait for a first answer is WANDB_INIT_TIMEOUT, 90 s
_IMAGE_PX = (640, 480)  # wandb shows images of one list in one size


@dataclass(frozen=True)
class Origin:
    """What ran the experiment; wandb groups and filters by it."""

    job_type: str  # repro (DVC), experiment (one job), sweep (one of many), trial (of the tuner)
    group: str | None = None  # where config.tracking.group names none


def mirror(config: Config, root: Path, provenance: dict[str, Any], origin: Origin) -> dict[str, str] | None:
    """Copy a finished experiment into one wandb run.

    The run's config is `params.yaml` with `provenance` beside its sections: git revision, DVC's hashes, versions and
    hardware. Its history has a row an epoch, its summary the scores of `metrics/*.json` under `flatten`'s names.

    Args:
        config: of the experiment; `config.tracking` says where the run goes.
        root: the project's root, holding `data/`, `models/`, `metrics/` and `reports/`.
        provenance: as `lpr.tracking.provenance.collect` gathers it.
        origin: of the run.

    Returns:
        The run's `id`, `mode`, and `url` (online) or `folder` (offline); None where tracking is off or failed.
    """
    if config.tracking.mode == "off":
        return None
    try:
        run = _mirror(config, root, provenance, origin)
    except Exception as error:
        reason = " ".join(_without_secrets(str(error)).split())[:300]
        print(
            f"warning: wandb has no run of this experiment, whose own files are complete: "
            f"{type(error).__name__}: {reason}",
            file=sys.stderr,
        )
        return None
    hint = f"; to send it: wandb sync {run['folder']}" if "folder" in run else ""
    print(f"wandb: {run.get('url') or run['folder']}{hint}")
    return run


def flatten(scores: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The figures of a `metrics/*.json` by name: its keys joined by `/`.

    A score stands under its own name, its interval and count beside it: `synthetic/test/mean_iou`,
    `synthetic/test/mean_iou_low`, `…_high`, `…_n`.
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


def _mirror(config: Config, root: Path, provenance: dict[str, Any], origin: Origin) -> dict[str, str]:
    # wandb reads these on import. An offline run asks nothing of the network and leaves nothing outside its folder,
    # which is the project's root unless WANDB_DIR says otherwise.
    folder = Path(os.environ.get("WANDB_DIR") or root).absolute()
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    os.environ.setdefault("WANDB_DATA_DIR", str(folder / "wandb" / "data"))
    os.environ.setdefault("WANDB_CACHE_DIR", str(folder / "wandb" / "cache"))
    import wandb

    tracking = config.tracking
    if tracking.mode == "online" and not wandb.login(prompt=False, verify=False):
        raise RuntimeError("no account is known; set WANDB_API_KEY, or take tracking=offline")
    settings = wandb.Settings(
        console="off",
        disable_git=True,  # the provenance says it, without the remote's address
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
        group=tracking.group or origin.group,
        job_type=origin.job_type,
        name=os.environ.get("DVC_EXP_NAME"),
        mode="online" if tracking.mode == "online" else "offline",
        dir=folder,
        tags=_tags(config),
        config=_config(config) | {"provenance": _identity(provenance)},
        settings=settings,
    ) as run:
        trained = target_of(config)
        for row in read_table(root / trained.history).to_dict("records"):
            known = {str(name): value for name, value in row.items() if pd.notna(value)}
            run.log(known, step=int(row["epoch"]))
        if tracking.images and (root / "metrics/detection.json").is_file():
            run.log({"images": _images(root, tracking.images)})
        for path in (trained.metrics, *trained.scores):
            scores = json.loads((root / path).read_text()) if (root / path).is_file() else {}
            run.summary.update(dict(flatten(scores, "training/" if path == trained.metrics else "")))
        tables = "tables", "dataset", (PLATES, SPLIT, *trained.tables)
        for name, kind, files in ((config.target, "model", trained.models), tables):
            artifact = wandb.Artifact(name, kind, metadata=_identity(provenance))
            for file in files:
                if (root / file).is_file():
                    artifact.add_file(str(root / file), name=file.as_posix())
            run.log_artifact(artifact)
        where = {"url": run.url} if tracking.mode == "online" else {"folder": _shown(Path(run.dir).parent, root)}
        return {"id": run.id, "mode": tracking.mode, **where}


def _config(config: Config) -> dict[str, Any]:
    """What made the experiment; how a search would go on from it did not."""
    return {section: values for section, values in config.as_dict().items() if section != "tuner"}


def _tags(config: Config) -> list[str]:
    """The choices, such as `detector:seed`; wandb allows 64 characters."""
    sections = _config(config)
    return [f"{key}:{part['name']}"[:64] for key, part in sections.items() if isinstance(part, dict) and "name" in part]


def _identity(provenance: dict[str, Any]) -> dict[str, Any]:
    return {key: provenance[key] for key in ("git", "dvc", "versions", "hardware") if key in provenance}


def _images(root: Path, count: int) -> list[Any]:
    """Test images (else whatever was scored), a third each of the worst, the best and the middle."""
    import wandb
    from PIL import Image, ImageOps

    detections = read_table(root / "reports/detections.csv")
    tested = detections[detections["split"] == "test"]
    third = count // 3
    cases = choose_cases(tested if len(tested) else detections, worst=count - 2 * third, median=third, best=third)
    images = []
    for which, rows in cases.items():
        for row in rows.to_dict("records"):
            with Image.open(root / "data/images" / row["image"]) as image:
                drawn = ImageOps.pad(draw_boxes(image, *boxes_of(row), width=_IMAGE_PX[0]), _IMAGE_PX)
            caption = f"{which}: IoU {row['iou']:.2f} {row['source']}/{row['split']} {row['text']} {row['image']}"
            images.append(wandb.Image(drawn, caption=caption, file_type="jpg"))
    return images


def _shown(folder: Path, root: Path) -> str:
    """A path as a person at the project's root would type it."""
    return folder.relative_to(root.absolute()).as_posix() if folder.is_relative_to(root.absolute()) else str(folder)


def _without_secrets(text: str) -> str:
    for name, value in os.environ.items():
        if value and name.upper().endswith(("KEY", "TOKEN", "SECRET", "PASSWORD")):
            text = text.replace(value, f"${name}")
    return text
