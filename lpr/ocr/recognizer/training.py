"""Training the recognizer's network on synthetic plates, and on real ones where there are any."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lpr.config import Recognizer
from lpr.hashes import file_md5
from lpr.nn.initialization import initialize_weights
from lpr.nn.runtime import Hardware, prepare_tensorflow
from lpr.nn.training import TrainingJob
from lpr.nn.training import train as train_network
from lpr.synthesis.lettered_plates import LetteredPlate


def train(
    config: Recognizer,
    plates: Sequence[LetteredPlate],
    real_plates: Sequence[LetteredPlate],
    hardware: Hardware,
    model: Path,
    history: Path,
    state: Path,
) -> dict[str, Any]:
    """Train; an interrupted training with the same inputs continues from its last finished epoch.

    Args:
        config: of the network and of its training.
        plates: synthetic ones.
        real_plates: plates of real images, which the fraction `config.p_real` of the crops shows.
        hardware: precision and threads.
        model: the `.keras` file of the trained network.
        history: the CSV that gets a row at the end of each epoch.
        state: folder of the checkpoint; removed at the end.

    Returns:
        epochs, char_acc (of the last epoch's training crops), parameters.
    """
    prepare_tensorflow(hardware, config.train.seed)
    import keras

    from lpr.ocr.recognizer.batches import crop_batches
    from lpr.ocr.recognizer.network import CLASSES, build, character_accuracy, character_loss

    job = TrainingJob(
        build=lambda precision: initialize_weights(
            build(config, precision), config.init_weights, "recognizer.init_weights", [CLASSES]
        ),
        loss=character_loss,
        metric=keras.metrics.MeanMetricWrapper(character_accuracy, name="char_acc"),
        batches=lambda steps: crop_batches(plates, real_plates, config, steps),
        samples_per_epoch=config.synthetic_plates,
        identity=_identity(config, [*plates, *real_plates], hardware),
    )
    return train_network(job, config.train, config.optimizer, hardware, model, history, state)


def _identity(config: Recognizer, plates: Sequence[LetteredPlate], hardware: Hardware) -> str:
    """A digest of everything that the weights depend on."""
    digest = hashlib.sha256(json.dumps(config.model_dump()).encode())
    digest.update(repr(hardware).encode())
    if config.init_weights:
        digest.update((file_md5(Path(config.init_weights)) or "").encode())
    for plate in plates:
        digest.update(plate.text.encode())
        digest.update(plate.pixels.tobytes())
    return digest.hexdigest()
