"""What an audit judges labels by: the predictions for every image, each from a detector that did not train on it if
there is one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lpr import config
from lpr.config import Config
from lpr.config.params import recorded_overrides
from lpr.data.plates import read_split
from lpr.data.tables import read_table
from lpr.detection import families
from lpr.errors import UserError
from lpr.experiment.run import FINISHED
from lpr.paths import IMAGE_CACHE, PLATES, PREDICTIONS, SPLIT

_SIDES = ("test", "validation", "train")  # in the order of what a prediction on it proves


@dataclass(frozen=True)
class Evidence:
    """Labels and predictions of the same images.

    Attributes:
        config: of the (first) experiment.
        overrides: of conf/, which it was composed from; None where nobody noted them.
        labels: a row a plate: image, source, url, text, width, height, plate, split, and the true box in pixels; a
            image that shows no plate has a row without a box. `split` is the side on which the image lay for the
            detector that judges it.
        predictions: rows of `reports/predictions.csv`, of these detectors.
        splits: a row a image (image, split), of every experiment.
        images: folder of the cached images.
    """

    config: Config
    overrides: list[str] | None
    labels: pd.DataFrame
    predictions: pd.DataFrame
    splits: list[pd.DataFrame]
    images: Path

    @property
    def graded(self) -> bool:
        """Whether confidences say how sure the detector is, rather than that every image has one plate."""
        return families.load(self.config.detector.name).HAS_CONFIDENCE


def gather(folder: Path) -> Evidence:
    """What the project, an experiment or a sweep left in its folder.

    In a sweep, such as one over the folds of `split=kfold`, a image is judged by the first experiment that tested it,
    or else validated it, or else trained on it.

    Raises:
        UserError: a file is missing or of another split, or nothing there has finished.
    """
    experiments = _experiments(folder)
    tables = [_read(experiment) for experiment in experiments]
    splits = [labels.drop_duplicates("image")[["image", "split"]] for labels, _ in tables]
    sides = pd.concat(splits, keys=range(len(splits)), names=["experiment", None]).reset_index("experiment")
    best = sides.sort_values("split", key=lambda names: names.map(_SIDES.index), kind="stable")
    judge = best.drop_duplicates("image").set_index("image")["experiment"]
    chosen = [[table[table["image"].map(judge) == number] for table in pair] for number, pair in enumerate(tables)]
    labels, predictions = (pd.concat(parts, ignore_index=True) for parts in zip(*chosen, strict=True))
    images = experiments[0] / IMAGE_CACHE
    if missing := [name for name in labels["image"].unique() if not (images / name).is_file()]:
        raise UserError(
            f"{images} lacks {len(missing)} of the images in {SPLIT}, such as {missing[0]}: `dvc checkout` or "
            "`dvc pull` brings them back, or `dvc repro` makes them anew"
        )
    params = experiments[0] / config.PARAMS
    return Evidence(config.load(params), recorded_overrides(params), labels, predictions, splits, images)


def _experiments(folder: Path) -> list[Path]:
    """The folders of finished experiments: the project's or the experiment's alone, or those of a sweep's jobs."""
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}: name that of an experiment or of a sweep, or none for the project"
        )
    if (folder / "multirun.yaml").is_file():
        return _jobs(folder)
    if (folder / ".hydra").is_dir() and not (folder / FINISHED).is_file():
        raise UserError(f"{folder} has not finished: its command, with --resume, goes on with it")
    if not (folder / config.PARAMS).is_file():
        raise UserError(f"{folder} is the folder of no project, experiment or sweep: it has no {config.PARAMS}")
    return [folder]


def _jobs(folder: Path) -> list[Path]:
    from lpr.experiment.sweep import read_jobs

    jobs = read_jobs(folder)
    finished = [job for job in jobs if job.state == "finished"]
    if not finished:
        raise UserError(f"no job of {folder} has finished: its command, with --resume, goes on with it")
    settings = [job.settings for job in finished]
    if different := next((other for other in settings if other != settings[0]), None):
        pairs = sorted(set(settings[0].items()) ^ set(different.items()))
        raise UserError(
            f"{folder} holds different experiments ({', '.join(dict.fromkeys(key for key, _ in pairs))} differ): to "
            "audit, take a sweep over folds or seeds alone, or name one of its jobs, "
            f"such as {finished[0].folder}"
        )
    if left := [job.folder.name for job in jobs if job.state != "finished"]:
        print(f"left out, since they did not finish: {', '.join(left)}", file=sys.stderr)
    return [job.folder for job in finished]


def _read(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The labels and the predictions of one experiment."""
    labels, predictions = read_split(root), read_table(root / PREDICTIONS)
    labels = labels.merge(read_table(root / PLATES)[["image", "url"]].drop_duplicates("image"), on="image")
    sides = labels.drop_duplicates("image").set_index("image")["split"]
    if (predictions["image"].map(sides) != predictions["split"]).any():
        raise UserError(f"{root / PREDICTIONS} is not of the images and sides in {root / SPLIT}: `dvc repro`")
    return labels, predictions
