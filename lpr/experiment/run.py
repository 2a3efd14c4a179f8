"""`lpr experiment`: whole experiments as Hydra jobs, by the functions of the DVC stages, each in a folder of its own.

A job never changes what DVC holds: it links the pictures that DVC prepared, or prepares others under
`experiments/data/`, and splits, trains, evaluates and reads in its own folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

from lpr import config
from lpr.config import Config
from lpr.errors import UserError
from lpr.stages.files import FAILURES, IMAGES, METRICS, PICTURES, PLATES, REJECTS

EXPERIMENTS = Path("experiments")
_PREPARED = (IMAGES, PLATES, PICTURES, REJECTS, FAILURES, METRICS / "annotate.json", METRICS / "download.json")


def main(arguments: list[str]) -> int:
    """Run Hydra's command line, `-m` and launchers included; 1 where a job failed by a mistake of the user's."""
    import hydra

    import lpr.hydra_plugins.resolvers  # noqa: F401  (registers what conf/ interpolates)

    root = Path.cwd()
    failed: list[Path] = []

    @hydra.main(config_path=str(root / config.CONF), config_name="config", version_base="1.3")
    def job(composed: Any) -> float | None:
        folder = Path.cwd()
        try:
            return run(config.from_hydra(composed), root, folder)
        except UserError as error:
            print(f"lpr experiment: {os.path.relpath(folder, root)}: {error}", file=sys.stderr)
            failed.append(folder)
            return None

    sys.argv = ["lpr experiment", *arguments]
    job()
    if failed:
        print(f"lpr experiment: {len(failed)} failed: {', '.join(path.name for path in failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(settings: Config, root: Path, folder: Path) -> float:
    """One experiment, in `folder`, the current one: its files are laid out as the project's.

    Returns:
        The mean IoU to choose by: of the validation pictures, or of the test pictures where there are none to validate.
    """
    from lpr.stages import evaluate, read, report, split, train

    prepared = _prepare(settings, root)
    for path in _PREPARED:
        (folder / path).parent.mkdir(exist_ok=True)
        if not (folder / path).is_symlink():
            (folder / path).symlink_to(prepared / path)
    config.write_composed(settings, folder / config.PARAMS)
    for stage in (split, train, evaluate, read, report):
        stage.run(settings)
    scores = json.loads((folder / METRICS / "detection.json").read_text())
    return objective(scores)


def objective(scores: dict[str, Any]) -> float:
    """What experiments are chosen by: mean IoU over the validation plates of all sources, else over the test plates."""
    for side in ("validation", "test"):
        found = [sides[side]["mean_iou"] for sides in scores.values() if side in sides]
        if found:
            total: float = sum(score["value"] * score["n"] for score in found)
            return total / sum(score["n"] for score in found)
    raise UserError("nothing was validated or tested: give split.validation or split.test a share")


def _prepare(settings: Config, root: Path) -> Path:
    """The folder whose `data/` holds the pictures of this configuration: DVC's own, or one under experiments/data."""
    wanted = settings.as_dict()["data"]
    if (root / PICTURES).is_file() and config.load(root / config.PARAMS).as_dict()["data"] == wanted:
        return root
    from lpr.stages import annotate, download, source

    digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    place = root / EXPERIMENTS / "data" / digest
    if not (place / PICTURES).is_file():
        print(f"DVC's data was prepared under another configuration: preparing this one in {place}")
        place.mkdir(parents=True, exist_ok=True)
        here = config.with_absolute_paths(settings, root)
        with chdir(place):
            source.run(here, [])
            annotate.run(here)
            download.run(here)
    return place
