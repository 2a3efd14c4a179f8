"""The folder of an unfinished training: one training at a time."""

from pathlib import Path

import pytest

from lpr.errors import UserError
from lpr.nn.checkpoint import Checkpoint


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    with Checkpoint(model, tmp_path, "one"), pytest.raises(UserError, match="another training still writes to"):
        Checkpoint(model, tmp_path, "one").__enter__()
    with Checkpoint(model, tmp_path, "one") as second:
        second.remove()
    assert not tmp_path.exists()
