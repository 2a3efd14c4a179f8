"""Keras Tuner's searches, made to be killed: its oracles choose, this tuner trains by the experiment's own stages."""

from __future__ import annotations

import io
import json
import math
import os
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cmp_to_key
from pathlib import Path
from typing import Any

import keras_tuner
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle, HyperbandOracle, RandomSearchOracle
from keras_tuner.src import config as keras_tuner_config

from lpr.config import HyperbandTuner, Tuner
from lpr.errors import UserError
from lpr.experiment.run import FAILURE

keras_tuner_config.DEBUG = False  # why a trial failed is printed without its traceback
_IDLE_S = 0.2  # between two questions to an oracle that waits for other workers


class _Resumable:
    """What every oracle needs to be killed at any moment and to go on.

    Keras Tuner writes its files in place, one after another, forgets the order of a grid, and after a restart repeats a
    trial that ended as the process was killed.
    """

    max_failures: int

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if failures_at_end(self) >= self.max_failures:
            return {"status": TrialStatus.STOPPED}
        answer: dict[str, Any] = super().populate_space(trial_id)  # type: ignore[misc]
        return answer

    def end_trial(self, trial: Trial) -> None:
        # What comes back from a worker was rounded to single precision on the way.
        trial.hyperparameters = self.trials[trial.trial_id].hyperparameters  # type: ignore[attr-defined]
        super().end_trial(trial)  # type: ignore[misc]

    def save(self) -> None:
        _write_at_once(Path(self._get_oracle_fname()), self.get_state())  # type: ignore[attr-defined]

    def _save_trial(self, trial: Trial) -> None:
        folder = Path(self._get_trial_dir(trial.trial_id))  # type: ignore[attr-defined]
        _write_at_once(folder / "trial.json", trial.get_state())

    def reload(self) -> None:
        super().reload()  # type: ignore[misc]
        trials = self.trials  # type: ignore[attr-defined]
        for trial in trials.values():
            self._record_values(trial)  # type: ignore[attr-defined]
        self._retry_queue = [name for name in sorted(trials, key=int, reverse=True) if name not in self.end_order]  # type: ignore[attr-defined]


class _Random(_Resumable, RandomSearchOracle):
    pass


class _Bayesian(_Resumable, BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        proposed: dict[str, Any] = super().populate_space(trial_id)
        # Where keys have few values, the process's optimum is often one that was tried.
        if proposed["status"] == TrialStatus.RUNNING and self._duplicate(proposed["values"]):
            return self._random_populate_space()
        return proposed


class _Grid(_Resumable, GridSearchOracle):
    def reload(self) -> None:
        super().reload()
        values = {name: trial.hyperparameters.values for name, trial in self.trials.items()}
        by_values = cmp_to_key(lambda one, other: self._compare(values[one], values[other]))
        for name in sorted(values, key=by_values):
            self._ordered_ids.insert(name)
        self.start_order = self._populate_next = sorted(values, key=int)


class _Hyperband(_Resumable, HyperbandOracle):
    pass


def build_oracle(settings: Tuner, space: keras_tuner.HyperParameters) -> Any:
    """Keras Tuner's oracle of that name."""
    common = {
        "objective": keras_tuner.Objective(settings.objective, settings.direction),
        "hyperparameters": space,
        "allow_new_entries": False,
        "seed": settings.seed + 1,  # Keras Tuner takes seed 0 for none
        "max_consecutive_failed_trials": None,  # its own end is an exception that leaves the chief locked
    }
    if isinstance(settings, HyperbandTuner):
        oracle: Any = _Hyperband(max_epochs=settings.max_epochs, factor=settings.factor, **common)
    else:
        oracle = {"random": _Random, "bayesian": _Bayesian, "grid": _Grid}[settings.name](**common)
    oracle.max_trials = settings.max_trials
    oracle.max_failures = settings.max_consecutive_failures
    oracle.verbose = 0
    return oracle


def failures_at_end(oracle: Any) -> int:
    """How many of the trials that ended last failed, one after another."""
    count = 0
    for name in reversed(oracle.end_order):
        if oracle.trials[name].status != TrialStatus.FAILED:
            break
        count += 1
    return count


class ExperimentTuner(BaseTuner):
    """Runs trials, each in a folder of its own, here or (as KERASTUNER_TUNER_ID says) as chief or worker of many.

    Args:
        oracle: of `build_oracle`.
        folder: of the search; Keras Tuner's own state goes to `keras_tuner/`, the trials' folders to `trials/`.
        train: trains a trial, given its folder and its values as Keras Tuner has them, and returns the objective. What
            it raises where the architecture is impossible or too large fails the trial; anything else ends the search.
    """

    def __init__(self, oracle: Any, folder: Path, train: Callable[[Path, dict[str, Any]], float]) -> None:
        super().__init__(oracle, directory=str(folder), project_name="keras_tuner")
        self._folder, self._train = folder, train
        if not self._is_worker() and Path(self.oracle._get_oracle_fname()).is_file():
            self.oracle.reload()

    def save(self) -> None:
        """Save the oracle, all of whose state it is, where it is at home."""
        if not self._is_worker():
            self.oracle.save()

    def pre_create_trial(self) -> None:
        """Ask a waiting oracle a few times a second, not without a pause."""
        time.sleep(_IDLE_S)

    def on_trial_end(self, trial: Trial) -> None:
        """Report to the oracle, without Keras Tuner's stray prints."""
        with redirect_stdout(io.StringIO()):
            super().on_trial_end(trial)

    def run_trial(self, trial: Trial, *_: Any, **__: Any) -> float:
        """Train one trial; why one failed is left in its folder."""
        folder = self._folder / "trials" / trial.trial_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FAILURE).unlink(missing_ok=True)
        try:
            value = self._train(folder, trial.hyperparameters.values)
            if not math.isfinite(value):
                raise UserError(f"{self.oracle.objective.name} became {value}")
        except (UserError, ValueError, MemoryError, tf.errors.OpError) as error:
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            (folder / FAILURE).write_text(reason + "\n")
            print(f"trial {trial.trial_id} failed: {reason}")
            raise FailedTrialError(reason) from error
        except Exception as error:
            raise FatalError(f"trial {trial.trial_id}: {error}") from error
        print(f"trial {trial.trial_id}: {self.oracle.objective.name} {value:.4f}")
        return value


def _write_at_once(file: Path, content: Any) -> None:
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content))
    os.replace(unfinished, file)
