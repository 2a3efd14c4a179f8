"""Training a network, in a way that a training which is killed at any moment can be continued to the same weights."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Optimizer, Training
from lpr.errors import UserError
from lpr.files import replaced
from lpr.nn.checkpoint import Checkpoint
from lpr.nn.runtime import Hardware
from lpr.nn.workers import ALONE, Worker, check_agreement, fit

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class TrainingJob:
    """What is trained: a network, its data and its objective.

    Attributes:
        build: Keras dtype policy → the network with fresh weights.
        loss: a Keras loss, or a function of true and predicted outputs.
        metric: the score that the best epoch is chosen by, the larger the better; its name is that in the history.
        batches: a range of steps of the whole training → the batches of at least these steps, in order.
        samples_per_epoch: how many examples an epoch has.
        identity: a digest of all that the weights depend on: the state of a training with another is not continued.
        validation: the validation batches of an epoch; None: the last weights count as the best.
        patience: epochs without a better validation score after which the training stops; None: it never does.
    """

    build: Callable[[str], keras.Model]
    loss: Any
    metric: keras.metrics.Metric
    batches: Callable[[range], tf.data.Dataset]
    samples_per_epoch: int
    identity: str
    validation: tf.data.Dataset | None = None
    patience: int | None = None


def steps_per_epoch(settings: Training, samples_per_epoch: int) -> int:
    """`settings.steps_per_epoch`, or, where that is None, as many batches as `samples_per_epoch` fill."""
    return settings.steps_per_epoch or -(-samples_per_epoch // settings.batch_size)


def train(
    job: TrainingJob,
    settings: Training,
    optimizer: Optimizer,
    hardware: Hardware,
    best: Path,
    history: Path,
    state: Path,
    last: Path | None = None,
    worker: Worker = ALONE,
) -> dict[str, Any]:
    """Train, from the state of an interrupted training of the same job where there is one.

    TensorFlow must be prepared (`lpr.nn.runtime.prepare_tensorflow`).

    Args:
        best: the `.keras` file that gets the weights of the best validation score: in float32 whatever precision they
            were trained in, so that outputs are the same on every machine and after an export.
        history: the CSV file that gets a row at the end of every epoch.
        state: the folder of the checkpoint; removed at the end.
        last: the `.keras` file that gets the weights of the last epoch.
        worker: of those that train together; the chief alone writes files.

    Returns:
        epochs, best_epoch (from 1), best_SCORE, parameters.

    Raises:
        UserError: the loss is no longer finite; another training writes to `state`; or a worker is lost, differs from
            the chief or has no example of a batch.
    """
    from lpr.nn.optimizers import build_optimizer
    from lpr.nn.saving import save_model

    epoch_steps = steps_per_epoch(settings, job.samples_per_epoch)
    smallest = min(settings.batch_size, job.samples_per_epoch % settings.batch_size or settings.batch_size)
    if smallest < worker.count:
        raise UserError(
            f"train.batch_size={settings.batch_size}: the last batch of an epoch of {job.samples_per_epoch} images has "
            f"{smallest}, fewer than there are workers, {worker.count}: choose another"
        )
    model = job.build(hardware.precision)
    model.compile(build_optimizer(optimizer, settings, epoch_steps), job.loss, metrics=[job.metric])
    model.optimizer.build(model.trainable_variables)

    with Checkpoint(model, state, job.identity, read_only=not worker.chief) as checkpoint:
        rows = checkpoint.restore()
        if worker.count > 1:
            check_agreement(worker, job.identity, len(rows))
        if rows and worker.chief:
            print(f"continuing after epoch {len(rows)} of {settings.epochs}, where the last run was interrupted")
        recorder = _recorder(job, settings, checkpoint, rows, history if worker.chief else None, epoch_steps)
        steps = range(len(rows) * epoch_steps, settings.epochs * epoch_steps)
        if len(steps) and not recorder.stopped_early and worker.count > 1:
            epochs = range(len(rows), settings.epochs)
            fit(model, worker, job.batches(steps), job.validation, epochs, epoch_steps, recorder)
        elif len(steps) and not recorder.stopped_early:
            model.fit(
                job.batches(steps),
                initial_epoch=len(rows),
                epochs=settings.epochs,
                steps_per_epoch=epoch_steps,
                validation_data=job.validation,
                callbacks=[recorder],
                shuffle=False,  # the batches are already
                verbose=0,
            )

        if worker.chief:
            saved = job.build("float32")
            saved.set_weights(model.get_weights())
            if last:
                save_model(saved, last)
            checkpoint.load_best()
            saved.set_weights(model.get_weights())
            save_model(saved, best)
            checkpoint.remove()

    score = job.metric.name
    best_row = rows[recorder.best_epoch - 1]
    return {
        "epochs": len(rows),
        "best_epoch": recorder.best_epoch,
        f"best_{score}": round(best_row[f"val_{score}" if job.validation else score], 6),
        "parameters": model.count_params(),
    }


def _recorder(
    job: TrainingJob,
    settings: Training,
    checkpoint: Checkpoint,
    rows: list[dict[str, float]],
    history: Path | None,
    epoch_steps: int,
) -> Any:
    """The Keras callback that writes history and checkpoint, stops early and shows progress.

    Args:
        rows: of the history, one an epoch; the callback adds to it.
        history: the file; None: another process writes it, and shows progress.
    """
    import keras
    from tqdm import tqdm

    score, patience = job.metric.name, job.patience
    monitor = f"val_{score}" if job.validation else None

    class Recorder(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            _write_history(rows, score, history)

        @property
        def best_epoch(self) -> int:
            """The epoch, from 1, of the best validation score; without validation, the last."""
            return int(np.argmax([row[monitor] for row in rows])) + 1 if monitor else len(rows)

        @property
        def stopped_early(self) -> bool:
            return patience is not None and bool(rows) and len(rows) - self.best_epoch >= patience

        def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            total = settings.epochs * epoch_steps * settings.batch_size
            done = len(rows) * epoch_steps * settings.batch_size
            hidden = history is None
            self.bar = tqdm(desc="training", total=total, initial=done, unit="image", mininterval=1.0, disable=hidden)

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            self.bar.update(settings.batch_size)

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            values = {key: float(value) for key, value in (logs or {}).items()}
            if not np.isfinite(values["loss"]):
                raise UserError(
                    f"the loss became {values['loss']} in epoch {epoch + 1}: lower optimizer.learning_rate, or set "
                    "optimizer.clip_norm=1.0 or train.precision=float32"
                )
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            rows.append({"epoch": epoch + 1, **values, "learning_rate": rate})
            _write_history(rows, score, history)
            checkpoint.save(rows, best=self.best_epoch == len(rows))
            self.bar.set_postfix(
                {key: f"{value:.3f}" for key, value in values.items() if key in (score, monitor)},
                epoch=epoch + 1,
            )
            if self.stopped_early:
                self.model.stop_training = True

        def on_train_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            self.bar.close()

    return Recorder()


def _write_history(rows: list[dict[str, float]], score: str, path: Path | None) -> None:
    if path is None:
        return
    order = ["epoch", "loss", score, "val_loss", f"val_{score}", "learning_rate"]
    columns = [column for column in order if not rows or column in rows[0]]
    with replaced(path) as unfinished, unfinished.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
