"""The family centernet: targets, loss and decoding fit together, and it learns to find several plates."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clones import ROOT
from keras import ops
from PIL import Image

from lpr.composition.compose import compose
from lpr.config import Loss
from lpr.data.input_pipeline import Examples
from lpr.detection.families import centernet
from lpr.detection.families.centernet import Settings
from lpr.detection.training import train
from lpr.nn.heatmap import box_targets, center_targets
from lpr.nn.runtime import choose_hardware
from lpr.nn.saving import load_model
from lpr.resampling import BORDER

GRID = 32
BOXES = np.zeros((2, 3, 4), np.float32)
BOXES[0, 0], BOXES[0, 1] = [0.2, 0.3, 0.5, 0.4], [0.6, 0.6, 0.8, 0.65]
BOXES[1, 0] = [0.1, 0.1, 0.9, 0.9]
NOTHING = np.zeros((1, 3, 4), np.float32)


def settings(**changes: object) -> Settings:
    values = {"image_size_px": 64, "stem_channels": 4, "stage_depths": [1, 1, 1, 1], "fpn_channels": 8}
    return Settings.model_validate({"name": "centernet", **values, "output_stride": 8, **changes})


def perfect_outputs(boxes: np.ndarray) -> np.ndarray:
    """The outputs of a network that finds all the boxes exactly."""
    _, box_weights = center_targets(ops.convert_to_tensor(boxes), (GRID, GRID))
    targets = np.asarray(box_targets(box_weights, ops.convert_to_tensor(boxes))[1]) * GRID
    logits = np.full((len(boxes), GRID, GRID, 1), -8, np.float32)
    for image, row in enumerate(boxes):
        for left, top, right, bottom in row[row.any(axis=1)]:
            logits[image, int((top + bottom) / 2 * GRID), int((left + right) / 2 * GRID)] = 8
    cells = np.arange(GRID) + 0.5
    middles = np.stack(np.meshgrid(cells, cells), axis=-1)[None]
    sides = middles - targets[..., :2], targets[..., 2:] - middles
    return np.concatenate([logits, *sides], axis=-1).astype(np.float32)


def loss_of(boxes: np.ndarray, outputs: np.ndarray, name: str = "giou") -> np.ndarray:
    loss = centernet.training_loss(Loss(name=name, delta=0.05))  # type: ignore[arg-type]
    return np.asarray(loss(ops.convert_to_tensor(boxes), ops.convert_to_tensor(outputs)))


def test_in_an_image_without_plates_only_confidence_is_a_loss() -> None:
    silent = perfect_outputs(NOTHING)
    confident = silent.copy()
    confident[0, 5, 5, 0] = 4
    assert loss_of(NOTHING, silent)[0] < 1e-3
    assert loss_of(NOTHING, confident)[0] > 1


@pytest.mark.parametrize("name", ["giou", "ciou", "mse", "mae", "huber"])
def test_perfect_outputs_have_no_loss_and_any_others_have(name: str) -> None:
    perfect = perfect_outputs(BOXES)
    np.testing.assert_allclose(loss_of(BOXES, perfect, name), 0, atol=1e-5)
    moved, missed = perfect.copy(), perfect.copy()
    moved[..., 1] += 0.05 * GRID
    missed[0, 11, 11, 0] = -4
    assert (loss_of(BOXES, moved, name) > 1e-4).all()
    assert loss_of(BOXES, missed, name)[0] > 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("mse", 4.5085955), ("mae", 5.1495118), ("huber", 4.2659941), ("giou", 9.2380857), ("ciou", 8.9863083)],
)
def test_the_loss_is_pinned(name: str, value: float) -> None:
    """The values are those of lpr 0.1 (commit 1f5a461)."""
    outputs = np.random.default_rng(3).normal(0, 1, (2, 16, 16, 5)).astype(np.float32)
    outputs[..., 0] -= 4
    outputs[..., 1:] = np.abs(outputs[..., 1:]) * 2
    assert loss_of(BOXES, outputs, name).mean() == pytest.approx(value, rel=1e-5)
    best = centernet.best_iou(ops.convert_to_tensor(BOXES), ops.convert_to_tensor(outputs))
    np.testing.assert_allclose(best, [0.07033969, 0.01191912], rtol=1e-5)


def test_the_loss_of_an_untrained_network_is_pinned() -> None:
    """The value is that of lpr 0.1 (commit 1f5a461)."""
    model = centernet.build(settings(), "float32", 0)
    images = np.random.default_rng(1).random((2, 64, 64, 3)).astype(np.float32)
    assert loss_of(BOXES, np.asarray(model(images, training=True))).mean() == pytest.approx(8.9075289, rel=1e-4)


def test_perfect_outputs_are_decoded_to_the_plates() -> None:
    first, second = centernet.decode(perfect_outputs(BOXES), GRID * 8, GRID * 8)
    np.testing.assert_allclose(sorted(first.boxes.tolist()), BOXES[0, :2] * GRID * 8, atol=1e-3)
    np.testing.assert_allclose(second.boxes, BOXES[1, :1] * GRID * 8, atol=1e-3)
    assert (first.confidences > 0.99).all()
    best = centernet.best_iou(ops.convert_to_tensor(BOXES), ops.convert_to_tensor(perfect_outputs(BOXES)))
    np.testing.assert_allclose(best, 1, atol=1e-4)


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_the_output_has_a_cell_a_stride(stride: int) -> None:
    model = centernet.build(settings(output_stride=stride), "float32", 0)
    assert model.name == "centernet"
    assert model(np.zeros((1, 64, 96, 3))).shape == (1, 64 // stride, 96 // stride, 5)


def test_examples_have_all_plates_of_an_image_or_none(in_root: Path, tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "two.png")
    Image.new("RGB", (20, 40)).save(tmp_path / "none.png")
    common = {"image": "two.png", "source": "street", "width": 200, "height": 100, "text": ""}
    empty = common | {"image": "none.png", "width": 20, "height": 40}
    plates = pd.DataFrame(
        [
            {**empty, "plate": 1},
            {**common, "plate": 1, "top_x": 20, "top_y": 10, "bottom_x": 40, "bottom_y": 20},
            {**common, "plate": 2, "top_x": 100, "top_y": 50, "bottom_x": 180, "bottom_y": 90},
        ]
    )
    chosen = ["experiment=none", "detector=centernet", "inference=multiscale", "augment=random_crops"]
    config = compose([*chosen, "augment.stored_size_px=64"])
    Image.new("RGB", (200, 100), "white").save(tmp_path / "two.png")
    ignored = plates[2:].assign(top_x=60, bottom_x=80, top_y=40, bottom_y=50)
    examples = centernet.load_examples(plates, ignored, tmp_path, config, tmp_path)
    assert [image.shape for image in examples.images] == [(64, 32, 3), (32, 64, 3)]
    covered = (examples.images[1] == BORDER).all(axis=2)
    assert covered[13:16, 19:26].all()
    assert not covered[:12, :26].any()
    assert not covered[:17, :18].any()
    np.testing.assert_allclose(examples.boxes[1], [[0.1, 0.05, 0.2, 0.1], [0.5, 0.25, 0.9, 0.45]])
    assert examples.boxes[0].max() == 0


def test_it_learns_to_find_several_plates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    tiny = [
        *("experiment=none", "detector=centernet", "augment=random_crops", "loss=giou"),
        *("inference=multiscale", "inference.scales=1"),
        *("augment.stored_size_px=64", "augment.p_full_image=1", "augment.max_perspective=0"),
        *("augment.p_blur=0", "augment.p_noise=0", "augment.p_jpeg=0", "augment.p_shadow=0"),
        *("detector.image_size_px=64", "detector.stem_channels=8", "detector.stage_depths=[1,1,1,1]"),
        *("detector.fpn_channels=16", "train.epochs=25", "train.batch_size=8", "train.threads=1"),
        *("train.precision=float32", "optimizer.learning_rate=3e-3"),
    ]
    generator = np.random.default_rng(0)
    images, boxes = np.full((48, 64, 64, 3), 30, np.uint8), np.zeros((48, 2, 4), np.float32)
    for number in range(48):
        for plate in range(number % 2 + 1):
            x, y = generator.integers(2, 40), generator.integers(2, 20) + 32 * plate
            images[number, y : y + 8, x : x + 20] = 220
            boxes[number, plate] = np.array([x, y, x + 20, y + 8]) / 64
    split = 32
    config, hardware = compose(tiny), choose_hardware("float32", 1)
    examples = Examples(images[:split], boxes[:split]), Examples(images[split:], boxes[split:])
    metrics = train(config, *examples, hardware, tmp_path, tmp_path / "history.csv", tmp_path / "state")
    assert metrics["best_mean_iou"] > 0.6
    model = load_model(tmp_path / "detector.keras")
    found = centernet.decode(np.asarray(model(images[split:].astype(np.float32) / 255)), 64, 64)
    counts = [int((plates.confidences > 0.3).sum()) for plates in found]
    assert np.mean([count == number % 2 + 1 for number, count in enumerate(counts)]) > 0.7


def test_boxes_of_weight_0_teach_where_plates_are_and_nothing_of_their_sides() -> None:
    perfect = perfect_outputs(BOXES)
    moved, missed = perfect.copy(), perfect.copy()
    moved[..., 1] += 0.05 * GRID
    missed[0, 11, 11, 0] = -4

    def loss(weight: float, outputs: np.ndarray) -> np.ndarray:
        return loss_of(np.pad(BOXES, [(0, 0), (0, 0), (0, 1)], constant_values=weight), outputs)

    np.testing.assert_allclose(loss(1, moved), loss_of(BOXES, moved), rtol=1e-6)
    np.testing.assert_allclose(loss(0.25, moved), loss(1, moved) / 4, rtol=1e-3)
    assert loss(0, moved).max() < 1e-3
    assert loss(0, missed)[0] > 1
