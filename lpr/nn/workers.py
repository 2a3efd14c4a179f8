"""Training by several processes, on one machine or more: each has a share of every batch, gradients are summed.

The processes are told of each other as TensorFlow's users do it, by the environment variable `TF_CONFIG`, and speak
through `tf.distribute.MultiWorkerMirroredStrategy`. Keras's `fit` fails under that strategy (keras-team/keras#20585: it
takes the mean of scalar metrics over an axis that they lack), so that the steps are taken here.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.errors import UserError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class Worker:
    """This process among those that train together; the first, the chief, alone writes files.

    Attributes:
        index: from 0.
        addresses: HOST:PORT of all workers; empty where there is only this one.
    """

    index: int = 0
    addresses: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls) -> Worker:
        """The worker that `TF_CONFIG` names; without it, the only one.

        Raises:
            UserError: `TF_CONFIG` is not such a description, or has other roles than chief and worker.
        """
        text = os.environ.get("TF_CONFIG", "")
        if not text:
            return cls()
        try:
            config = json.loads(text)
            cluster, role, index = config["cluster"], config["task"]["type"], int(config["task"]["index"])
            addresses = (*cluster.get("chief", ()), *cluster.get("worker", ()))
            if unknown := ({*cluster, role} - {"chief", "worker"}):
                raise ValueError(f"the role {sorted(unknown)[0]}")
            cluster[role][index]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            example = {"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}
            raise UserError(
                f"TF_CONFIG: {text}: {type(error).__name__}: {error}. It has the addresses of all workers and the "
                f"number of this one: {json.dumps(example)}; without it, one process trains alone"
            ) from None
        place = index + (len(cluster.get("chief", ())) if role == "worker" else 0)
        return cls(place, addresses) if len(addresses) > 1 else cls()

    @property
    def count(self) -> int:
        return max(1, len(self.addresses))

    @property
    def chief(self) -> bool:
        return self.index == 0

    @property
    def share(self) -> slice:
        """The examples of every batch that are this worker's."""
        return slice(self.index, None, self.count)

    def connect(self) -> None:
        """Wait for the other workers; TensorFlow asks for this before it does anything else.

        Raises:
            UserError: this worker has several GPUs.
        """
        _ = self.strategy

    @cached_property
    def strategy(self) -> tf.distribute.Strategy:
        """What the workers are connected by."""
        import tensorflow as tf

        if len(tf.config.list_physical_devices("GPU")) > 1:
            raise UserError("each worker trains on one GPU: start one for each, with CUDA_VISIBLE_DEVICES=0, 1, …")
        print(f"worker {self.index} of {self.count} at {self.addresses[self.index]} waits for the others", flush=True)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))  # TensorFlow made it have no effect
        return strategy

    def sums(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The sums of arrays over all workers, each of which calls this."""
        return [total.numpy() for total in self._sums(list(arrays))]

    @cached_property
    def _sums(self) -> Any:
        import tensorflow as tf

        @tf.function
        def sums(tensors: list[tf.Tensor]) -> Any:
            # Copies, since what comes from outside is of no device that the strategy knows.
            return self.strategy.run(lambda: _all_reduce([tf.identity(tensor) for tensor in tensors]))

        return sums


ALONE = Worker()


def _all_reduce(tensors: Sequence[Any]) -> Any:
    import tensorflow as tf

    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, list(tensors))


def check_agreement(worker: Worker, identity: str, epochs_done: int) -> None:
    """Compare what the workers are about to do.

    Args:
        identity: a hexadecimal digest of all that the weights depend on.
        epochs_done: by the training that is continued.

    Raises:
        UserError: a worker has other settings, code or images than the chief, or does not see its checkpoint.
    """
    mine = np.zeros((worker.count, 2), np.int64)
    mine[worker.index] = int(identity[:15], 16), epochs_done
    (everyone,) = worker.sums([mine])
    for index, (digest, epochs) in enumerate(everyone):
        if digest != everyone[0, 0]:
            raise UserError(
                f"worker {index} has other settings, images or threads than the chief: train.threads=N sets one"
            )
        if epochs != everyone[0, 1]:
            raise UserError(
                f"the chief continues after epoch {everyone[0, 1]}, worker {index} after {epochs}: all need to run in "
                "one folder, on a file system that they share"
            )


def fit(
    model: keras.Model,
    worker: Worker,
    batches: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    epochs: range,
    steps_per_epoch: int,
    callback: keras.callbacks.Callback,
) -> None:
    """Train `model`, compiled, as `model.fit` would with the batches of all workers.

    Weights differ from those of one process in what the order of summation explains: batch normalization takes its
    statistics over all workers, and gradients are clipped after they are summed. Layers with dropout draw other numbers
    for every worker.

    Args:
        batches: of this worker's share, one a step.
        validation: the same for all workers, which take its batches in turns.
        epochs: the numbers, from 0, of those to train.

    Raises:
        UserError: a worker is lost.
    """
    import keras
    import tensorflow as tf

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign_add([worker.index, 0])
    mean_loss = next(metric for metric in model.metrics if metric.name == "loss")

    def forward(images: tf.Tensor, truth: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """The sum of the losses of this worker's examples, and their number."""
        outputs = model(images, training=training)
        # Keras divides the loss by the number of replicas, as it were to be summed over these.
        loss = model.compute_loss(images, truth, outputs) * tf.distribute.get_strategy().num_replicas_in_sync
        count = tf.cast(tf.shape(images)[0], loss.dtype)
        mean_loss.update_state(loss, sample_weight=count)
        model.compute_metrics(images, truth, outputs)
        return loss * count, count

    def gradients(images: tf.Tensor, truth: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss, count = forward(images, truth, True)
        *summed, total = _all_reduce([*tape.gradient(loss, model.trainable_weights), count])
        return [gradient / tf.cast(total, gradient.dtype) for gradient in summed]

    @tf.function(reduce_retracing=True)
    def train_step(images: tf.Tensor, truth: tf.Tensor) -> None:
        # Outside of the strategy, where the optimizer does not sum the gradients once more.
        model.optimizer.apply_gradients(
            zip(worker.strategy.run(gradients, (images, truth)), model.trainable_weights, strict=True)
        )

    @tf.function(reduce_retracing=True)
    def test_step(images: tf.Tensor, truth: tf.Tensor) -> None:
        forward(images, truth, False)

    def results() -> dict[str, float]:
        """The metrics over all workers; those are of sums and counts."""
        variables = [variable for metric in model.metrics for variable in metric.variables]
        for variable, total in zip(variables, worker.sums([one.numpy() for one in variables]), strict=True):
            variable.assign(total)
        values = {name: float(value) for name, value in model.get_metrics_result().items()}
        model.reset_metrics()
        return values

    callback.set_model(model)
    callback.on_train_begin()
    steps = iter(batches)
    try:
        for epoch in epochs:
            for number in range(steps_per_epoch):
                train_step(*next(steps))
                callback.on_train_batch_end(number)
            logs = results()
            if validation is not None:
                for batch in validation.shard(worker.count, worker.index):
                    test_step(*batch)
                logs |= {f"val_{name}": value for name, value in results().items()}
            callback.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        lost = re.search(r"/job:[a-z]+/\S*task:\d+", error.message)
        raise UserError(
            f"worker {worker.index} of {worker.count} lost the connection to {lost[0] if lost else 'another'}: start "
            "all of them again, and the training continues after the last finished epoch"
        ) from None
    finally:
        callback.on_train_end()
