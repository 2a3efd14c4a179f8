"""The state of an unfinished training, from which it continues."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


class Checkpoint:
    """Everything that the next epoch depends on, in one file that is replaced at once.

    Keras's own backup leaves out what a repeatable continuation needs: the states of random generators, the history
    and the best weights so far.
    """

    def __init__(self, model: keras.Model, folder: Path, identity: str) -> None:
        self._model, self._folder, self._identity = model, folder, identity
        self._best = [variable.numpy() for variable in model.variables]

    def restore(self) -> list[dict[str, float]]:
        """Put back what an interrupted training of this identity left; its history, empty where there is none."""
        file = self._folder / "state.npz"
        if not file.is_file():
            return []
        with np.load(file) as saved:
            about = json.loads(str(saved["about"]))
            if about["identity"] != self._identity:
                return []
            for number, variable in enumerate(self._all()):
                variable.assign(saved[f"now{number}"])
            self._best = [saved[f"best{number}"] for number in range(len(self._best))]
        rows: list[dict[str, float]] = about["history"]
        return rows

    def save(self, rows: list[dict[str, float]], best: bool) -> None:
        """Keep the state after an epoch; `best`: its weights are the best so far."""
        if best:
            self._best = [variable.numpy() for variable in self._model.variables]
        arrays = {f"now{number}": variable.numpy() for number, variable in enumerate(self._all())}
        arrays |= {f"best{number}": array for number, array in enumerate(self._best)}
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / "unfinished.npz"
        np.savez(unfinished, about=json.dumps({"identity": self._identity, "history": rows}), **arrays)
        os.replace(unfinished, self._folder / "state.npz")

    def load_best(self) -> None:
        """Give the model its best weights."""
        for variable, array in zip(self._model.variables, self._best, strict=True):
            variable.assign(array)

    def remove(self) -> None:
        """Forget: the training is finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _all(self) -> list[Any]:
        return [*self._model.variables, *self._model.optimizer.variables]
