"""Training the reader's network on drawn plates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lpr.config import Recognizer
from lpr.recognizer.plates import LetteredPlate
from lpr.training import Hardware, Task, prepare_tensorflow
from lpr.training import train as train_network


def train(
    config: Recognizer, plates: Sequence[LetteredPlate], hardware: Hardware, model: Path, history: Path, state: Path
) -> dict[str, Any]:
    """Train; an interrupted training of the same thing goes on where it was.

    Args:
        model: the `.keras` file of the trained network.
        history: the CSV that gets a row an epoch, as it ends.
        state: folder of what a continuation needs; removed at the end.

    Returns:
        epochs, char_acc (of the last epoch's crops, while it was trained), parameters.
    """
    prepare_tensorflow(hardware, config.train.seed)
    import keras

    from lpr.recognizer.batches import crop_batches
    from lpr.recognizer.network import build, character_accuracy, character_loss

    task = Task(
        build=lambda precision: build(config, precision),
        loss=character_loss,
        metric=keras.metrics.MeanMetricWrapper(character_accuracy, name="char_acc"),
        batches=lambda steps: crop_batches(plates, config, steps),
        shown=config.plates,
        identity=_identity(config, plates, hardware),
    )
    return train_network(task, config.train, config.optimizer, hardware, model, history, state)


def _identity(config: Recognizer, plates: Sequence[LetteredPlate], hardware: Hardware) -> str:
    """A digest of all that the weights depend on."""
    digest = hashlib.sha256(json.dumps(config.model_dump()).encode())
    digest.update(repr(hardware).encode())
    for plate in plates:
        digest.update(plate.text.encode())
        digest.update(plate.pixels.tobytes())
    return digest.hexdigest()
