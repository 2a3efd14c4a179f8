"""Training the detector of a configuration."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from lpr.config import Config
from lpr.data.input_pipeline import Examples
from lpr.detection import families
from lpr.files import replaced
from lpr.hashes import file_md5
from lpr.nn.initialization import initialize_weights
from lpr.nn.runtime import Hardware, prepare_tensorflow
from lpr.nn.training import TrainingJob, steps_per_epoch
from lpr.nn.training import train as train_network
from lpr.nn.workers import ALONE, Worker


def train(
    config: Config,
    training: Examples,
    validation: Examples | None,
    hardware: Hardware,
    models: Path,
    history: Path,
    state: Path,
    worker: Worker = ALONE,
) -> dict[str, Any]:
    """Train the detector of `config`, from the state of an interrupted training of the same where there is one.

    Args:
        training, validation: examples of the two splits; without validation examples, the last weights are the best.
        models: the folder that gets `detector.keras`, the weights of the epoch that `train.keep` chooses, and
            `last.keras`.
        history: the CSV file that gets a row at the end of every epoch.
        state: the folder of the checkpoint; removed at the end.
        worker: of those that train together; the chief alone writes files.

    Returns:
        epochs, best_epoch (from 1), best_mean_iou, parameters, for `metrics/training.json`.

    Raises:
        UserError: `train.init_weights` is missing, or of another network; see also `lpr.nn.training.train`.
    """
    prepare_tensorflow(hardware, config.train.seed)
    if worker.count > 1:
        worker.connect()
    family = families.load(config.detector.name)
    epoch_steps = steps_per_epoch(config.train, training.samples_per_epoch)
    settings = family.Settings.model_validate(config.detector.model_dump())
    job = TrainingJob(
        build=lambda precision: initialize_weights(
            family.build(settings, precision, config.train.seed), config.train.init_weights, "train.init_weights"
        ),
        loss=family.training_loss(config.loss),
        metric=family.metric(),
        batches=lambda steps: family.training_batches(training, config, epoch_steps, steps, worker.share),
        samples_per_epoch=training.samples_per_epoch,
        identity=_identity(config, training, validation, hardware),
        validation=validation and family.validation_batches(validation, config),
        patience=config.train.early_stopping_patience,
    )
    detector, last = models / "detector.keras", models / "last.keras"
    metrics = train_network(job, config.train, config.optimizer, hardware, detector, history, state, last, worker)
    if config.train.keep == "last" and worker.chief:
        with replaced(detector) as unfinished:
            shutil.copyfile(last, unfinished)
    return metrics


def _identity(config: Config, training: Examples, validation: Examples | None, hardware: Hardware) -> str:
    """A digest of all that the weights depend on."""
    sections = (config.detector, config.augment, config.optimizer, config.loss, config.train)
    digest = hashlib.sha256(json.dumps([section.model_dump(by_alias=True) for section in sections]).encode())
    digest.update(repr(hardware).encode())
    if config.train.init_weights:
        digest.update((file_md5(Path(config.train.init_weights)) or "").encode())
    for examples in filter(None, (training, validation)):
        digest.update(examples.boxes.tobytes())
        for image in examples.images:
            digest.update(image.tobytes())
    return digest.hexdigest()
