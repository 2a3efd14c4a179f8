"""Training: reads top to bottom, and can be killed at any moment and go on."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Config
from lpr.cores import usable_cores
from lpr.data.batches import Examples
from lpr.errors import UserError

if TYPE_CHECKING:
    import keras

HISTORY_COLUMNS = ["epoch", "loss", "mean_iou", "val_loss", "val_mean_iou", "learning_rate"]


@dataclass(frozen=True)
class Hardware:
    """What the weights depend on, in their last bits, besides code, data and seed."""

    precision: str
    threads: int


def choose_hardware(precision: str, threads: int | None) -> Hardware:
    """Resolve `auto` and null: `mixed_bfloat16` where the CPU multiplies in it, and a thread a core."""
    if precision == "auto":
        try:
            flags = set(Path("/proc/cpuinfo").read_text().split())
        except OSError:
            flags = set()
        precision = "mixed_bfloat16" if flags & {"avx512_bf16", "amx_bf16"} else "float32"
    return Hardware(precision, threads or usable_cores())


def prepare_tensorflow(hardware: Hardware, seed: int) -> None:
    """Make TensorFlow repeatable, whatever the process did before.

    Raises:
        UserError: the number of threads, which can be set once a process, was another before.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with no_greetings():
        import keras
        import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(hardware.threads)
        tf.config.threading.set_inter_op_parallelism_threads(hardware.threads)
    except RuntimeError:
        raise UserError(
            f"train.threads={hardware.threads}: TensorFlow of this process already works with "
            f"{tf.config.threading.get_intra_op_parallelism_threads()}; jobs with other numbers need processes of "
            "their own: hydra/launcher=submitit_local"
        ) from None
    tf.config.experimental.enable_op_determinism()
    keras.utils.clear_session()  # what Keras numbers as it is made starts again from 1
    keras.utils.set_random_seed(seed)


@contextmanager
def no_greetings() -> Iterator[None]:
    """TensorFlow greets on standard error whatever its log level; what goes wrong comes as an exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def train(
    config: Config,
    training: Examples,
    validation: Examples | None,
    hardware: Hardware,
    models: Path,
    history: Path,
    state: Path,
) -> dict[str, Any]:
    """Train the detector of `config`; an interrupted training of the same thing goes on where it was.

    Args:
        training, validation: without validation pictures, the best weights are the last.
        models: gets `detector.keras`, the weights of the best validation mean IoU, and `last.keras`.
        history: the CSV that gets a row an epoch, as it ends.
        state: folder of what a continuation needs; removed at the end.

    Returns:
        epochs, best_epoch (from 1), best_mean_iou, parameters, for `metrics/training.json`.
    """
    prepare_tensorflow(hardware, config.train.seed)
    from lpr.detector.losses import build_optimizer
    from lpr.detector.networks import family_of, save_detector

    family = family_of(config.detector)
    steps_per_epoch = config.train.steps_per_epoch or -(-training.shown // config.train.batch_size)
    model = family.build(config.detector, hardware.precision, config.train.seed)
    optimizer = build_optimizer(config.optimizer, config.train, steps_per_epoch)
    model.compile(optimizer, family.training_loss(config.loss), metrics=[family.metric()])
    optimizer.build(model.trainable_variables)

    checkpoint = Checkpoint(model, state, _identity(config, training, validation, hardware))
    rows = checkpoint.restore()
    if rows:
        print(f"going on after epoch {len(rows)} of {config.train.epochs}, where the last run was interrupted")
    recorder = _recorder(config, checkpoint, rows, history, steps_per_epoch, validation is not None)
    steps = range(len(rows) * steps_per_epoch, config.train.epochs * steps_per_epoch)
    if len(steps) and not recorder.stopped_early:
        model.fit(
            family.training_batches(training, config, steps_per_epoch, steps),
            initial_epoch=len(rows),
            epochs=config.train.epochs,
            steps_per_epoch=steps_per_epoch,
            validation_data=validation and family.validation_batches(validation, config),
            callbacks=[recorder],
            shuffle=False,  # the batches are, already
            verbose=0,
        )
    # What is used is in float32, whatever it was trained in: the same boxes on every machine and after an export.
    plain = family.build(config.detector, "float32", config.train.seed)
    plain.set_weights(model.get_weights())
    save_detector(plain, models / "last.keras")
    checkpoint.load_best()
    plain.set_weights(model.get_weights())
    save_detector(plain, models / "detector.keras")
    checkpoint.remove()
    best = rows[recorder.best_epoch - 1]
    return {
        "epochs": len(rows),
        "best_epoch": recorder.best_epoch,
        "best_mean_iou": round(best["val_mean_iou" if validation else "mean_iou"], 6),
        "parameters": model.count_params(),
    }


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


def _recorder(
    config: Config,
    checkpoint: Checkpoint,
    rows: list[dict[str, float]],
    history: Path,
    steps_per_epoch: int,
    validated: bool,
) -> Any:
    """The callback that records, keeps the best, stops early and shows progress."""
    import keras
    from tqdm import tqdm

    monitor, patience = "val_mean_iou" if validated else None, config.train.early_stopping_patience

    class Recorder(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            _write_history(rows, history)

        @property
        def best_epoch(self) -> int:
            """Epoch, from 1, of the best validation score; the last where nothing is validated."""
            return int(np.argmax([row[monitor] for row in rows])) + 1 if monitor else len(rows)

        @property
        def stopped_early(self) -> bool:
            return patience is not None and bool(rows) and len(rows) - self.best_epoch >= patience

        def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            total = config.train.epochs * steps_per_epoch * config.train.batch_size
            done = len(rows) * steps_per_epoch * config.train.batch_size
            self.bar = tqdm(desc="training", total=total, initial=done, unit="picture", mininterval=1.0)

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            self.bar.update(config.train.batch_size)

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            values = {key: float(value) for key, value in (logs or {}).items()}
            if not np.isfinite(values["loss"]):
                raise UserError(
                    f"the loss became {values['loss']} in epoch {epoch + 1}: lower optimizer.learning_rate, or set "
                    "optimizer.clip_norm=1.0 or train.precision=float32"
                )
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            rows.append({"epoch": epoch + 1, **values, "learning_rate": rate})
            _write_history(rows, history)
            checkpoint.save(rows, best=self.best_epoch == len(rows))
            self.bar.set_postfix(
                {key: f"{value:.3f}" for key, value in values.items() if key in ("mean_iou", "val_mean_iou")},
                epoch=epoch + 1,
            )
            if self.stopped_early:
                self.model.stop_training = True

        def on_train_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            self.bar.close()

    return Recorder()


def _write_history(rows: list[dict[str, float]], path: Path) -> None:
    columns = [column for column in HISTORY_COLUMNS if not rows or column in rows[0]]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _identity(config: Config, training: Examples, validation: Examples | None, hardware: Hardware) -> str:
    """A digest of all that the weights depend on: a state of anything else is not continued."""
    sections = config.as_dict()
    digest = hashlib.sha256(
        json.dumps([sections[key] for key in ("detector", "augment", "optimizer", "loss", "train")]).encode()
    )
    digest.update(repr(hardware).encode())
    for examples in filter(None, (training, validation)):
        digest.update(examples.boxes.tobytes())
        for picture in examples.pictures:
            digest.update(picture.tobytes())
    return digest.hexdigest()
