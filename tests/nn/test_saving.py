"""The network is composed by counts, and saved in a form that equal models share."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lpr.detection.families import build_detector
from lpr.detection.families.regression import Settings
from lpr.nn.saving import save_detector


def config(**changes: Any) -> Settings:
    values = {
        "name": "seed",
        "image_size_px": 64,
        "convs": 8,
        "pools": 4,
        "filters": 4,
        "kernel_size": 3,
        "dense": [16, 8],
        "activation": "relu",
        "batch_norm": False,
        "dropout": 0.0,
    }
    return Settings.model_validate(values | changes)


def layers(model: keras.Model, kind: type) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("changes", "blocks"),
    [({}, [2, 2, 2, 2]), ({"convs": 6, "pools": 3}, [2, 2, 2]), ({"convs": 7, "pools": 3}, [3, 2, 2]),
     ({"convs": 3, "pools": 0}, [3]), ({"convs": 4, "pools": 4}, [1, 1, 1, 1])],
)  # fmt: skip
def test_convolutions_are_spread_over_the_pools_and_filters_double(changes: dict[str, int], blocks: list[int]) -> None:
    model = build_detector(config(**changes), "float32", 0)
    expected = [4 * 2**block for block, count in enumerate(blocks) for _ in range(count)]
    assert [layer.filters for layer in layers(model, keras.layers.Conv2D)] == expected
    assert len(layers(model, keras.layers.MaxPooling2D)) == changes.get("pools", 4)
    assert [layer.units for layer in layers(model, keras.layers.Dense)] == [16, 8, 4]


def test_every_key_has_its_effect() -> None:
    model = build_detector(
        config(batch_norm=True, dropout=0.3, kernel_size=5, activation="elu", dense=[10]), "mixed_bfloat16", 0
    )
    assert len(layers(model, keras.layers.BatchNormalization)) == 8
    assert [layer.rate for layer in layers(model, keras.layers.Dropout)] == [0.3]
    assert {layer.kernel_size for layer in layers(model, keras.layers.Conv2D)} == {(5, 5)}
    assert {layer.activation.__name__ for layer in layers(model, keras.layers.Activation)} == {"elu"}
    assert {layer.compute_dtype for layer in layers(model, keras.layers.Conv2D)} == {"bfloat16"}
    assert model.layers[-1].compute_dtype == "float32"


def test_boxes_are_fractions() -> None:
    boxes = build_detector(config(), "float32", 0).predict(np.random.default_rng(0).random((3, 64, 64, 3)), verbose=0)
    assert boxes.shape == (3, 4)
    assert ((boxes >= 0) & (boxes <= 1)).all()


def test_the_seed_decides_the_weights() -> None:
    weights = [build_detector(config(), "float32", seed).get_weights()[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_equal_models_are_equal_bytes_also_from_another_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lpr.config import Settings; "
        "from lpr.nn.saving import build_detector, save_detector; "
        f"save_detector(build_detector(Settings.model_validate({config().model_dump()!r}), 'mixed_bfloat16', 3), "
        "Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other.keras")], check=True)
    build_detector(config(), "float32", 1)
    model = build_detector(config(), "mixed_bfloat16", 3)
    save_detector(model, tmp_path / "this.keras")
    assert (tmp_path / "this.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.keras", "this.keras"]
    loaded = keras.saving.load_model(tmp_path / "this.keras")
    images = np.random.default_rng(0).random((2, 64, 64, 3))
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))
