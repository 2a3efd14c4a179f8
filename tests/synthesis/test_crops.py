"""Crops of synthetic plates: stretched to one size, and the characters' boxes with them."""

from __future__ import annotations

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.config import PlateCrops
from lpr.synthesis.crops import draw_background_crop, draw_crop
from lpr.synthesis.lettered_plates import LetteredPlate, draw_lettered_plates

DEFAULT = compose([], ROOT / "conf").recognizer.crops
NEUTRAL = dict.fromkeys(
    [
        *("p_degraded", "p_light", "p_colour", "p_grey", "p_night", "p_shadow", "p_glare", "p_blur", "p_noise"),
        *("p_resize", "p_jpeg"),
    ],
    0,
)
CLEAR = DEFAULT.model_copy(update={**NEUTRAL, "letter_height_range_px": [40, 60]})


@pytest.fixture(scope="module")
def plates() -> list[LetteredPlate]:
    return draw_lettered_plates(60, 1)


def test_a_crop_is_a_function_of_plate_and_generator(plates: list[LetteredPlate]) -> None:
    (one, boxes), (same, same_boxes), (other, _) = (
        draw_crop(plates[0], 64, 192, np.random.default_rng(seed), DEFAULT) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(boxes, same_boxes)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("height", "width"), [(64, 192), (48, 96)])
def test_boxes_lie_inside_the_crop(plates: list[LetteredPlate], height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    for plate in plates:
        pixels, boxes = draw_crop(plate, height, width, rng, DEFAULT)
        assert (pixels.shape, pixels.dtype) == ((height, width, 3), np.uint8)
        assert (boxes.shape, boxes.dtype) == ((len(plate.text), 4), np.float32)
        assert boxes.min() >= 0
        assert (boxes <= [width, height] * 2).all()
        assert (boxes[:, 2:] - boxes[:, :2] > (0.8, 1.5)).all()


@pytest.mark.parametrize("settings", [CLEAR, CLEAR.model_copy(update={"p_warp": 1})], ids=["flat", "warped"])
def test_boxes_go_where_the_camera_puts_the_characters(settings: PlateCrops) -> None:
    """A black block on white, in any perspective: it is where its box is, to a pixel or two.

    There is white around the plate, too: what leans has corners in its upright box that lie beside it.
    """
    blocks = np.array([[20, 30, 60, 70], [90, 20, 110, 80], [150, 40, 230, 60], [260, 25, 300, 75]]) + 60
    for number, (left, top, right, bottom) in enumerate(blocks.tolist()):
        pixels = np.full((220, 440, 4), 255, np.uint8)
        pixels[top:bottom, left:right, :3] = 0
        plate = LetteredPlate(pixels, (60, 60, 380, 160), "ABCD", blocks.astype(np.float32))
        rng = np.random.default_rng(1)
        for _ in range(40):
            crop, boxes = draw_crop(plate, 96, 288, rng, settings)
            around = np.clip(boxes[number] + [-3, -3, 3, 3], 0, [288, 96] * 2).round().astype(int)
            part = crop[around[1] : around[3], around[0] : around[2]]
            rows, columns = np.nonzero(part.mean(axis=2) < 128)
            ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            seen = np.array(ends) + np.tile(around[:2], 2)
            np.testing.assert_allclose(seen, boxes[number], atol=3 if settings.p_warp else 2.5)


def test_light_changes_brightness_and_degraded_crops_have_softer_edges(plates: list[LetteredPlate]) -> None:
    def brightness(settings: PlateCrops) -> np.ndarray:
        rng = np.random.default_rng(2)
        return np.array([draw_crop(plate, 64, 192, rng, settings)[0].mean() for plate in plates])

    def edges(p_degraded: float) -> float:
        settings = DEFAULT.model_copy(update={"p_degraded": p_degraded, "p_noise": 0})
        generators = [np.random.default_rng([3, number]) for number in range(len(plates))]  # the same cameras
        crops = [draw_crop(plate, 64, 192, rng, settings)[0] for plate, rng in zip(plates, generators, strict=True)]
        return float(np.mean([np.abs(np.diff(crop.astype(float), axis=1)).mean() for crop in crops]))

    assert brightness(DEFAULT).min() < 45
    assert brightness(DEFAULT).max() > 150
    assert edges(p_degraded=1) < 0.85 * edges(p_degraded=0)


def test_a_loose_box_shows_more_of_what_is_around_the_plate(plates: list[LetteredPlate]) -> None:
    def letters(p_loose_box: float) -> float:
        rng = np.random.default_rng(4)
        settings = DEFAULT.model_copy(update={"p_loose_box": p_loose_box})
        boxes = (draw_crop(plate, 64, 192, rng, settings)[1] for plate in plates)
        return float(np.mean([np.ptp(each[:, [0, 2]]) / 192 for each in boxes]))

    assert letters(p_loose_box=1) < 0.93 * letters(p_loose_box=0)


def test_a_plate_at_the_edge_of_the_image_has_the_edge_repeated_around_it(plates: list[LetteredPlate]) -> None:
    repeated = 0
    for number, plate in enumerate(plates):
        (inside, boxes), (at_edge, same_boxes) = (
            draw_crop(
                plate, 64, 192, np.random.default_rng([8, number]), DEFAULT.model_copy(update={"p_image_edge": p})
            )
            for p in (0, 1)
        )
        np.testing.assert_array_equal(boxes, same_boxes)
        left, top, right, bottom = *np.ceil(boxes[:, :2].min(axis=0)), *np.floor(boxes[:, 2:].max(axis=0))
        characters = slice(int(top), int(bottom)), slice(int(left), int(right))
        np.testing.assert_array_equal(at_edge[characters], inside[characters])
        repeated += bool((at_edge[:2] == at_edge[0]).all() and not (inside[:2] == inside[0]).all())
    assert len(plates) / 4 < repeated < len(plates) * 3 / 4


def test_a_crop_without_a_plate_shows_a_part_of_a_vehicle() -> None:
    crops = [draw_background_crop(64, 192, np.random.default_rng(seed), DEFAULT) for seed in range(20)]
    assert {(crop.shape, crop.dtype) for crop in crops} == {((64, 192, 3), np.dtype(np.uint8))}
    assert np.array_equal(crops[3], draw_background_crop(64, 192, np.random.default_rng(3), DEFAULT))
    assert np.ptp([crop.mean() for crop in crops]) > 50
