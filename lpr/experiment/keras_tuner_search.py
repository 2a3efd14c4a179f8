"""Keras Tuner's searches, which may be killed at any moment: its oracles choose, this tuner runs the stages.

Only what Keras Tuner documents is used: subclasses of its oracles and of `BaseTuner`, and their `get_state`.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras_tuner
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle

from lpr.config import HyperbandTuner, Tuner
from lpr.errors import UserError
from lpr.experiment.run import FAILURE
from lpr.files import replaced

_IDLE_S = 0.2  # between two requests to an oracle that waits for other workers


class _Resumable:
    """What makes an oracle resumable after it was killed at any moment.

    Keras Tuner writes a file a trial and one of the oracle, in place and one after another, and after a restart runs a
    trial again that ended as the process was killed. Here, all of it is one file that is replaced at once.

    Attributes:
        file: where the state is saved.
        max_failures: consecutive failed trials that end the search.
    """

    file: Path
    max_failures: int

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if failures_at_end(self) >= self.max_failures:
            return {"status": TrialStatus.STOPPED}
        answer: dict[str, Any] = super().populate_space(trial_id)  # type: ignore[misc]
        return answer

    def end_trial(self, trial: Trial) -> None:
        # A worker's values were rounded to single precision on their way here.
        trial.hyperparameters = self.trials[trial.trial_id].hyperparameters
        super().end_trial(trial)  # type: ignore[misc]

    def save(self) -> None:
        trials = {name: trial.get_state() for name, trial in self.trials.items()}
        with replaced(self.file) as unfinished:
            unfinished.write_text(json.dumps({"trials": trials, "oracle": self.get_state()}))  # type: ignore[attr-defined]

    def reload(self) -> None:
        state = json.loads(self.file.read_text())
        self.trials = {name: Trial.from_state(trial) for name, trial in state["trials"].items()}
        oracle = state["oracle"]
        unfinished = [name for name in sorted(self.trials, key=int) if name not in oracle["end_order"]]
        # It is read from its end.
        self.set_state(oracle | {"ongoing_trials": {}, "retry_queue": unfinished[::-1]})  # type: ignore[attr-defined]


class _Random(_Resumable, RandomSearchOracle):
    pass


class _Bayesian(_Resumable, BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        proposed: dict[str, Any] = super().populate_space(trial_id)
        # Where keys have few values, the process's optimum is often one that was tried.
        if proposed["status"] == TrialStatus.RUNNING and _was_tried(self, proposed["values"]):
            proposed = RandomSearchOracle.populate_space(self, trial_id)
        return proposed


class _GridOracle(keras_tuner.Oracle):
    """Every combination once, in order, the keys' defaults first.

    Keras Tuner's own `GridSearchOracle` is made for spaces that grow while they are searched; it holds its place in
    the grid in lists that it does not save.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:  # noqa: ARG002
        for values in _combinations(self.get_space()):
            if not _was_tried(self, values):
                return {"status": TrialStatus.RUNNING, "values": values}
        return {"status": TrialStatus.STOPPED}


class _Grid(_Resumable, _GridOracle):
    pass


class _Hyperband(_Resumable, HyperbandOracle):
    pass


def _was_tried(oracle: Any, values: dict[str, Any]) -> bool:
    return any(trial.hyperparameters.values == values for trial in oracle.trials.values())


def _combinations(space: keras_tuner.HyperParameters, position: int = 0) -> Iterator[dict[str, Any]]:
    """The values of the keys that are active together; the last key of the space changes first.

    Args:
        space: its `values` up to `position` are those to be combined with; they are changed on the way.
        position: of the first key to be given a value.
    """
    if position == len(space.space):
        yield dict(space.values)
        return
    key = space.space[position]
    if not space.is_active(key):
        space.values.pop(key.name, None)
        yield from _combinations(space, position + 1)
        return
    for value in dict.fromkeys([key.default, *key.values]):
        space.values[key.name] = value
        yield from _combinations(space, position + 1)


def build_oracle(settings: Tuner, space: keras_tuner.HyperParameters) -> Any:
    """Keras Tuner's oracle of that name."""
    common = {
        "objective": keras_tuner.Objective(settings.objective, settings.direction),
        "hyperparameters": space,
        "allow_new_entries": False,
        "seed": settings.seed + 1,  # Keras Tuner takes seed 0 for none
        "max_consecutive_failed_trials": None,  # its own limit is an exception that leaves the chief locked
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
        folder: of the search; its state goes to `keras_tuner/`, the trials' folders to `trials/`.
        train: trains a trial, given its folder and its values as Keras Tuner has them, and returns the objective. What
            it raises where the architecture is impossible or too large fails the trial; anything else ends the search.
    """

    def __init__(self, oracle: Any, folder: Path, train: Callable[[Path, dict[str, Any]], float]) -> None:
        oracle.file = folder / "keras_tuner" / "search.json"
        super().__init__(oracle, directory=str(folder), project_name="keras_tuner")
        self._folder, self._train = folder, train
        # The oracle of a worker is a client of the chief's.
        self._has_oracle = self.oracle is oracle
        if self._has_oracle and oracle.file.is_file():
            oracle.reload()

    def save(self) -> None:
        """Save the oracle, all of whose state it is, where it is at home."""
        if self._has_oracle:
            self.oracle.save()

    def search(self) -> None:
        """Run trials until the oracle ends the search; as chief, serve the oracle to workers until then.

        Keras Tuner's own loop prints a traceback for every trial that fails, and hides the errors of our own code.
        """
        if self._has_oracle and "KERASTUNER_ORACLE_IP" in os.environ:
            super().search()
            return
        while True:
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == TrialStatus.STOPPED:
                return
            if trial.status == TrialStatus.IDLE:
                time.sleep(_IDLE_S)
                continue
            value = self.run_trial(trial)
            trial.status = TrialStatus.FAILED if value is None else TrialStatus.COMPLETED
            if value is not None:
                self.oracle.update_trial(trial.trial_id, {self.oracle.objective.name: value})
            self.on_trial_end(trial)

    def run_trial(self, trial: Trial) -> float | None:
        """Train one trial; None where it failed: why is left in its folder."""
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
            return None
        print(f"trial {trial.trial_id}: {self.oracle.objective.name} {value:.4f}")
        return value
