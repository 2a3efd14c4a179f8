"""Weights of another network to start from: what is refused; that they are taken is tested by both trainings."""

from pathlib import Path

import keras
import pytest

from lpr.errors import UserError
from lpr.nn.initialization import initialize_weights
from lpr.nn.saving import save_model


def network(name: str) -> keras.Model:
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2, name=name)(inputs))


def test_a_missing_file_is_named_with_its_key() -> None:
    with pytest.raises(UserError, match=r"train\.init_weights=none\.keras is missing"):
        initialize_weights(network("head"), "none.keras", "train.init_weights")


def test_weights_of_a_network_without_a_common_layer_are_refused(tmp_path: Path) -> None:
    save_model(network("other"), tmp_path / "other.keras")
    with pytest.raises(UserError, match="is of another network"):
        initialize_weights(network("head"), str(tmp_path / "other.keras"), "train.init_weights")
