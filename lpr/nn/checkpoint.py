"""The state of an unfinished training, from which it continues."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.errors import UserError
from lpr.files import replaced

if TYPE_CHECKING:
    import keras


class Checkpoint:
    """All that the next epoch depends on, in one file that is replaced at once.

    Keras's own `BackupAndRestore` leaves out what a repeatable continuation needs: the states of random generators, the
    history and the best weights so far. While it is open, as a context manager, no other training uses the folder.

    Args:
        model: compiled, its optimizer built.
        folder: gets `state.npz`.
        identity: a digest of all that the weights depend on.
        read_only: nothing is locked, saved or removed: another process of the same training does that.
    """

    def __init__(self, model: keras.Model, folder: Path, identity: str, read_only: bool = False) -> None:
        self._model, self._folder, self._identity, self._read_only = model, folder, identity, read_only
        self._best = [variable.numpy() for variable in model.variables]

    def __enter__(self) -> Checkpoint:
        """Take the folder.

        Raises:
            UserError: another training has it.
        """
        from filelock import FileLock, Timeout

        if self._read_only:
            return self
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._folder / "lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"another training still writes to {self._folder}, perhaps that of a command which was killed: wait "
                "for it, or stop it (`pgrep -fa lpr` lists it)"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        if not self._read_only:
            self._lock.release()

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
        if self._read_only:
            return
        if best:
            self._best = [variable.numpy() for variable in self._model.variables]
        arrays = {f"current{number}": variable.numpy() for number, variable in enumerate(self._variables())}
        arrays |= {f"best{number}": array for number, array in enumerate(self._best)}
        with replaced(self._folder / "state.npz") as unfinished:
            np.savez(unfinished, metadata=json.dumps({"identity": self._identity, "history": rows}), **arrays)

    def load_best(self) -> None:
        """Set the model's weights to the best so far."""
        for variable, array in zip(self._model.variables, self._best, strict=True):
            variable.assign(array)

    def remove(self) -> None:
        """Delete the saved state."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _variables(self) -> list[Any]:
        return [*self._model.variables, *self._model.optimizer.variables]
