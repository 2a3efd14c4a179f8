"""`lpr tune`: Keras Tuner over any key of the configuration; a trial runs an experiment's split and training stages.

A search is named by a digest of its space, its base configuration and its data. Its folder is `tuning/DIGEST/`: the
state of the search in `keras_tuner/`, the trials in `trials/`, each in a folder with the layout of an experiment's. The
same command continues a search that was killed. Trials are chosen by validation images; test images are not used.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lpr import config
from lpr.composition.checks import check_files
from lpr.composition.compose import choices, compose
from lpr.composition.params import check_fresh
from lpr.config.messages import flatten
from lpr.config.params import recorded_overrides
from lpr.config.target import target_of, training_of
from lpr.cores import usable_cores
from lpr.data.tables import write_json
from lpr.errors import UserError
from lpr.experiment.own_process import KilledError, call, end_with_parent
from lpr.experiment.run import FAILURE, FINISHED, is_finished, prepare_data, prepare_folder, run_stages, write_finished
from lpr.experiment.search_space import Base, Space, is_group, key_of
from lpr.hashes import file_md5
from lpr.paths import IMAGES_CSV, METRICS, PLATES, PROVENANCE, SCRATCH
from lpr.tracking.wandb_run import RunLabels

if TYPE_CHECKING:
    import pandas as pd

    from lpr.experiment.keras_tuner_search import ExperimentTuner

TUNING = Path("tuning")
TRIALS, WINNER = TUNING / "trials.csv", TUNING / "tuned.yaml"
EXPERIMENT = config.CONF / "experiment" / "tuned.yaml"
_STARTS = 3  # of one trial in the same epoch, before it is given up
_RESTARTS = 30  # of killed workers, in one search
_NOT_SET = {"tuner", "inputs", "weights", "code"}  # the search itself, and what conf/ composes of other keys
_STARTED_BY_PARENT = "LPR_TUNE_STARTED_BY_PARENT"


@dataclass(frozen=True)
class Search:
    """One search: what is tuned, over which keys, and its folder."""

    base: Base
    space: Space
    root: Path
    folder: Path

    def values(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Key → value of a trial, from Keras Tuner's values; Hyperband's epochs among them."""
        values = self.space.decode(raw)
        if epochs := raw.get("tuner/epochs"):
            train = target_of(self.base.config).train
            warmup = f"{train}.warmup_epochs"
            values[f"{train}.epochs"] = epochs
            if values.get(warmup, training_of(self.base.config).warmup_epochs) >= epochs:
                values[warmup] = epochs - 1
        return values

    def train(self, folder: Path, raw: dict[str, Any]) -> float:
        """Train one trial in its folder, unless it is finished, and mirror it to wandb.

        Returns:
            The objective of its best epoch.
        """
        settings = self.base.with_values(self.values(raw))
        if is_finished(settings, folder):
            return float(json.loads((folder / FINISHED).read_text())["objective"])
        prepare_folder(settings, self.root, folder)
        while True:
            _count_start(folder, target_of(settings).history)
            try:
                return call(_train, settings, folder, RunLabels("trial", f"tune-{self.folder.name}"))
            except KilledError as error:
                print(f"trial {folder.name}: {error}")  # it goes on after its last epoch


def _train(settings: config.Config, folder: Path, labels: RunLabels) -> float:
    """Run a trial's stages in its prepared folder; see `Search.train`."""
    from lpr.data.tables import read_table
    from lpr.tracking.provenance import collect
    from lpr.tracking.wandb_run import log_run

    started = time.monotonic()
    trained = target_of(settings)
    with chdir(folder):
        run_stages(trained.training, settings)
        history = read_table(trained.history)[settings.tuner.objective]
        provenance = collect(settings)
        if run := log_run(settings, Path(), provenance, labels):
            provenance["wandb"] = run
        write_json(provenance, PROVENANCE)
    value = float(history.max() if settings.tuner.direction == "max" else history.min())
    write_finished(settings, folder, value, time.monotonic() - started)
    return value


def run(overrides: list[str]) -> None:
    """Search, or continue a search that was killed; then write `tuning/`, and the best trial as an experiment of conf/.

    Keras Tuner's environment variables make this process the chief, or a worker, of a search by several processes.

    Raises:
        UserError: the space or the base configuration is wrong, or too many trials failed one after another.
    """
    from filelock import FileLock, Timeout

    role = os.environ.get("KERASTUNER_TUNER_ID", "") if "KERASTUNER_ORACLE_IP" in os.environ else None
    if _STARTED_BY_PARENT in os.environ:
        end_with_parent()
        _build_tuner(_open_search(overrides)).search()
        return
    if role is not None and "chief" not in role:
        _build_tuner(_open_search(overrides)).search()
        return
    search = _open_search(overrides)
    try:
        with FileLock(search.folder / ".lock", timeout=0):
            if role is None and search.base.config.tuner.workers > 1:
                _run_workers(search, overrides)
                tuner = _build_tuner(search)
            else:
                tuner = _build_tuner(search)
                tuner.search()
            _write_results(search, tuner.oracle)
    except Timeout:
        raise UserError(f"another `lpr tune` is running in {search.folder.relative_to(search.root)}") from None


def _open_search(overrides: list[str]) -> Search:
    """Check the base configuration and the space, and find or begin their search."""
    base = Base(compose(overrides), overrides) if overrides else Base(check_fresh(), recorded_overrides())
    check_files(base.config)
    settings = base.config.tuner
    if base.config.target == "detector" and base.config.split.validation == 0:
        raise UserError("split.validation is 0: a search chooses by validation images; set it above 0")
    if base.choices["experiment"] == EXPERIMENT.stem:
        raise UserError(f"{EXPERIMENT} is what a search writes: to tune further from it, copy it to another name there")
    root, space = Path.cwd(), Space(base)
    data = prepare_data(base.config, root)
    identity = {
        "tuner": settings.model_dump(exclude={"space", "max_trials", "max_consecutive_failures", "workers"}),
        "space": {key: dimension.model_dump(by_alias=True) for key, dimension in space.dimensions.items()},
        # The options' files may be edited.
        "options": {
            f"{group}={option}": _tried(base.with_values({group: option}))
            for group, dimension in space.dimensions.items()
            if is_group(group)
            for option in dimension.choice or []
        },
        "data": {path.name: file_md5(data / path) for path in (PLATES, IMAGES_CSV)},
        "base": _tried(base.config),
    }
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    folder = root / TUNING / name
    if (folder / "search.yaml").is_file():
        count = len(list(folder.glob(f"trials/*/{FINISHED}")))
        print(f"going on with {TUNING / name}: {count} finished trials")
    else:
        print(f"a new search, in {TUNING / name}{_what_changed(identity, root / TUNING)}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "search.yaml").write_text(yaml.safe_dump(identity, sort_keys=False))
    return Search(base, space, root, folder)


def _tried(settings: config.Config) -> dict[str, Any]:
    """The sections that a trial's objective depends on, besides the data."""
    values = settings.as_dict()
    return {section: values[section] for section in target_of(settings).sections}


def _what_changed(identity: dict[str, Any], tuning: Path) -> str:
    """In which keys the last search differs; empty where there is none."""
    others = sorted(tuning.glob("*/search.yaml"), key=lambda path: path.stat().st_mtime)
    if not others:
        return ""
    new, old = flatten(identity), flatten(yaml.safe_load(others[-1].read_text()))
    changed = [key for key in sorted(new.keys() | old.keys()) if new.get(key) != old.get(key)]
    lines = [f"\n  {key}: {old.get(key, 'absent')!r} there, {new.get(key, 'absent')!r} here" for key in changed]
    return f"; that of {TUNING / others[-1].parent.name} was of something else:{''.join(lines)}"


def _build_tuner(search: Search) -> ExperimentTuner:
    from lpr.nn.runtime import silent_stderr

    with silent_stderr():  # Keras Tuner imports TensorFlow
        from lpr.experiment.keras_tuner_search import ExperimentTuner, build_oracle

    oracle = build_oracle(search.base.config.tuner, search.space.hyperparameters())
    return ExperimentTuner(oracle, search.folder, search.train)


def _count_start(folder: Path, written: Path) -> None:
    """Count the starts of a trial, and give it up where its process was killed in the same epoch every time.

    That is how the system ends a process for its memory.

    Raises:
        UserError: it is given up.
    """
    file, history = folder / SCRATCH / "starts.json", folder / written
    epochs = len(history.read_text().splitlines()) if history.is_file() else 0
    starts = [*(json.loads(file.read_text()) if file.is_file() else []), epochs]
    if len(starts) > _STARTS and len(set(starts[-_STARTS - 1 :])) == 1:
        file.unlink()
        raise UserError(f"its process was killed {_STARTS} times in the same epoch: it may need too much memory")
    write_json(starts, file)


def _run_workers(search: Search, overrides: list[str]) -> None:
    """Run Keras Tuner's chief and its workers as processes of this machine until the search ends.

    A worker that is killed is started again by the same name: the chief keeps its trial for that name.
    """
    from tqdm import tqdm

    settings = search.base.config.tuner
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
        "OMP_NUM_THREADS": str(max(1, usable_cores() // settings.workers)),
        "PYTHONUNBUFFERED": "1",
        _STARTED_BY_PARENT: "1",
    }

    def start(name: str) -> subprocess.Popen[bytes]:
        with (search.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "lpr", "tune", *overrides],
                env=environment | {"KERASTUNER_TUNER_ID": name},
                stdin=subprocess.PIPE,  # closed when this process ends, at which they end
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    workers = [f"worker{number}" for number in range(1, settings.workers + 1)]
    processes = {name: start(name) for name in ("chief", *workers)}
    restarts = 0
    try:
        with tqdm(desc="tuning", total=settings.max_trials, unit="trial") as bar:
            while any(processes[name].poll() != 0 for name in workers) and processes["chief"].poll() != 0:
                time.sleep(0.2)
                bar.update(len(_ended(search.folder)) - bar.n)
                for name, process in processes.items():
                    status = process.poll()
                    if not status:  # at work, or done
                        continue
                    if name == "chief" or status > 0 or restarts == _RESTARTS:
                        log = search.folder / f"{name}.log"
                        last = "\n  ".join(log.read_text(errors="replace").splitlines()[-5:])
                        raise UserError(f"{name} stopped; {log.relative_to(search.root)} ends so:\n  {last}")
                    restarts += 1
                    bar.write(f"{name} was killed: starting it again, its trial goes on from its last epoch")
                    processes[name] = start(name)
            bar.update(len(_ended(search.folder)) - bar.n)
    finally:
        for process in processes.values():
            process.kill()  # the chief checks only every 20 s whether all workers ended; its state is saved
            process.wait()


def _ended(folder: Path) -> list[Path]:
    return [path for name in (FINISHED, FAILURE) for path in folder.glob(f"trials/*/{name}")]


def _write_results(search: Search, oracle: Any) -> None:
    """Write the table, the figures and the best trial, and print where.

    Raises:
        UserError: the search ended by consecutive failures, or no trial finished.
    """
    from tabulate import tabulate

    from lpr.data.tables import write_table
    from lpr.experiment.keras_tuner_search import failures_at_end
    from lpr.report.tuning_figures import draw_keys, draw_objective

    settings = search.base.config.tuner
    table = _table(search, oracle)
    write_table(table, TRIALS)
    logarithmic = [key for key, dimension in search.space.dimensions.items() if dimension.sampling == "log"]
    draw_objective(table, settings.objective, settings.direction, TUNING / "objective.png")
    draw_keys(table, list(search.space.dimensions), logarithmic, settings.objective, TUNING / "keys.png")
    finished = table[table["status"] == "finished"]
    failed = table[table["status"] == "failed"]
    shown = table.drop(columns="reason").head(10).astype(object)
    print(tabulate(shown.where(shown.notna(), None).to_dict("records"), headers="keys", floatfmt=".4g"))
    for row in failed.to_dict("records"):
        print(f"trial {row['trial']} failed: {row['reason']}")
    print(f"{len(finished)} finished and {len(failed)} failed trials: {TRIALS}")
    if len(finished):
        best = oracle.trials[finished["trial"].iloc[0]]
        _write_winner(search, best.trial_id, search.values(best.hyperparameters.values))
        then = f"`lpr params experiment=tuned`, then `{_repro(search.base.config)}`"
        print(f"trial {best.trial_id} is the best: {EXPERIMENT}; {then}")
    if (count := failures_at_end(oracle)) >= settings.max_consecutive_failures:
        raise UserError(
            f"the last {count} trials failed one after another, which ends the search; the last because: "
            f"{failed.set_index('trial')['reason'][oracle.end_order[-1]]}\nChange tuner.space, or go on with the same "
            f"command and tuner.max_consecutive_failures={2 * count}."
        )
    if finished.empty:
        raise UserError(f"no trial finished: the reasons are in {TRIALS}")


def _table(search: Search, oracle: Any) -> pd.DataFrame:
    """A row a trial, best first, failed ones last: its status and objective, and the keys' values."""
    import pandas as pd

    rows = []
    for name, trial in sorted(oracle.trials.items(), key=lambda item: int(item[0])):
        folder = search.folder / "trials" / name
        row: dict[str, Any] = dict.fromkeys(("trial", "status", "objective", "seconds", "epochs", "reason"))
        if (folder / FAILURE).is_file():
            reason = " ".join((folder / FAILURE).read_text().split())
            row |= {"status": "failed", "reason": reason}
        elif (folder / FINISHED).is_file():
            finished = json.loads((folder / FINISHED).read_text())
            trained = json.loads((folder / target_of(search.base.config).metrics).read_text())
            row |= {"status": "finished", "epochs": trained["epochs"]}
            row |= {key: finished[key] for key in ("objective", "seconds")}
        else:
            row["status"] = "unfinished"
        values = search.space.decode(trial.hyperparameters.values)
        cells = {key: json.dumps(value) if isinstance(value, list) else value for key, value in values.items()}
        rows.append(row | {"trial": name} | {key: cells.get(key) for key in search.space.dimensions})
    table = pd.DataFrame(rows).astype({"epochs": "Int64", "objective": float, "seconds": float})
    lower_is_better = search.base.config.tuner.direction == "min"
    return table.sort_values("objective", ascending=lower_is_better, na_position="last", kind="stable")


def _write_winner(search: Search, trial: str, values: dict[str, Any]) -> None:
    """Write a trial as an experiment of conf/ that composes to exactly its configuration.

    It overrides the groups and sets the keys that the search's overrides and the trial set; what then still differs,
    such as an entry of a list, is set, too.
    """
    winner = search.base.with_values(values)
    folder = search.folder / "trials" / trial
    finished = json.loads((folder / FINISHED).read_text())
    network = target_of(winner)
    trained = json.loads((folder / network.metrics).read_text())
    counted = json.loads((folder / METRICS / "split.json").read_text())["images"]
    validated = sum(sides.get("validation", 0) for sides in counted.values())
    judged = f"{validated} validation images" if winner.target == "detector" else "crops of synthetic plates, once each"
    objective = search.base.config.tuner.objective
    head = (
        "# @package _global_\n"
        f"# The best trial of `lpr tune`: {trial} of {TUNING / search.folder.name}.\n"
        f"#   command:  lpr params experiment=tuned; {_repro(winner)}\n"
        f"#   cost:     {finished['seconds'] / 60:.1f} minutes of training ({trained['epochs']} epochs) on "
        f"{finished['threads']} threads\n"
        f"#   reached:  {objective} {finished['objective']:.4f} on {judged}\n"
    )
    chosen = search.base.choices | {group: option for group, option in values.items() if is_group(group)}
    experiment = chosen.pop("experiment")
    usual = choices([f"experiment={experiment}"])
    others = {group: option for group, option in chosen.items() if not group.startswith("tuner")}
    overridden = {group: option for group, option in others.items() if option != usual[group]}
    defaults: list[Any] = [experiment, *({f"override /{group}": option} for group, option in overridden.items())]

    wanted = _flat(winner)
    named = [key_of(override) for override in search.base.overrides or []] + list(values)
    body = {key: wanted[key] for key in wanted if any(name == key or name.startswith(f"{key}.") for name in named)}
    with tempfile.TemporaryDirectory() as place:
        conf = Path(place) / "conf"
        shutil.copytree(config.CONF, conf)
        for _ in range(2):
            text = head + yaml.safe_dump({"defaults": defaults, **_nested(body)}, sort_keys=False)
            (conf / "experiment" / EXPERIMENT.name).write_text(text)
            made = _flat(compose([f"experiment={EXPERIMENT.stem}"], conf))
            body |= {key: value for key, value in wanted.items() if made.get(key) != value}
    if made != wanted:
        differing = sorted(key for key in made.keys() | wanted.keys() if made.get(key) != wanted.get(key))
        raise UserError(f"trial {trial} is no experiment of conf/: {', '.join(differing)} cannot be set there")
    WINNER.write_text(text)
    EXPERIMENT.write_text(text)


def _repro(settings: config.Config) -> str:
    """The command that trains the same by DVC."""
    return "dvc repro" if settings.target == "detector" else "dvc repro recognizer/dvc.yaml"


def _flat(settings: config.Config) -> dict[str, Any]:
    """All keys that an experiment can set, dotted."""
    values = settings.as_dict()
    return flatten({section: value for section, value in values.items() if section not in _NOT_SET})


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        part = tree
        for name in path:
            part = part.setdefault(name, {})
        part[last] = value
    return tree
