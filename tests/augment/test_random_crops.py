"""Random crops: the plate stays under its box, however the image is transformed, zoomed and lit."""

import numpy as np
import pytest

from lpr.augment.pasting import PastePool
from lpr.augment.random_crops import letterbox, random_crop, random_mosaic
from lpr.config import RandomCrops
from lpr.synthesis.plate_blanks import Patch

NEUTRAL = {
    "name": "random_crops",
    "stored_size_px": 300,
    "max_upscale": 3.0,
    "plate_width_range": [0.2, 0.6],
    "scale_jitter": 1.0,
    "aspect_jitter": 1.0,
    "paste_pool_size": 8,
} | dict.fromkeys(RandomCrops.model_fields.keys() - {
    "name", "stored_size_px", "max_upscale", "plate_width_range", "scale_jitter", "aspect_jitter", "paste_pool_size"
}, 0.0)  # fmt: skip
LIVELY = {
    "plate_width_range": [0.1, 0.5],
    "max_upscale": 1.5,
    "p_full_image": 0.3,
    "p_background": 0.2,
    "scale_jitter": 1.3,
    "aspect_jitter": 1.3,
    "max_rotation_deg": 4.0,
    "max_perspective": 0.1,
    "brightness": 0.15,
    "contrast": 0.3,
    "gamma": 0.4,
    "colour": 0.12,
} | dict.fromkeys(["p_flip", "p_grey", "p_paste_over"], 0.5) | dict.fromkeys(
    ["p_shadow", "p_blur", "p_noise", "p_jpeg", "p_paste_extra", "p_hard_negative"], 1.0
)  # fmt: skip
BOX = np.array([[60.0, 100.0, 140.0, 130.0]])
PINNED_MEANS = [
    [54.26, 75.41, 58.28, 76.24],
    [55.68, 51.8, 110.23, 98.81],
    [125.22, 119.29, 101.4, 82.73],
    [46.52, 81.14, 68.98, 90.68],
    [96.83, 57.32, 79.57, 60.29],
]
PINNED_BOXES = [
    [0.5903, 0.1797, 0.757, 0.2296],
    [0.6739, 0.7594, 0.8547, 0.8522],
    [0.4433, 0.3975, 0.7531, 0.4677],
    [0.5439, 0.2749, 0.7414, 0.3759],
    [0.737, 0.5475, 0.9453, 0.6074],
]


def settings(**changes: object) -> RandomCrops:
    return RandomCrops.model_validate(NEUTRAL | changes)


def street() -> np.ndarray:
    """A dark image of 300 × 200 with a bright plate at `BOX`."""
    image = np.full((200, 300, 3), 40, np.uint8)
    image[100:130, 60:140] = 230
    return image


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"p_full_image": 1.0, "scale_jitter": 1.5},
        {"p_flip": 1.0},
        {"aspect_jitter": 1.4},
        {"max_rotation_deg": 5.0},
        {"max_perspective": 0.2},
    ],
)
def test_the_box_is_around_the_plate(change: dict[str, float]) -> None:
    for seed in range(20):
        crop, boxes = random_crop(street(), BOX, 128, settings(**change), np.random.default_rng(seed))
        assert crop.shape == (128, 128, 3)
        assert boxes.shape == (1, 4)
        rows, columns = np.nonzero(crop[..., 0] > 150)
        bright = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        np.testing.assert_allclose(boxes[0] * 128, bright, atol=2.5)


def test_zoomed_crops_show_plates_of_many_sizes_all_of_them_inside() -> None:
    found = [random_crop(street(), BOX, 128, settings(), np.random.default_rng(seed))[1][0] for seed in range(60)]
    widths = np.array([box[2] - box[0] for box in found])
    assert widths.min() < 0.3
    assert widths.max() > 0.5
    assert np.min(found) >= 0
    assert np.max(found) <= 1


def test_a_plate_that_is_cut_off_is_covered() -> None:
    """Half a plate would otherwise be background to learn from."""
    two = np.array([[60.0, 100.0, 140.0, 130.0], [290.0, 10.0, 420.0, 50.0]])  # the second leaves the image
    image = np.pad(street(), [(0, 0), (0, 200), (0, 0)], constant_values=40)
    image[10:50, 290:420] = 230
    covered, near = 0, settings(plate_width_range=[0.5, 0.6])
    for seed in range(40):
        crop, boxes = random_crop(image, two, 128, near, np.random.default_rng(seed))
        bright = crop[..., 0] > 150
        for left, top, right, bottom in (boxes * 128).round().astype(int):
            bright[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2] = False
        assert bright.sum() == 0
        covered += len(boxes) == 1
    assert covered


def test_equal_seeds_give_equal_crops_and_others_others() -> None:
    lively = settings(**LIVELY)
    first, again, other = (
        random_crop(street(), BOX, 128, lively, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def patch(aspect: float, margin: int = 0) -> Patch:
    """A white plate in a black holder of that width."""
    pixels = np.full((round(200 / aspect) + 2 * margin, 200 + 2 * margin, 4), 255, np.uint8)
    pixels[..., :3] = 0
    left, top, right, bottom = margin, margin, 200 + margin, round(200 / aspect) + margin
    pixels[top:bottom, left:right, :3] = 255
    return Patch(pixels, (left, top, right, bottom))


def test_crops_are_pinned() -> None:
    """So that a refactoring changes no training.

    Means of the quarters rather than bytes: the last bit of an exponential differs between processors.
    """
    image = street() + (np.arange(300, dtype=np.uint8) // 4)[None, :, None]
    image[100:130, 60:140] = 230
    pool = PastePool([patch(4.5), patch(2, margin=12)], [patch(1.5)])
    crops = [random_crop(image, BOX, 128, settings(**LIVELY), np.random.default_rng(seed), pool) for seed in range(4)]
    crops.append(random_mosaic([(image, BOX)] * 4, 128, settings(**LIVELY), np.random.default_rng(7), pool))
    means = [crop.reshape(2, 64, 2, 64, 3).mean(axis=(1, 3, 4)).ravel() for crop, _ in crops]
    np.testing.assert_allclose(means, PINNED_MEANS, atol=0.1)
    assert [len(boxes) for _, boxes in crops] == [2, 2, 2, 2, 8]
    np.testing.assert_allclose([boxes[-1] for _, boxes in crops], PINNED_BOXES, atol=2e-4)


def test_a_letterbox_has_the_whole_image_and_grey() -> None:
    square = letterbox(street(), 150)
    assert square.shape == (150, 150, 3)
    assert square[60, 40].tolist() == [230, 230, 230]
    assert (square[100:] == 114).all()


def test_plates_are_pasted_into_the_crop() -> None:
    """So their boxes are as tight as without rotation and perspective, and their letters are not mirrored."""
    geometry = {"max_rotation_deg": 5.0, "max_perspective": 0.2, "p_flip": 1.0, "aspect_jitter": 1.3}
    lively = settings(p_paste_extra=1.0, plate_width_range=[0.1, 0.2], **geometry)
    pool = PastePool.synthesize(10, seed=0)
    added = 0
    for seed in range(20):
        without, before = random_crop(street(), BOX, 128, lively, np.random.default_rng(seed))
        crop, boxes = random_crop(street(), BOX, 128, lively, np.random.default_rng(seed), pool)
        np.testing.assert_array_equal(boxes[:1], before)
        assert (crop != without).any() == (len(boxes) == 2)
        added += len(boxes) == 2
    assert added > 10


def test_a_crop_of_the_background_is_zoomed_but_mostly_without_the_plate() -> None:
    background = settings(p_background=1.0, plate_width_range=[0.7, 0.9])
    crops = [random_crop(street(), BOX, 128, background, np.random.default_rng(seed)) for seed in range(60)]
    counts = [len(boxes) for _, boxes in crops]
    assert 10 < counts.count(0) < 55
    for crop, boxes in crops:
        bright = crop[..., 0] > 150
        assert bright.sum() == 0 or len(boxes) == 1  # a plate that is cut off is covered


def test_a_mosaic_is_four_crops_and_all_their_plates() -> None:
    other = np.full((90, 90, 3), 120, np.uint8)
    four = [(street(), BOX), (other, np.zeros((0, 4))), (street(), BOX), (other, np.zeros((0, 4)))]
    mosaic, boxes = random_mosaic(four, 128, settings(), np.random.default_rng(0))
    assert mosaic.shape == (128, 128, 3)
    assert len(boxes) == 2
    assert ((boxes[:, [0, 2]] >= 0) & (boxes[:, [0, 2]] <= 0.5)).all(), "both streets are on the left"
    for left, top, right, bottom in np.round(boxes * 128).astype(int):
        assert (mosaic[top + 1 : bottom - 1, left + 1 : right - 1] > 200).all()
    bright = (mosaic[..., 0] > 135).sum()
    assert bright == pytest.approx(np.prod((boxes[:, 2:] - boxes[:, :2]) * 128, axis=1).sum(), rel=0.1)


def test_weights_stay_with_their_plates_and_are_1_for_what_is_pasted() -> None:
    weighted = np.pad(BOX, [(0, 0), (0, 1)], constant_values=0.25)
    pool = PastePool.synthesize(4, 0)
    kept, pasted = settings(), settings(p_paste_over=1.0, p_paste_extra=1.0)
    for seed in range(10):
        _, boxes = random_crop(street(), weighted, 128, kept, np.random.default_rng(seed), pool)
        assert boxes[:, 4].tolist() == [0.25]
        _, without = random_crop(street(), BOX, 128, pasted, np.random.default_rng(seed), pool)
        _, boxes = random_crop(street(), weighted, 128, pasted, np.random.default_rng(seed), pool)
        np.testing.assert_array_equal(boxes[:, :4], without)
        over, *extra = boxes[:, 4].tolist()
        assert over in (0.25, 1.0)  # where there was no room for another
        assert extra == [1.0] * (len(boxes) - 1)


def test_images_without_plates_are_seen_whole_and_close_up() -> None:
    """A ramp from left to right: what a crop shows of it says how much of the image it has."""
    image = np.tile(np.linspace(0, 255, 300).astype(np.uint8)[None, :, None], (200, 1, 3))
    half = settings(p_full_image=0.5)
    spans = []
    for seed in range(60):
        crop, boxes = random_crop(image, np.zeros((0, 4)), 64, half, np.random.default_rng(seed))
        assert len(boxes) == 0
        inside = crop[(crop != (114, 114, 114)).any(axis=2)]
        spans.append((int(inside.max()) - int(inside.min())) / 255)
    assert max(spans) > 0.95
    assert min(spans) < 0.35
