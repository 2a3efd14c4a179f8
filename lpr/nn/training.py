"""Training a network: reads top to bottom, and can be killed at any moment and go on."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Optimizer, Training
from lpr.errors import UserError
from lpr.nn.checkpoint import Checkpoint
from lpr.nn.runtime import Hardware

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class TrainingJob:
    """What is trained.

    Attributes:
        build: precision → a network of fresh weights.
        loss: of true and predicted outputs.
        metric: what is watched; its name is the score's in the history.
        batches: steps of the whole training → the batches of these, without end or at least so many.
        shown: examples an epoch.
        identity: a digest of all that the weights depend on: a state of anything else is not continued.
        validation: all that is validated by; None: the best weights are the last.
        patience: epochs without a better validation score after which the training stops; None: it never does.
    """

    build: Callable[[str], keras.Model]
    loss: Any
    metric: keras.metrics.Metric
    batches: Callable[[range], tf.data.Dataset]
    shown: int
    identity: str
    validation: tf.data.Dataset | None = None
    patience: int | None = None


def steps_per_epoch(settings: Training, shown: int) -> int:
    """As many as the settings say, else as many as see each of the `shown` examples once."""
    return settings.steps_per_epoch or -(-shown // settings.batch_size)


def train(
    task: TrainingJob,
    settings: Training,
    optimizer: Optimizer,
    hardware: Hardware,
    best: Path,
    history: Path,
    state: Path,
    last: Path | None = None,
) -> dict[str, Any]:
    """Train; an interrupted training of the same thing goes on where it was. TensorFlow must be prepared.

    Args:
        best: the `.keras` file of the weights of the best validation score, in float32 whatever they were trained in:
            the same outputs on every machine and after an export.
        history: the CSV that gets a row an epoch, as it ends.
        state: folder of what a continuation needs; removed at the end.
        last: the same of the last epoch's weights.

    Returns:
        epochs, best_epoch (from 1), best_SCORE, parameters.
    """
    from lpr.nn.optimizers import build_optimizer
    from lpr.nn.saving import save_detector

    steps_an_epoch = steps_per_epoch(settings, task.shown)
    model = task.build(hardware.precision)
    rule = build_optimizer(optimizer, settings, steps_an_epoch)
    model.compile(rule, task.loss, metrics=[task.metric])
    rule.build(model.trainable_variables)

    checkpoint = Checkpoint(model, state, task.identity)
    rows = checkpoint.restore()
    if rows:
        print(f"going on after epoch {len(rows)} of {settings.epochs}, where the last run was interrupted")
    recorder = _recorder(task, settings, checkpoint, rows, history, steps_an_epoch)
    steps = range(len(rows) * steps_an_epoch, settings.epochs * steps_an_epoch)
    if len(steps) and not recorder.stopped_early:
        model.fit(
            task.batches(steps),
            initial_epoch=len(rows),
            epochs=settings.epochs,
            steps_per_epoch=steps_an_epoch,
            validation_data=task.validation,
            callbacks=[recorder],
            shuffle=False,  # the batches are, already
            verbose=0,
        )
    plain = task.build("float32")
    plain.set_weights(model.get_weights())
    if last:
        save_detector(plain, last)
    checkpoint.load_best()
    plain.set_weights(model.get_weights())
    save_detector(plain, best)
    checkpoint.remove()
    score = task.metric.name
    reached = rows[recorder.best_epoch - 1][f"val_{score}" if task.validation else score]
    return {
        "epochs": len(rows),
        "best_epoch": recorder.best_epoch,
        f"best_{score}": round(reached, 6),
        "parameters": model.count_params(),
    }


def _recorder(
    task: TrainingJob,
    settings: Training,
    checkpoint: Checkpoint,
    rows: list[dict[str, float]],
    history: Path,
    steps_an_epoch: int,
) -> Any:
    """The callback that records, keeps the best, stops early and shows progress."""
    import keras
    from tqdm import tqdm

    score, patience = task.metric.name, task.patience
    monitor = f"val_{score}" if task.validation else None

    class Recorder(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            _write_history(rows, score, history)

        @property
        def best_epoch(self) -> int:
            """Epoch, from 1, of the best validation score; the last where nothing is validated."""
            return int(np.argmax([row[monitor] for row in rows])) + 1 if monitor else len(rows)

        @property
        def stopped_early(self) -> bool:
            return patience is not None and bool(rows) and len(rows) - self.best_epoch >= patience

        def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            total = settings.epochs * steps_an_epoch * settings.batch_size
            done = len(rows) * steps_an_epoch * settings.batch_size
            self.bar = tqdm(desc="training", total=total, initial=done, unit="image", mininterval=1.0)

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


def _write_history(rows: list[dict[str, float]], score: str, path: Path) -> None:
    known = ["epoch", "loss", score, "val_loss", f"val_{score}", "learning_rate"]
    columns = [column for column in known if not rows or column in rows[0]]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
