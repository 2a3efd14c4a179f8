"""The family regression: the network is built by its keys, its loss is pinned, its corners may be swapped."""

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lpr.composition.compose import compose
from lpr.config import Loss
from lpr.detection.families import regression
from lpr.detection.families.regression import Settings


def settings(**changes: Any) -> Settings:
    values = {
        "name": "regression",
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
    model = regression.build(settings(**changes), "float32", 0)
    expected = [4 * 2**block for block, count in enumerate(blocks) for _ in range(count)]
    assert [layer.filters for layer in layers(model, keras.layers.Conv2D)] == expected
    assert len(layers(model, keras.layers.MaxPooling2D)) == changes.get("pools", 4)
    assert [layer.units for layer in layers(model, keras.layers.Dense)] == [16, 8, 4]


def test_every_key_has_its_effect() -> None:
    changed = settings(batch_norm=True, dropout=0.3, kernel_size=5, activation="elu", dense=[10])
    model = regression.build(changed, "mixed_bfloat16", 0)
    assert len(layers(model, keras.layers.BatchNormalization)) == 8
    assert [layer.rate for layer in layers(model, keras.layers.Dropout)] == [0.3]
    assert {layer.kernel_size for layer in layers(model, keras.layers.Conv2D)} == {(5, 5)}
    assert {layer.activation.__name__ for layer in layers(model, keras.layers.Activation)} == {"elu"}
    assert {layer.compute_dtype for layer in layers(model, keras.layers.Conv2D)} == {"bfloat16"}
    assert model.layers[-1].compute_dtype == "float32"


def test_boxes_are_fractions() -> None:
    boxes = regression.build(settings(), "float32", 0).predict(
        np.random.default_rng(0).random((3, 64, 64, 3)), verbose=0
    )
    assert boxes.shape == (3, 4)
    assert ((boxes >= 0) & (boxes <= 1)).all()


def test_the_seed_decides_the_weights() -> None:
    weights = [regression.build(settings(), "float32", seed).get_weights()[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_the_loss_of_an_untrained_network_is_pinned() -> None:
    """The value is that of lpr 0.1 (commit 1f5a461)."""
    small = {"image_size_px": 32, "convs": 3, "pools": 2, "dense": [16], "batch_norm": True, "dropout": 0.2}
    model = regression.build(settings(**small), "float32", 0)
    images = np.random.default_rng(1).random((2, 32, 32, 3)).astype(np.float32)
    truth = np.array([[0.2, 0.3, 0.5, 0.4], [0.1, 0.1, 0.9, 0.9]], np.float32)
    loss = regression.training_loss(Loss(name="giou", delta=1.0))(truth, model(images, training=True))
    assert float(np.mean(loss)) == pytest.approx(1.2791760, rel=1e-4)


def test_a_box_with_swapped_corners_is_the_one_between_them() -> None:
    (found,) = regression.decode(np.array([[0.6, 0.2, 0.3, 0.4]]), height=100, width=200)
    np.testing.assert_allclose(found.boxes, [[60, 20, 120, 40]])
    assert found.confidences.tolist() == [1]
    np.testing.assert_allclose(
        regression.all_boxes(np.array([[0.6, 0.2, 0.3, 0.4]]), 100, 200).boxes, [[120, 20, 60, 40]]
    )


def test_examples_are_the_largest_plates(in_root: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "one.png")
    Image.new("RGB", (200, 100)).save(tmp_path / "none.png")
    common = {"source": "street", "width": 200, "height": 100, "text": ""}
    plates = pd.DataFrame(
        [
            {"image": "none.png", "plate": 1, **common},
            {"image": "one.png", "plate": 1, **common, "top_x": 20, "top_y": 10, "bottom_x": 40, "bottom_y": 20},
            {"image": "one.png", "plate": 2, **common, "top_x": 100, "top_y": 50, "bottom_x": 180, "bottom_y": 90},
        ]
    )
    config = compose(["experiment=original", "detector.image_size_px=32"])
    examples = regression.load_examples(plates, plates[:0], tmp_path, config, tmp_path)
    assert [image.shape for image in examples.images] == [(32, 32, 3)]
    np.testing.assert_allclose(examples.boxes, [[0.5, 0.5, 0.9, 0.9]])
    assert "1 plates are left out" in capsys.readouterr().out
