"""Training the recognizer's network on synthetic plates, and on real ones where there are any."""

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
from lpr.nn.saving import load_model
from lpr.nn.training import TrainingJob
from lpr.nn.training import train as train_network
from lpr.synthesis.lettered_plates import LetteredPlate

if TYPE_CHECKING:
    import keras


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
    from lpr.ocr.recognizer.network import build, character_accuracy, character_loss

    job = TrainingJob(
        build=lambda precision: initialize_weights(build(config, precision), config.init_weights),
        loss=character_loss,
        metric=keras.metrics.MeanMetricWrapper(character_accuracy, name="char_acc"),
        batches=lambda steps: crop_batches(plates, real_plates, config, steps),
        samples_per_epoch=config.synthetic_plates,
        identity=_identity(config, [*plates, *real_plates], hardware),
    )
    return train_network(job, config.train, config.optimizer, hardware, model, history, state)


def initialize_weights(network: keras.Model, init_weights: str | None) -> keras.Model:
    """The network with the weights of another, in all layers of the same name and shapes.

    Residual blocks that the other network lacks are initialized to the identity, by a zero scale in their last batch
    normalization (Goyal et al. 2017, arXiv:1706.02677, section 5.1): so a deeper network starts with the output of the
    one whose weights it takes.

    Args:
        network: with fresh weights; it is changed in place.
        init_weights: the `.keras` file of the other network; None: the weights stay fresh.

    Raises:
        UserError: `init_weights` is missing.
    """
    if init_weights is None:
        return network
    if not Path(init_weights).is_file():
        raise UserError(
            f"recognizer.init_weights={init_weights} is missing: name a models/recognizer.keras of `make recognizer`"
        )
    known = {layer.name: layer.get_weights() for layer in load_model(Path(init_weights)).layers}
    for layer in network.layers:
        own, other = layer.get_weights(), known.get(layer.name)
        if other is not None and [array.shape for array in own] == [array.shape for array in other]:
            layer.set_weights(other)
        elif layer.name.endswith("_b_norm"):
            layer.gamma.assign(np.zeros_like(own[0]))
    return network


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
