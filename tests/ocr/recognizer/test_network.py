"""The recognizer's network and loss: a better prediction has a lower loss."""

from pathlib import Path

import numpy as np
import pytest
from clones import ROOT
from keras import ops

from lpr.composition.compose import compose
from lpr.nn.saving import save_model
from lpr.ocr.recognizer.batches import character_targets
from lpr.ocr.recognizer.decoding import decode
from lpr.ocr.recognizer.network import CLASSES, build, character_accuracy, character_loss
from lpr.ocr.recognizer.training import initialize_weights
from lpr.plates.countries import REGIONS
from lpr.plates.text import CHARACTERS
from lpr.synthesis.lettered_plates import LetteredPlate

ROWS, COLUMNS, STRIDE = 16, 48, 4
BOXES = np.array([(20, 12, 32, 50), (36, 12, 40, 50), (60, 14, 75, 52)], float)  # pixels of 192 × 64
TEXT = "A1Z"


def true_targets(text: str = TEXT, region: str = "india") -> np.ndarray:
    plate = LetteredPlate(np.zeros((64, 192, 4), np.uint8), (0, 0, 192, 64), text, BOXES, region)
    targets = character_targets(plate, BOXES, (ROWS * STRIDE, COLUMNS * STRIDE), CHARACTERS)
    return np.pad(targets, [(0, 2), (0, 0)])[None]


def prediction(text: str = TEXT, shift: float = 0.0, region: str = "india") -> np.ndarray:
    """The output of a network that finds the text, of a region, in boxes `shift` px beside the true ones."""
    outputs = np.full((1, ROWS, COLUMNS, 5 + len(CHARACTERS) + len(REGIONS)), -8, np.float32)
    cells = np.stack(np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5), axis=-1)
    for box, character in zip((BOXES + shift) / STRIDE, text, strict=True):
        own = np.abs(cells[0, :, 0] - (box[0] + box[2]) / 2) < 1.5
        outputs[0, :, own, 1:3] = (cells - box[:2])[:, own].swapaxes(0, 1)
        outputs[0, :, own, 3:5] = (box[2:] - cells)[:, own].swapaxes(0, 1)
        outputs[0, :, own, 5 + CHARACTERS.index(character)] = 8
        outputs[0, :, own, 5 + len(CHARACTERS) + REGIONS.index(region)] = 8
        outputs[0, int((box[1] + box[3]) / 2), int((box[0] + box[2]) / 2), 0] = 8
    return outputs


def loss(outputs: np.ndarray, region: str = "india") -> float:
    targets = true_targets(region=region)
    return float(np.asarray(character_loss(ops.convert_to_tensor(targets), ops.convert_to_tensor(outputs)))[0])


def test_the_right_prediction_has_no_loss_and_is_decoded_to_the_text() -> None:
    assert loss(prediction()) < 0.05
    (found,) = decode(prediction(), STRIDE, len(CHARACTERS))
    order = np.argsort(found.boxes[:, 0])
    np.testing.assert_allclose(found.boxes[order], BOXES, atol=1e-3)
    assert "".join(CHARACTERS[label] for label in found.probabilities[order].argmax(axis=1)) == TEXT


def test_a_wrong_label_a_shifted_box_and_a_missed_character_have_more_loss() -> None:
    assert loss(prediction("B1Z")) > loss(prediction()) + 1
    assert loss(prediction(shift=2.0)) > loss(prediction()) + 0.1
    missed = prediction()
    missed[..., 0] = -8
    assert loss(missed) > loss(prediction()) + 1


def test_a_wrong_region_has_more_loss_and_an_unknown_one_has_none() -> None:
    assert loss(prediction(region="europe")) > loss(prediction()) + 1
    assert loss(prediction(region="europe"), region="") == pytest.approx(loss(prediction(), region=""), abs=1e-6)


def test_the_region_is_that_of_the_characters_and_a_network_without_regions_tells_none() -> None:
    (found,) = decode(prediction(region="europe"), STRIDE, len(CHARACTERS))
    assert REGIONS[int(found.regions.argmax())] == "europe"
    assert found.regions.sum() == pytest.approx(1)
    (earlier,) = decode(prediction()[..., : 5 + len(CHARACTERS)], STRIDE, len(CHARACTERS))
    assert earlier.regions.shape == (0,)


def test_the_accuracy_counts_each_character_the_same() -> None:
    predicted = ops.convert_to_tensor(prediction("B1Z"))
    np.testing.assert_allclose(character_accuracy(ops.convert_to_tensor(true_targets()), predicted), [2 / 3], atol=1e-5)
    empty = ops.zeros_like(ops.convert_to_tensor(true_targets()))
    np.testing.assert_allclose(character_accuracy(empty, predicted), [1.0])


def test_the_network_is_as_configured_and_has_the_outputs_that_are_decoded(in_root: object) -> None:
    small = ["recognizer.fpn_channels=8", "recognizer.stage_depths=[1,1,1,1]"]
    config = compose([*small, "recognizer.stem_channels=4"]).recognizer
    model = build(config, "float32")
    for height, width in [(64, 192), (96, 128)]:
        outputs = model(np.zeros((2, height, width, 3), np.float32))
        assert outputs.shape == (2, height // 4, width // 4, 5 + 36 + 7)
    wider = compose([*small, "recognizer.stem_channels=8"]).recognizer
    assert build(wider, "float32").count_params() > model.count_params()


def test_a_deeper_network_starts_with_the_output_of_the_one_it_takes_weights_from(tmp_path: Path) -> None:
    small = ["recognizer.stem_channels=4", "recognizer.fpn_channels=8"]
    one, other, deeper = (
        compose(
            [*small, f"recognizer.train.seed={seed}", f"recognizer.stage_depths={depths}"], ROOT / "conf"
        ).recognizer
        for seed, depths in ((1, "[1,1,1,1]"), (2, "[1,1,1,1]"), (2, "[1,1,3,1]"))
    )
    crops = np.random.default_rng(0).random((2, 64, 192, 3)).astype(np.float32)
    first = build(one, "float32")
    save_model(first, tmp_path / "first.keras")
    expected = np.asarray(first(crops))
    assert np.abs(np.asarray(build(other, "float32")(crops)) - expected).max() > 1e-3
    for config in (other, deeper):
        initialized = initialize_weights(build(config, "float32"), str(tmp_path / "first.keras"), "init_weights")
        np.testing.assert_allclose(np.asarray(initialized(crops)), expected, atol=1e-5)


def test_a_network_of_a_longer_alphabet_starts_with_the_outputs_for_the_characters_that_both_have(
    tmp_path: Path,
) -> None:
    small = ["recognizer.stem_channels=4", "recognizer.fpn_channels=8"]
    longer, shorter = (
        compose([*small, key], ROOT / "conf").recognizer
        for key in (f'recognizer.alphabet="{CHARACTERS}京沪"', "recognizer.train.seed=2")
    )
    crops = np.random.default_rng(0).random((2, 64, 192, 3)).astype(np.float32)
    first = build(shorter, "float32")
    save_model(first, tmp_path / "first.keras")
    expected, channels = np.asarray(first(crops)), 5 + len(CHARACTERS)
    network = build(longer, "float32")
    others = np.array(network.get_layer(CLASSES).kernel)[..., len(CHARACTERS) :]
    outputs = np.asarray(initialize_weights(network, str(tmp_path / "first.keras"), "init_weights", [CLASSES])(crops))
    assert outputs.shape[-1] == expected.shape[-1] + 2
    np.testing.assert_allclose(outputs[..., :channels], expected[..., :channels], atol=1e-5)
    np.testing.assert_allclose(outputs[..., -len(REGIONS) :], expected[..., -len(REGIONS) :], atol=1e-5)
    np.testing.assert_array_equal(np.array(network.get_layer(CLASSES).kernel)[..., len(CHARACTERS) :], others)
