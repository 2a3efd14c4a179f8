"""Saved models: equal models are equal bytes, whatever was built before them."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

from lpr.detection.families import regression
from lpr.nn.saving import load_model, save_model

SETTINGS = {
    "name": "regression",
    "image_size_px": 32,
    "convs": 3,
    "pools": 2,
    "filters": 4,
    "kernel_size": 3,
    "dense": [16, 8],
    "activation": "relu",
    "batch_norm": False,
    "dropout": 0.0,
}


def build(precision: str, seed: int) -> keras.Model:
    return regression.build(regression.Settings.model_validate(SETTINGS), precision, seed)


def test_equal_models_are_equal_bytes_also_from_another_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lpr.detection.families.regression import Settings, build; "
        "from lpr.nn.saving import save_model; "
        f"save_model(build(Settings.model_validate({SETTINGS!r}), 'mixed_bfloat16', 3), Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other.keras")], check=True)
    build("float32", 1)
    model = build("mixed_bfloat16", 3)
    save_model(model, tmp_path / "this.keras")
    assert (tmp_path / "this.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.keras", "this.keras"]
    loaded = load_model(tmp_path / "this.keras")
    images = np.random.default_rng(0).random((2, 32, 32, 3))
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))
