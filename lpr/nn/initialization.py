"""A training that starts from the weights of another network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.errors import UserError
from lpr.nn.saving import load_model

if TYPE_CHECKING:
    import keras


def initialize_weights(
    network: keras.Model, init_weights: str | None, key: str, extensible: Sequence[str] = ()
) -> keras.Model:
    """The network with the weights of another, in all layers of the same name and shapes.

    Residual blocks that the other network lacks are initialized to the identity, by a zero scale in their last batch
    normalization (Goyal et al. 2017, arXiv:1706.02677, section 5.1): so a deeper network starts with the output of the
    one whose weights it takes.

    Args:
        network: with fresh weights; it is changed in place.
        init_weights: the `.keras` file of the other network; None: the weights stay fresh.
        key: of the configuration that names the file, for the error.
        extensible: names of layers that may have more outputs than in the other network: they take over its weights as
            those of their first outputs, and the others stay fresh.

    Raises:
        UserError: the file is missing, or its network has no layer in common with this one.
    """
    if init_weights is None:
        return network
    if not Path(init_weights).is_file():
        raise UserError(f"{key}={init_weights} is missing: name a .keras file of an earlier training")
    known = {layer.name: layer.get_weights() for layer in load_model(Path(init_weights)).layers}
    taken = 0
    for layer in network.layers:
        own, other = layer.get_weights(), known.get(layer.name)
        if not own:
            continue
        if other is not None and [array.shape for array in own] == [array.shape for array in other]:
            layer.set_weights(other)
            taken += 1
        elif other is not None and layer.name in extensible and _has_more_outputs(own, other):
            layer.set_weights(
                [np.concatenate([b, a[..., b.shape[-1] :]], axis=-1) for a, b in zip(own, other, strict=True)]
            )
        elif layer.name.endswith("_b_norm"):
            layer.gamma.assign(np.zeros_like(own[0]))
    if not taken:
        raise UserError(f"{key}={init_weights} is of another network: no layer of it has this one's name and shape")
    return network


def _has_more_outputs(own: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    """Whether these weights of a layer have the shapes of the other's but for the last dimension, which is larger."""
    return len(own) == len(other) and all(
        a.shape[:-1] == b.shape[:-1] and a.shape[-1] > b.shape[-1] for a, b in zip(own, other, strict=True)
    )
