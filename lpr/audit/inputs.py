"""What an audit reads: the labels, and for every image the predictions of one detector, if possible of one that was not
trained on it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lpr.config import PARAMS, Config, load
from lpr.config.params import recorded_overrides
from lpr.data.plates import read_split
from lpr.data.tables import read_table
from lpr.detection import families
from lpr.errors import UserError
from lpr.experiment.folders import RUN, SWEEP
from lpr.experiment.run import FINISHED
from lpr.paths import IMAGE_CACHE, PLATES, PREDICTIONS, SPLIT
from lpr.report.page import SPLIT_PREFERENCE


@dataclass(frozen=True)
class AuditInput:
    """Labels and predictions of the same images.

    Attributes:
        config: of the (first) experiment.
        overrides: of conf/, from which it was composed; None where they were not recorded.
        labels: a row a plate: image, source, url, text, width, height, plate, split, and the true box in pixels; an
            image without plates has a row without a box. `split` is the split of the image in the experiment whose
            detector made its predictions.
        predictions: rows of `reports/predictions.csv`, of these detectors.
        splits: a row an image (image, split), of every experiment.
        image_dir: folder of the cached images.
    """

    config: Config
    overrides: list[str] | None
    labels: pd.DataFrame
    predictions: pd.DataFrame
    splits: list[pd.DataFrame]
    image_dir: Path

    @property
    def has_confidence(self) -> bool:
        """Whether the detector's confidences separate plates from background (`Family.HAS_CONFIDENCE`)."""
        return families.load(self.config.detector.name).HAS_CONFIDENCE


def load_input(folder: Path) -> AuditInput:
    """Read the tables of the project, of an experiment or of a sweep.

    Of the experiments of a sweep, such as one over the folds of `split=kfold`, the predictions for an image come from
    the first in which it is a test image, else a validation image, else a training image.

    Raises:
        UserError: a file is missing or belongs to another split, or no experiment has finished.
    """
    experiments = _experiments(folder)
    tables = [_read(experiment) for experiment in experiments]
    splits = [labels.drop_duplicates("image")[["image", "split"]] for labels, _ in tables]
    candidates = pd.concat(splits, keys=range(len(splits)), names=["experiment", None]).reset_index("experiment")
    ranked = candidates.sort_values("split", key=lambda names: names.map(SPLIT_PREFERENCE.index), kind="stable")
    experiment_of = ranked.drop_duplicates("image").set_index("image")["experiment"]
    chosen = [
        [table[table["image"].map(experiment_of) == number] for table in pair] for number, pair in enumerate(tables)
    ]
    labels, predictions = (pd.concat(parts, ignore_index=True) for parts in zip(*chosen, strict=True))
    image_dir = experiments[0] / IMAGE_CACHE
    if missing := [name for name in labels["image"].unique() if not (image_dir / name).is_file()]:
        raise UserError(
            f"{image_dir} lacks {len(missing)} of the images in {SPLIT}, such as {missing[0]}: `dvc checkout` or "
            "`dvc pull` restores them, `dvc repro` makes them anew"
        )
    params = experiments[0] / PARAMS
    return AuditInput(load(params), recorded_overrides(params), labels, predictions, splits, image_dir)


def _experiments(folder: Path) -> list[Path]:
    """The folders of finished experiments: the project's or the experiment's alone, or those of a sweep's jobs."""
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}: name that of an experiment or of a sweep, or none for the project"
        )
    if (folder / SWEEP).is_file():
        return _jobs(folder)
    if (folder / RUN).is_dir() and not (folder / FINISHED).is_file():
        raise UserError(f"{folder} has not finished: its command with --resume continues it")
    if not (folder / PARAMS).is_file():
        raise UserError(f"{folder} is the folder of no project, experiment or sweep: it has no {PARAMS}")
    return [folder]


def _jobs(folder: Path) -> list[Path]:
    from lpr.experiment.sweep import read_jobs

    jobs = read_jobs(folder)
    finished = [job for job in jobs if job.state == "finished"]
    if not finished:
        raise UserError(f"no job of {folder} has finished: its command with --resume continues it")
    settings = [job.settings for job in finished]
    if different := next((other for other in settings if other != settings[0]), None):
        pairs = sorted(set(settings[0].items()) ^ set(different.items()))
        raise UserError(
            f"{folder} holds different experiments ({', '.join(dict.fromkeys(key for key, _ in pairs))} differ): an "
            "audit needs a sweep over folds or seeds alone, or one of its jobs, "
            f"such as {finished[0].folder}"
        )
    if left := [job.name for job in jobs if job.state != "finished"]:
        print(f"left out, not finished: {', '.join(left)}", file=sys.stderr)
    return [job.folder for job in finished]


def _read(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The labels and the predictions of one experiment."""
    labels, predictions = read_split(root), read_table(root / PREDICTIONS)
    labels = labels.merge(read_table(root / PLATES)[["image", "url"]].drop_duplicates("image"), on="image")
    splits = labels.drop_duplicates("image").set_index("image")["split"]
    if (predictions["image"].map(splits) != predictions["split"]).any():
        raise UserError(f"{root / PREDICTIONS} does not match the images and splits in {root / SPLIT}: `dvc repro`")
    return labels, predictions
