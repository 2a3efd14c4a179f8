"""Weights of another network to start from: what is refused; that they are taken is tested by both trainings."""

from pathlib import Path

import keras
import numpy as np
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


def test_a_layer_with_fewer_outputs_is_taken_over_only_where_it_is_named(tmp_path: Path) -> None:
    def head(outputs: int) -> keras.Model:
        inputs = keras.Input((4,))
        x = keras.layers.Dense(4, name="body")(inputs)
        return keras.Model(inputs, keras.layers.Dense(outputs, name="head", bias_initializer="ones")(x))

    first, values = head(2), np.ones((1, 4), np.float32)
    save_model(first, tmp_path / "first.keras")
    longer = initialize_weights(head(5), str(tmp_path / "first.keras"), "init_weights", ["head"])
    np.testing.assert_allclose(longer(values)[:, :2], first(values), rtol=1e-6)
    assert len(set(np.asarray(longer(values))[0])) == 5
    unnamed = initialize_weights(head(5), str(tmp_path / "first.keras"), "init_weights")
    assert np.abs(np.asarray(unnamed(values))[:, :2] - np.asarray(first(values))).max() > 1e-3
    shorter = initialize_weights(head(1), str(tmp_path / "first.keras"), "init_weights", ["head"])
    assert shorter(values).shape == (1, 1)


def test_a_longer_head_alone_is_no_common_layer(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    save_model(network("head"), tmp_path / "other.keras")
    longer = keras.Model(inputs, keras.layers.Dense(3, name="head")(inputs))
    with pytest.raises(UserError, match="is of another network"):
        initialize_weights(longer, str(tmp_path / "other.keras"), "train.init_weights", ["head"])
