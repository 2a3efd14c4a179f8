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
    """All that the next epoch depends on, in one file that is replaced at once.

    Keras's own `BackupAndRestore` leaves out what a repeatable continuation needs: the states of random generators, the
    history and the best weights so far.

    Args:
        model: compiled, its optimizer built.
        folder: gets `state.npz`.
        identity: a digest of all that the weights depend on.
    """

    def __init__(self, model: keras.Model, folder: Path, identity: str) -> None:
        self._model, self._folder, self._identity = model, folder, identity
        self._best = [variable.numpy() for variable in model.variables]

    def restore(self) -> list[dict[str, float]]:
        """Restore the state of an interrupted training of the same identity.

        Returns:
            its history, a row an epoch; empty where there is no such state.
        """
        file = self._folder / "state.npz"
        if not file.is_file():
            return []
        with np.load(file) as saved:
            metadata = json.loads(str(saved["metadata"]))
            if metadata["identity"] != self._identity:
                return []
            for number, variable in enumerate(self._variables()):
                variable.assign(saved[f"current{number}"])
            self._best = [saved[f"best{number}"] for number in range(len(self._best))]
        rows: list[dict[str, float]] = metadata["history"]
        return rows

    def save(self, rows: list[dict[str, float]], best: bool) -> None:
        """Save the state after an epoch.

        Args:
            rows: the history, a row an epoch.
            best: whether the weights are the best so far.
        """
        if best:
            self._best = [variable.numpy() for variable in self._model.variables]
        arrays = {f"current{number}": variable.numpy() for number, variable in enumerate(self._variables())}
        arrays |= {f"best{number}": array for number, array in enumerate(self._best)}
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / "unfinished.npz"
        np.savez(unfinished, metadata=json.dumps({"identity": self._identity, "history": rows}), **arrays)
        os.replace(unfinished, self._folder / "state.npz")

    def load_best(self) -> None:
        """Set the model's weights to the best so far."""
        for variable, array in zip(self._model.variables, self._best, strict=True):
            variable.assign(array)

    def remove(self) -> None:
        """Delete the saved state."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _variables(self) -> list[Any]:
        return [*self._model.variables, *self._model.optimizer.variables]
