"""The batches of crops that the reader's network learns from."""

from __future__ import annotations

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.config import Recognizer
from lpr.ocr.recognizer.batches import crop_batches
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.synthesis.lettered_plates import LetteredPlate, draw_plates

SHAPES = [[64, 192], [96, 128]]


def settings(*overrides: str) -> Recognizer:
    keys = ["recognizer.train.batch_size=3", f"recognizer.input_shapes_px={SHAPES}".replace(" ", "")]
    return compose([*keys, *overrides], ROOT / "conf").recognizer


@pytest.fixture(scope="module")
def plates() -> list[LetteredPlate]:
    return draw_plates(30, 1)


def batches(
    plates: list[LetteredPlate], config: Recognizer, steps: range, photographed: list[LetteredPlate] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    found = crop_batches(plates, photographed or [], config, steps)
    return [(crops.numpy(), truths.numpy()) for crops, truths in found]


def test_a_box_is_shown_in_the_shape_most_like_it() -> None:
    assert nearest_shape(SHAPES, 520, 110) == (64, 192)
    assert nearest_shape(SHAPES, 340, 200) == (96, 128)
    assert nearest_shape(SHAPES[:1], 10, 90) == (64, 192)


def test_a_batch_has_one_shape_and_all_shapes_come(plates: list[LetteredPlate]) -> None:
    found = batches(plates, settings(), range(24))
    assert {crops.shape for crops, _ in found} == {(3, *shape, 3) for shape in SHAPES}
    longest = max(len(plate.text) for plate in plates)
    assert {truths.shape for _, truths in found} == {(3, longest, 5)}
    assert all(
        values.min() >= 0 and values.max() <= 1 for crops, truths in found for values in (crops, truths[..., :4])
    )


def test_a_step_shows_the_same_whenever_it_comes(plates: list[LetteredPlate]) -> None:
    later, again = batches(plates, settings(), range(6))[4:], batches(plates, settings(), range(4, 6))
    for one, other in zip(later, again, strict=True):
        for values, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(values, same)


def test_some_boxes_hold_no_plate(plates: list[LetteredPlate]) -> None:
    ((_, truths),) = batches(plates, settings("recognizer.crops.p_no_plate=1.0"), range(1))
    assert not truths.any()
    ((_, truths),) = batches(plates, settings("recognizer.crops.p_no_plate=0.0"), range(1))
    assert truths.any(axis=(1, 2)).all()


def test_photographed_plates_are_shown_as_often_as_is_said(plates: list[LetteredPlate]) -> None:
    """They say QQQ, which no drawn one does."""
    usual = plates[0]
    real = LetteredPlate(usual.pixels, usual.box, "QQQ", usual.characters[:3])
    keys = ("recognizer.crops.p_no_plate=0.0", "recognizer.p_real=0.3")
    shown = batches(plates, settings(*keys), range(40), [real])
    saying = [[set(truth[truth[:, 2] > 0, 4]) == {26.0} for truth in truths] for _, truths in shown]
    assert 0.15 < np.mean(saying) < 0.45
    none = batches(plates, settings("recognizer.p_real=0.0"), range(4), [real])
    assert not any(set(truth[truth[:, 2] > 0, 4]) == {26.0} for _, truths in none for truth in truths)
