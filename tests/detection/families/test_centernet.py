"""The centre detector: targets, loss and decoding agree with each other, and it learns to find several plates."""

from pathlib import Path

import keras
import numpy as np
import pytest
from clones import ROOT
from keras import ops

from lpr.composition.compose import compose
from lpr.config import Loss
from lpr.data.input_pipeline import Examples
from lpr.detection.decoding import Plates, decode_corners, decode_heatmap, suppress
from lpr.detection.families import centernet as center
from lpr.detection.families.centernet import Settings
from lpr.detection.training import train
from lpr.nn.runtime import choose_hardware
from lpr.nn.saving import load_detector

GRID = 32
BOXES = np.zeros((2, 3, 4), np.float32)
BOXES[0, 0], BOXES[0, 1] = [0.2, 0.3, 0.5, 0.4], [0.6, 0.6, 0.8, 0.65]
BOXES[1, 0] = [0.1, 0.1, 0.9, 0.9]


def targets(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heat, weights and boxes wanted, cell by cell."""
    heat, near = center.center_targets(ops.convert_to_tensor(boxes), (GRID, GRID))
    weight, wanted = center.box_targets(near, ops.convert_to_tensor(boxes))
    return np.asarray(heat), np.asarray(weight), np.asarray(wanted)


def answer(boxes: np.ndarray) -> np.ndarray:
    """What a network would say that knows the boxes."""
    _, _, wanted = targets(boxes)
    sure = np.full((len(boxes), GRID, GRID, 1), -8, np.float32)
    for image, row in enumerate(boxes):
        for left, top, right, bottom in row[row.any(axis=1)]:
            sure[image, int((top + bottom) / 2 * GRID), int((left + right) / 2 * GRID)] = 8
    cells = np.arange(GRID) + 0.5
    middles = np.stack(np.meshgrid(cells, cells), axis=-1)[None]
    wanted = wanted * GRID
    return np.concatenate([sure, middles - wanted[..., :2], wanted[..., 2:] - middles], axis=-1).astype(np.float32)


def loss_of(boxes: np.ndarray, outputs: np.ndarray, name: str = "giou") -> np.ndarray:
    loss = center.training_loss(Loss(name=name, delta=0.05))  # type: ignore[arg-type]
    return np.asarray(loss(ops.convert_to_tensor(boxes), ops.convert_to_tensor(outputs)))


def test_every_plate_is_the_peak_of_its_own_hill_and_weighs_the_same() -> None:
    heat, weight, _ = targets(BOXES)
    assert (heat > 0.9999).sum(axis=(1, 2)).tolist() == [2, 1]
    np.testing.assert_allclose(weight.sum(axis=(1, 2)), [2, 1], atol=1e-5)
    assert heat[0, 11, 11] > 0.9999  # the middle of the first plate, at (0.35, 0.35)


def test_a_image_without_plates_wants_nothing() -> None:
    heat, weight, _ = targets(np.zeros((1, 3, 4), np.float32))
    assert heat.max() == weight.max() == 0
    silent = answer(np.zeros((1, 3, 4), np.float32))
    loud = silent.copy()
    loud[0, 5, 5, 0] = 4
    assert loss_of(np.zeros((1, 3, 4), np.float32), silent)[0] < 1e-3
    assert loss_of(np.zeros((1, 3, 4), np.float32), loud)[0] > 1


@pytest.mark.parametrize("name", ["giou", "mse", "mae", "huber"])
def test_the_right_answer_has_no_loss_and_any_other_has(name: str) -> None:
    right = answer(BOXES)
    np.testing.assert_allclose(loss_of(BOXES, right, name), 0, atol=1e-5)
    moved, missed = right.copy(), right.copy()
    moved[..., 1] += 0.05 * GRID
    missed[0, 11, 11, 0] = -4
    assert (loss_of(BOXES, moved, name) > 1e-4).all()
    assert loss_of(BOXES, missed, name)[0] > 1


def test_the_right_answer_decodes_to_the_plates() -> None:
    first, second = decode_heatmap(answer(BOXES), stride=8)
    np.testing.assert_allclose(sorted(first.boxes.tolist()), BOXES[0, :2] * GRID * 8, atol=1e-3)
    np.testing.assert_allclose(second.boxes, BOXES[1, :1] * GRID * 8, atol=1e-3)
    assert (first.confidences > 0.99).all()
    np.testing.assert_allclose(
        center.best_iou(ops.convert_to_tensor(BOXES), ops.convert_to_tensor(answer(BOXES))), 1, atol=1e-4
    )


def test_of_overlapping_plates_the_surest_stays() -> None:
    boxes = np.array([[0, 0, 10, 5], [1, 0, 11, 5], [20, 0, 30, 5]], float)
    kept = suppress(Plates(boxes, np.array([0.5, 0.9, 0.3])))
    assert kept.confidences.tolist() == [0.9, 0.3]
    assert kept.boxes.tolist() == [boxes[1].tolist(), boxes[2].tolist()]


def test_a_box_turned_inside_out_is_the_one_between_its_corners() -> None:
    (plates,) = decode_corners(np.array([[0.6, 0.2, 0.3, 0.4]]))
    np.testing.assert_allclose(plates.boxes, [[0.3, 0.2, 0.6, 0.4]])


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_the_output_has_a_cell_a_stride(stride: int) -> None:
    config = Settings(name="center", image_size_px=64, width=4, depths=[1, 1, 1, 1], neck=8, stride=stride)  # type: ignore[arg-type]
    model = center.build(config, "float32", 0)
    assert model(np.zeros((1, 64, 96, 3))).shape == (1, 64 // stride, 96 // stride, 5)
    assert isinstance(model, keras.Model)


def test_it_learns_to_find_several_plates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    tiny = [
        *[
            "experiment=none",
            "detector=centernet",
            "augment=random_crops",
            "loss=giou",
            "inference=multiscale",
            "inference.scales=1",
            "augment.stored_size_px=64",
            "augment.p_full_image=1",
        ],
        *[
            "augment.p_blur=0",
            "augment.p_noise=0",
            "augment.p_jpeg=0",
            "augment.p_shadow=0",
            "augment.max_perspective=0",
        ],
        *[
            "detector.image_size_px=64",
            "detector.stem_channels=8",
            "detector.stage_depths=[1,1,1,1]",
            "detector.fpn_channels=16",
            "train.epochs=25",
        ],
        *["train.batch_size=8", "train.threads=1", "train.precision=float32", "optimizer.learning_rate=3e-3"],
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
    made = Examples(images[:split], boxes[:split]), Examples(images[split:], boxes[split:])
    metrics = train(config, *made, hardware, tmp_path, tmp_path / "history.csv", tmp_path / "state")
    assert metrics["best_mean_iou"] > 0.6
    model = load_detector(tmp_path / "detector.keras")
    found = decode_heatmap(np.asarray(model(images[split:].astype(np.float32) / 255)), stride=8)
    counts = [int((plates.confidences > 0.3).sum()) for plates in found]
    assert np.mean([count == number % 2 + 1 for number, count in enumerate(counts)]) > 0.7
