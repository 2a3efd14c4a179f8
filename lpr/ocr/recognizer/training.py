"""Training the reader's network on drawn plates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Recognizer
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.nn.runtime import Hardware, prepare_tensorflow
from lpr.nn.saving import load_detector
from lpr.nn.training import TrainingJob
from lpr.nn.training import train as train_network
from lpr.synthesis.lettered_plates import LetteredPlate

if TYPE_CHECKING:
    import keras


def train(
    config: Recognizer,
    plates: Sequence[LetteredPlate],
    photographed: Sequence[LetteredPlate],
    hardware: Hardware,
    model: Path,
    history: Path,
    state: Path,
) -> dict[str, Any]:
    """Train; an interrupted training of the same thing goes on where it was.

    Args:
        plates: drawn ones.
        photographed: plates of images, which `config.p_real` of the crops show.
        model: the `.keras` file of the trained network.
        history: the CSV that gets a row an epoch, as it ends.
        state: folder of what a continuation needs; removed at the end.

    Returns:
        epochs, char_acc (of the last epoch's crops, while it was trained), parameters.
    """
    prepare_tensorflow(hardware, config.train.seed)
    import keras

    from lpr.ocr.recognizer.batches import crop_batches
    from lpr.ocr.recognizer.network import build, character_accuracy, character_loss

    task = TrainingJob(
        build=lambda precision: begun(build(config, precision), config.init_weights),
        loss=character_loss,
        metric=keras.metrics.MeanMetricWrapper(character_accuracy, name="char_acc"),
        batches=lambda steps: crop_batches(plates, photographed, config, steps),
        shown=config.synthetic_plates,
        identity=_identity(config, [*plates, *photographed], hardware),
    )
    return train_network(task, config.train, config.optimizer, hardware, model, history, state)


def begun(network: keras.Model, start: str | None) -> keras.Model:
    """The network with the weights of another, wherever their layers have the same name and shapes.

    Residual blocks that the other has not begin as if they were not there (Goyal et al. 2017, arXiv:1706.02677, 5.1):
    a network may be deeper than the one it begins with, and says at first what that said.

    Raises:
        UserError: `start` is missing.
    """
    if start is None:
        return network
    if not Path(start).is_file():
        raise UserError(
            f"recognizer.init_weights={start} is missing: name a models/recognizer.keras of `make recognizer`"
        )
    known = {layer.name: layer.get_weights() for layer in load_detector(Path(start)).layers}
    for layer in network.layers:
        own, other = layer.get_weights(), known.get(layer.name)
        if other is not None and [array.shape for array in own] == [array.shape for array in other]:
            layer.set_weights(other)
        elif layer.name.endswith("_b_norm"):
            layer.gamma.assign(np.zeros_like(own[0]))
    return network


def _identity(config: Recognizer, plates: Sequence[LetteredPlate], hardware: Hardware) -> str:
    """A digest of all that the weights depend on."""
    digest = hashlib.sha256(json.dumps(config.model_dump()).encode())
    digest.update(repr(hardware).encode())
    if config.init_weights:
        digest.update((file_md5(Path(config.init_weights)) or "").encode())
    for plate in plates:
        digest.update(plate.text.encode())
        digest.update(plate.pixels.tobytes())
    return digest.hexdigest()
