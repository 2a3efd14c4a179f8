"""The batches of crops that the recognizer is trained on."""

from __future__ import annotations

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.config import Recognizer
from lpr.ocr.recognizer.batches import crop_batches
from lpr.synthesis.lettered_plates import LetteredPlate, draw_lettered_plates

SHAPES = [[64, 192], [96, 128]]


def settings(*overrides: str) -> Recognizer:
    keys = ["recognizer.train.batch_size=3", f"recognizer.input_shapes_px={SHAPES}".replace(" ", "")]
    return compose([*keys, *overrides], ROOT / "conf").recognizer


@pytest.fixture(scope="module")
def plates() -> list[LetteredPlate]:
    return draw_lettered_plates(30, 1)


def batches(
    plates: list[LetteredPlate], config: Recognizer, steps: range, real_plates: list[LetteredPlate] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    found = crop_batches(plates, real_plates or [], config, steps)
    return [(crops.numpy(), targets.numpy()) for crops, targets in found]


def test_a_batch_has_one_shape_and_all_shapes_occur(plates: list[LetteredPlate]) -> None:
    found = batches(plates, settings(), range(24))
    assert {crops.shape for crops, _ in found} == {(3, *shape, 3) for shape in SHAPES}
    longest = max(len(plate.text) for plate in plates)
    assert {targets.shape for _, targets in found} == {(3, longest, 6)}
    assert all(
        values.min() >= 0 and values.max() <= 1 for crops, targets in found for values in (crops, targets[..., :4])
    )


def test_a_step_has_the_same_batch_wherever_the_training_starts(plates: list[LetteredPlate]) -> None:
    later, again = batches(plates, settings(), range(6))[4:], batches(plates, settings(), range(4, 6))
    for one, other in zip(later, again, strict=True):
        for values, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(values, same)


def test_some_crops_have_no_plate(plates: list[LetteredPlate]) -> None:
    ((_, targets),) = batches(plates, settings("recognizer.crops.p_no_plate=1.0"), range(1))
    assert not targets.any()
    ((_, targets),) = batches(plates, settings("recognizer.crops.p_no_plate=0.0"), range(1))
    assert targets.any(axis=(1, 2)).all()


def test_real_plates_are_the_configured_fraction(plates: list[LetteredPlate]) -> None:
    """Their text is QQQ, which no synthetic one has."""
    usual = plates[0]
    real = LetteredPlate(usual.pixels, usual.box, "QQQ", usual.characters[:3])
    keys = ("recognizer.crops.p_no_plate=0.0", "recognizer.p_real=0.3")
    mixed = batches(plates, settings(*keys), range(40), [real])
    is_real = [[set(target[target[:, 2] > 0, 4]) == {26.0} for target in targets] for _, targets in mixed]
    assert 0.15 < np.mean(is_real) < 0.45
    none = batches(plates, settings("recognizer.p_real=0.0"), range(4), [real])
    assert not any(set(target[target[:, 2] > 0, 4]) == {26.0} for _, targets in none for target in targets)
