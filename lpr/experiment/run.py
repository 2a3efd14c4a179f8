"""`lpr experiment`: whole experiments as Hydra jobs, by the functions of the DVC stages, each in a folder of its own.

A job never changes what DVC holds: it links the images that DVC prepared, or prepares others under
`experiments/data/`, and runs the stages from the split to the report in its own folder. A finished job leaves
`finished.json` there, one that failed `failure.txt`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from lpr import config
from lpr.boxes import BOX_COLUMNS
from lpr.composition.checks import check_files
from lpr.composition.compose import check_sweep, compose_values, from_hydra
from lpr.composition.hydra_plugins.resolvers import local_files
from lpr.config import Config
from lpr.config.params import with_absolute_paths, with_absolute_weights, write_composed
from lpr.config.target import scored, target_of, training_of
from lpr.data.labelled_images import files_below
from lpr.data.plates import read_split
from lpr.data.tables import write_json, write_table
from lpr.errors import UserError
from lpr.experiment.folders import RUN, SWEEP, find_folders
from lpr.experiment.own_process import call
from lpr.hashes import file_md5
from lpr.metrics.table import DETECTION_OBJECTIVE, RECOGNITION_OBJECTIVE
from lpr.paths import DETECTIONS, FAILURES, IMAGE_CACHE, IMAGES_CSV, METRICS, PLATES, REJECTS, SYNTHETIC_SCORES
from lpr.tracking.wandb_run import RunLabels

EXPERIMENTS = Path("experiments")
FINISHED, FAILURE = Path("finished.json"), Path("failure.txt")
_PREPARED = (IMAGE_CACHE, PLATES, IMAGES_CSV, REJECTS, FAILURES, METRICS / "annotate.json", METRICS / "download.json")


def main(arguments: list[str]) -> int:
    """Run Hydra's command line, `-m` and launchers included; 1 where a job failed.

    `--resume` is not Hydra's: it continues the last run of the same command, without its finished jobs.
    """
    root = Path.cwd()
    resume = "--resume" in arguments
    try:
        if resume:
            arguments = _resumed([argument for argument in arguments if argument != "--resume"])
        return _run_jobs(arguments, root, resume)
    except UserError as error:
        print(f"lpr experiment: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lpr experiment: interrupted; the same command and --resume goes on from here", file=sys.stderr)
        return 130


def _run_jobs(arguments: list[str], root: Path, resume: bool) -> int:
    import hydra

    import lpr.composition.hydra_plugins.resolvers  # noqa: F401  (registers what conf/ interpolates, for launchers, too)

    if not (root / config.CONF / "config.yaml").is_file():
        raise UserError(f"{config.CONF}/config.yaml is not in {root}: run lpr in the folder of the project")
    options = {argument for argument in arguments if argument.startswith("-")}
    overrides = [argument for argument in arguments if argument not in options]
    if not options:
        compose_values(overrides, config.CONF)
    elif options <= {"-m", "--multirun"}:  # else arguments may be values of Hydra's options
        check_sweep(overrides)
    failed: list[Path] = []  # by this process; jobs of a launcher may run in others

    @hydra.main(config_path=str(root / config.CONF), config_name="config", version_base="1.3")
    def job(composed: Any) -> float | None:
        folder = Path.cwd()
        (folder / FAILURE).unlink(missing_ok=True)
        try:
            settings = with_absolute_weights(from_hydra(composed), root)
            if resume and is_finished(settings, folder) and has_same_data(settings, root, folder):
                print(f"{os.path.relpath(folder, root)}: finished already")
                return float(json.loads((folder / FINISHED).read_text())["objective"])
            labels = _run_labels()
            if labels.job_type == "sweep":
                return call(run, settings, root, folder, labels)
            return run(settings, root, folder, labels)
        except Exception as error:
            # Whatever went wrong here, the other jobs go on.
            known = isinstance(error, UserError)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            (folder / FAILURE).write_text(reason + ("\n" if known else f"\n\n{traceback.format_exc()}"))
            where = os.path.relpath(folder, root)
            hint = "" if known else f" (all of it: {where}/{FAILURE})"
            print(f"lpr experiment: {where}: {reason}{hint}", file=sys.stderr)
            failed.append(folder)
            return None

    sys.argv = ["lpr experiment", *arguments]
    job()
    return 1 if failed else 0


def run(settings: Config, root: Path, folder: Path, labels: RunLabels) -> float:
    """One experiment, in `folder`, the current one: its files are laid out as the project's.

    Returns:
        The objective: the mean IoU of the validation images, or of the test images where there are no validation
        images; of a recognizer, its exact-match accuracy on held-out synthetic plates.
    """
    from lpr.pipeline import report

    started = time.monotonic()
    (folder / FINISHED).unlink(missing_ok=True)
    check_files(settings, root)
    prepare_folder(settings, root, folder)
    trained = target_of(settings)
    run_stages(trained.training, settings)
    if settings.target == "recognizer":
        # The true boxes, without predicted ones; images without plates have none.
        write_table(read_split().dropna(subset=BOX_COLUMNS), DETECTIONS)
    run_stages(trained.scoring, settings)
    report.run(settings, labels)
    if settings.target == "recognizer":
        scores = json.loads((folder / SYNTHETIC_SCORES).read_text())
        value: float = scores["synthetic_plates"]["test"]["true"][RECOGNITION_OBJECTIVE]["value"]
    else:
        value = objective(json.loads((folder / METRICS / "detection.json").read_text()))
    write_finished(settings, folder, value, time.monotonic() - started)
    return value


def prepare_folder(settings: Config, root: Path, folder: Path) -> None:
    """Write an experiment's `params.yaml` into its folder, and link the images and plates that it works on."""
    prepared = prepare_data(settings, root)
    for path in _PREPARED:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).unlink(missing_ok=True)
        (folder / path).symlink_to(prepared / path)
    write_composed(settings, folder / config.PARAMS)


def objective(scores: dict[str, Any]) -> float:
    """Mean IoU over the validation plates of all sources; where there are none, over the test plates."""
    sources = [
        sides for name, sides in scores.items() if not name.endswith((config.OVERRIDE_BOXES, config.ORIGINAL_BOXES))
    ]  # each plate once
    for side in ("validation", "test"):
        found = [sides[side][DETECTION_OBJECTIVE] for sides in sources if DETECTION_OBJECTIVE in sides.get(side, {})]
        if found:
            total: float = sum(score["value"] * score["n"] for score in found)
            return total / sum(score["n"] for score in found)
    raise UserError("nothing was validated or tested: give split.validation or split.test a share")


def write_finished(settings: Config, folder: Path, objective: float, seconds: float) -> None:
    """Mark the experiment of this configuration as finished; to be called last."""
    from lpr.nn.runtime import choose_hardware

    training = training_of(settings)
    threads = choose_hardware(training.precision, training.threads).threads
    finished = {"config": digest(settings), "objective": objective, "seconds": round(seconds, 1), "threads": threads}
    write_json(finished | {"data": _labels_digest(folder)}, folder / FINISHED)


def is_finished(settings: Config, folder: Path) -> bool:
    """Whether `folder` holds the finished experiment of this very configuration."""
    file = folder / FINISHED
    return file.is_file() and json.loads(file.read_text())["config"] == digest(settings)


def has_same_data(settings: Config, root: Path, folder: Path) -> bool:
    """Whether the finished experiment in `folder` had the labels and images that its configuration has now."""
    before = json.loads((folder / FINISHED).read_text()).get("data")
    return before is None or before == _labels_digest(prepare_data(settings, root))


def _labels_digest(folder: Path) -> str:
    """Of the tables of plates and images in a folder's `data/`."""
    return " ".join(file_md5(folder / table) or "" for table in (PLATES, IMAGES_CSV))


def digest(settings: Config) -> str:
    """A SHA-256 digest of the sections of the configuration that an experiment's scores depend on."""
    return hashlib.sha256(json.dumps(scored(settings.as_dict()), sort_keys=True).encode()).hexdigest()


def _run_labels() -> RunLabels:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra = HydraConfig.get()
    if hydra.mode == RunMode.MULTIRUN:
        return RunLabels("sweep", Path(hydra.sweep.dir).name)
    return RunLabels("experiment")


def _resumed(arguments: list[str]) -> list[str]:
    """The arguments with the folder of the last run of the same command."""
    many = {"-m", "--multirun"} & set(arguments)
    key, record = ("hydra.sweep.dir", SWEEP) if many else ("hydra.run.dir", f"{RUN}/hydra.yaml")
    if any(argument.startswith(f"{key}=") for argument in arguments):
        return arguments
    overrides = [argument for argument in arguments if not argument.startswith(("-", "hydra"))]
    runs, sweeps = find_folders(EXPERIMENTS)
    folders = [folder for folder in (sweeps if many else runs) if (folder / record).is_file()]
    for folder in sorted(folders, key=lambda folder: (folder / record).stat().st_mtime, reverse=True):
        if yaml.safe_load((folder / record).read_text())["hydra"]["overrides"]["task"] == overrides:
            print(f"going on with {folder}")
            return [*arguments, f"{key}={folder}"]
    raise UserError(
        f"no run of this command is under {EXPERIMENTS}/, so there is nothing to resume: leave out --resume, "
        f"or name the folder by {key}=FOLDER"
    )


def prepare_data(settings: Config, root: Path) -> Path:
    """The folder whose `data/` holds the images of this configuration: DVC's own, or one under experiments/data."""
    from filelock import FileLock

    from lpr.pipeline import annotate, download, source

    if _dvc_prepared(settings, root):
        return root
    here = with_absolute_paths(settings, root)
    # A job may have composed them in its own folder.
    here = here.model_copy(update={"inputs": local_files(here.as_dict()["data"]["sources"])})
    place = root / EXPERIMENTS / "data" / _data_digest(here)
    place.mkdir(parents=True, exist_ok=True)
    # Parallel jobs may need the same images: the first prepares them. The counts are written last.
    with FileLock(place / ".lock"):
        if not (place / METRICS / "download.json").is_file():
            print(f"DVC holds no such data as it is now: preparing it in {os.path.relpath(place, root)}")
            with chdir(place):
                source.run(here, [])
                annotate.run(here)
                download.run(here)
    return place


def _dvc_prepared(settings: Config, root: Path) -> bool:
    """Whether DVC's `data/` was made of this data section and of its files as they are now, according to `dvc.lock`."""
    lock, images = root / "dvc.lock", root / IMAGES_CSV
    locked = yaml.safe_load(lock.read_text())["stages"] if lock.is_file() else {}
    names = ["download", *(f"source@{number}" for number in range(len(settings.data.sources)))]
    if not locked.keys() >= set(names):
        return False
    stages = [locked[name] for name in names]
    try:
        prepared = [config.Data.model_validate(stage["params"]["params.yaml"].get("data")) for stage in stages]
    except ValidationError:
        return False  # an older schema's
    hashes = {out["path"]: out.get("md5") for out in locked["download"]["outs"]}
    if any(data != settings.data for data in prepared) or hashes[IMAGES_CSV.as_posix()] != file_md5(images):
        return False
    # The sources' files, and what is made of them for `download`, since `dvc repro` may have stopped before that.
    # Without the code: after an edit of the package, experiments go on with the data that is there.
    return _unchanged([dep for stage in stages for dep in stage["deps"] if not dep["path"].startswith("lpr/")], root)


def _unchanged(deps: list[dict[str, Any]], root: Path) -> bool:
    """Whether files and folders have the hashes that `dvc.lock` has of them.

    DVC itself is asked: it hashes only files whose sizes or times have changed.
    """
    from dvc.dependency import loadd_from
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.stage import Stage

    try:
        with Repo(str(root)) as repo:
            stage = Stage(repo, path=str(root / "dvc.yaml"), wdir=str(root))  # a job's current folder is its own
            return not any(dep.workspace_status() for dep in loadd_from(stage, deps))
    except (DvcException, OSError):
        return False  # such as in a copy without DVC's own folder, or with a broken link among the images


def _data_digest(settings: Config) -> str:
    """A digest of a data section, its local files, and the names, sizes and times of what is in its local folders."""
    digest = hashlib.sha256(json.dumps(settings.as_dict()["data"], sort_keys=True).encode())
    for entry in settings.as_dict()["data"]["sources"]:
        for key in config.path_keys(config.Source):
            if (path := entry.get(key)) and "://" not in path and Path(path).is_file():
                digest.update(Path(path).read_bytes())
    folders = {entry[key]: None for entry in settings.inputs for key in ("annotations", "images")}
    for folder in folders:
        for name in files_below(Path(folder)):
            status = os.stat(os.path.join(folder, name), follow_symlinks=False)
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:12]


def run_stages(names: Iterable[str], config: Config) -> None:
    """Run these stages in the current folder, one after another."""
    for name in names:
        import_module(f"lpr.pipeline.{name}").run(config)
