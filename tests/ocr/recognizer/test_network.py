"""The reader's network: what it is taught, and that a better answer costs less."""

from pathlib import Path

import numpy as np
import pytest
from clones import ROOT
from keras import ops

from lpr.composition.compose import compose
from lpr.errors import UserError
from lpr.nn.saving import save_detector
from lpr.ocr.recognizer.batches import characters
from lpr.ocr.recognizer.decoding import decode
from lpr.ocr.recognizer.network import build, character_accuracy, character_loss
from lpr.ocr.recognizer.training import begun
from lpr.plates.text import CHARACTERS

ROWS, COLUMNS, STRIDE = 16, 48, 4
BOXES = np.array([(20, 12, 32, 50), (36, 12, 40, 50), (60, 14, 75, 52)], float)  # pixels of 192 × 64
TEXT = "A1Z"


def truths(text: str = TEXT) -> np.ndarray:
    taught = characters(text, BOXES, (ROWS * STRIDE, COLUMNS * STRIDE))
    return np.pad(taught, [(0, 2), (0, 0)])[None]


def answer(text: str = TEXT, shift: float = 0.0) -> np.ndarray:
    """What a network would say that sees the text in boxes `shift` px beside the true ones."""
    outputs = np.full((1, ROWS, COLUMNS, 5 + len(CHARACTERS)), -8, np.float32)
    cells = np.stack(np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5), axis=-1)
    for box, character in zip((BOXES + shift) / STRIDE, text, strict=True):
        own = np.abs(cells[0, :, 0] - (box[0] + box[2]) / 2) < 1.5
        outputs[0, :, own, 1:3] = (cells - box[:2])[:, own].swapaxes(0, 1)
        outputs[0, :, own, 3:5] = (box[2:] - cells)[:, own].swapaxes(0, 1)
        outputs[0, :, own, 5 + CHARACTERS.index(character)] = 8
        outputs[0, int((box[1] + box[3]) / 2), int((box[0] + box[2]) / 2), 0] = 8
    return outputs


def loss(outputs: np.ndarray) -> float:
    return float(np.asarray(character_loss(ops.convert_to_tensor(truths()), ops.convert_to_tensor(outputs)))[0])


def test_the_right_answer_costs_nothing_and_is_read_as_it_stands() -> None:
    assert loss(answer()) < 0.05
    (found,) = decode(answer(), STRIDE)
    order = np.argsort(found.boxes[:, 0])
    np.testing.assert_allclose(found.boxes[order], BOXES, atol=1e-3)
    assert "".join(CHARACTERS[place] for place in found.chances[order].argmax(axis=1)) == TEXT


def test_a_wrong_character_a_shifted_box_and_silence_cost_more() -> None:
    assert loss(answer("B1Z")) > loss(answer()) + 1
    assert loss(answer(shift=2.0)) > loss(answer()) + 0.1
    silent = answer()
    silent[..., 0] = -8
    assert loss(silent) > loss(answer()) + 1


def test_the_accuracy_counts_each_character_the_same() -> None:
    said = ops.convert_to_tensor(answer("B1Z"))
    np.testing.assert_allclose(character_accuracy(ops.convert_to_tensor(truths()), said), [2 / 3], atol=1e-5)
    nothing = ops.zeros_like(ops.convert_to_tensor(truths()))
    np.testing.assert_allclose(character_accuracy(nothing, said), [1.0])


def test_the_network_is_as_configured_and_says_what_decoding_takes(in_root: object) -> None:
    config = compose(["recognizer.stem_channels=4", "recognizer.fpn_channels=8"]).recognizer
    model = build(config, "float32")
    for height, width in [(64, 192), (96, 128)]:
        said = model(np.zeros((2, height, width, 3), np.float32))
        assert said.shape == (2, height // 4, width // 4, 5 + 36)
    assert build(compose(["recognizer.stem_channels=8"]).recognizer, "float32").count_params() > model.count_params()


def test_a_deeper_network_begins_by_saying_what_the_other_says(tmp_path: Path) -> None:
    small = ["recognizer.stem_channels=4", "recognizer.fpn_channels=8"]
    one, other, deeper = (
        compose(
            [*small, f"recognizer.train.seed={seed}", f"recognizer.stage_depths={depths}"], ROOT / "conf"
        ).recognizer
        for seed, depths in ((1, "[1,1,1,1]"), (2, "[1,1,1,1]"), (2, "[1,2,3,1]"))
    )
    crops = np.random.default_rng(0).random((2, 64, 192, 3)).astype(np.float32)
    first = build(one, "float32")
    save_detector(first, tmp_path / "first.keras")
    said = np.asarray(first(crops))
    assert np.abs(np.asarray(build(other, "float32")(crops)) - said).max() > 1e-3
    for config in (other, deeper):
        again = begun(build(config, "float32"), str(tmp_path / "first.keras"))
        np.testing.assert_allclose(np.asarray(again(crops)), said, atol=1e-5)
    with pytest.raises(UserError, match=r"recognizer\.start=none\.keras is missing"):
        begun(build(one, "float32"), "none.keras")
