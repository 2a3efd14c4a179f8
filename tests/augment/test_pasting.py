"""Pasting: boxes are tight around what is pasted, what is covered is gone, and nothing else changes."""

from typing import Any

import cv2
import numpy as np
import pytest

from lpr.augment.pasting import PastePool, paste
from lpr.boxes import pairwise_iou
from lpr.synthesis.plate_blanks import Patch

OLD = np.array([[90.0, 120.0, 180.0, 145.0]])
NEVER = {"p_over": 0.0, "p_extra": 0.0, "p_hard_negative": 0.0}


@pytest.fixture(scope="module")
def pool() -> PastePool:
    return PastePool.synthesize(40, seed=5)


def patch(aspect: float, margin: int = 0) -> Patch:
    """A white plate in a black holder of that width."""
    pixels = np.full((round(200 / aspect) + 2 * margin, 200 + 2 * margin, 4), 255, np.uint8)
    pixels[..., :3] = 0
    face = margin, margin, 200 + margin, round(200 / aspect) + margin
    pixels[face[1] : face[3], face[0] : face[2], :3] = 255
    return Patch(pixels, face)


def street() -> np.ndarray:
    """An image of 300 × 250 with a magenta plate at `OLD`, and noise; nothing else in it is magenta."""
    image = np.random.default_rng(0).integers(80, 90, (250, 300, 1), np.uint8).repeat(3, axis=2)
    image[120:145, 90:180] = (250, 130, 250)
    image[128:137, 100:170] = (120, 20, 120)
    return image


def pasted(
    image: np.ndarray, boxes: np.ndarray, pool: PastePool, seed: int, **probabilities: Any
) -> tuple[np.ndarray, np.ndarray]:
    return paste(image, boxes, pool, np.random.default_rng(seed), **(NEVER | probabilities))


def box_of(bright: np.ndarray) -> list[int]:
    """The box around the true pixels of a mask."""
    rows, columns = np.nonzero(bright)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_with_zero_probabilities_nothing_changes(pool: PastePool) -> None:
    image, boxes = pasted(street(), OLD, pool, 0)
    np.testing.assert_array_equal(image, street())
    np.testing.assert_array_equal(boxes, OLD)


def assert_tight(boxes: list[np.ndarray], bright: list[np.ndarray]) -> None:
    """Boxes end where bright pixels end; the sharp corner of a tilted plate fades out over up to 2 px."""
    outwards = (np.array(boxes) - [box_of(mask) for mask in bright]) * (-1, -1, 1, 1)
    assert np.abs(outwards).max() < 2.1
    assert np.abs(outwards.mean(axis=0)).max() < 0.7


@pytest.mark.parametrize(
    "plate", [patch(5), patch(2), patch(1), patch(3, margin=12)], ids=["5:1", "2:1", "1:1", "held"]
)
def test_the_box_of_an_extra_plate_is_tight(plate: Patch) -> None:
    flat, added = np.full((220, 260, 3), 20, np.uint8), PastePool([plate], [])
    images, boxes = zip(*(pasted(flat, np.zeros((0, 4)), added, seed, p_extra=1.0) for seed in range(30)), strict=True)
    assert all(len(found) == 1 for found in boxes)
    bright = [image[..., 1] > 20 + 0.25 * (float(image.max()) - 20) for image in images]
    assert_tight([found[0] for found in boxes], bright)


@pytest.mark.parametrize("aspect", [4.5, 3.6, 2.0])
def test_the_box_of_a_plate_pasted_over_another_is_tight(aspect: float) -> None:
    other = PastePool([patch(aspect)], [])
    images, boxes = zip(*(pasted(street(), OLD, other, seed, p_over=1.0) for seed in range(30)), strict=True)
    assert_tight([found[0] for found in boxes], [image[..., 1] > 115 for image in images])


def test_the_old_plate_is_gone_and_the_new_one_is_in_its_place(pool: PastePool) -> None:
    """With a new one of any shape."""
    for seed in range(60):
        image, boxes = pasted(street(), OLD, pool, seed, p_over=1.0)
        rest = image.astype(int)
        magenta = np.minimum(rest[..., 0], rest[..., 2]) - rest[..., 1] > 50
        assert magenta.sum() == 0
        np.testing.assert_allclose((boxes[0, :2] + boxes[0, 2:]) / 2, [135, 132.5], atol=3)
        assert pairwise_iou(boxes, OLD)[0, 0] > 0.35


def test_letters_alone_stand_on_what_was_around_the_old_plate() -> None:
    letters = Patch(np.dstack([np.zeros((40, 160, 3), np.uint8), np.zeros((40, 160), np.uint8)]), (0, 0, 160, 40), True)
    letters.pixels[5:35, 10:30, 3] = 255  # one stroke, at the left; to the right of it, nothing
    for seed in range(20):
        image, boxes = pasted(street(), OLD, PastePool([letters], []), seed, p_over=1.0)
        left, top, right, bottom = boxes[0].round().astype(int)
        right_half = image[top:bottom, (left + right) // 2 : right]
        assert right_half.min() > 70
        assert right_half.max() < 100  # as `street` is
        assert image[top:bottom, left:right].min() < 60


def turned(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """`street`, turned clockwise around the middle of its plate, and the box around that plate as it is then."""
    matrix = cv2.getRotationMatrix2D((134.5, 132), -degrees, 1)
    image = cv2.warpAffine(street(), matrix, (300, 250), borderMode=cv2.BORDER_REPLICATE)
    sine, cosine = np.sin(np.deg2rad(abs(degrees))), np.cos(np.deg2rad(degrees))
    half = np.array([90 * cosine + 25 * sine, 90 * sine + 25 * cosine]) / 2
    middle = np.array([135, 132.5])
    return image, np.concatenate([middle - half, middle + half])[None]


@pytest.mark.parametrize("degrees", [-20, 20])
def test_plates_pasted_into_a_turned_image_are_turned_with_it(degrees: float) -> None:
    image, old = turned(degrees)
    outside = np.ones((250, 300), bool)
    left, top, right, bottom = old[0].round().astype(int)
    outside[top - 12 : bottom + 12, left - 12 : right + 12] = False
    for seed in range(20):
        other, boxes = pasted(image, old, PastePool([patch(3.6)], []), seed, p_over=1.0, turn_deg=degrees)
        channels = other.astype(int)
        assert (np.minimum(channels[..., 0], channels[..., 2]) - channels[..., 1] > 50).sum() == 0
        assert pairwise_iou(boxes, old)[0, 0] > 0.7
        np.testing.assert_array_equal(other[outside], image[outside])  # the new plate is no larger than the old one
    flat, long = np.full((220, 260, 3), 20, np.uint8), PastePool([patch(5)], [])
    extra = [pasted(flat, np.zeros((0, 4)), long, seed, p_extra=1.0, turn_deg=degrees)[1][0] for seed in range(20)]
    ratios = [(box[3] - box[1]) / (box[2] - box[0]) for box in extra]
    assert np.median(ratios) == pytest.approx(0.52, abs=0.06)  # (5 sin 20° + cos 20°) / (5 cos 20° + sin 20°)


def test_plates_of_any_shape_are_pasted_over_a_long_one() -> None:
    mixed = PastePool([patch(5), patch(1.5)], [])
    boxes = [pasted(street(), OLD, mixed, seed, p_over=1.0)[1][0] for seed in range(40)]
    square = np.mean([(box[2] - box[0]) / (box[3] - box[1]) < 2.2 for box in boxes])
    assert 0.1 < square < 0.5


def test_plates_are_inside_and_apart_and_the_rest_is_unchanged(pool: PastePool) -> None:
    edge = np.array([[0.0, 200.0, 120.0, 240.0], [230.0, 5.0, 300.0, 40.0]])
    added = 0
    for seed in range(60):
        image, boxes = pasted(street(), edge, pool, seed, p_over=0.5, p_extra=1.0)
        assert boxes.min() >= -1e-6
        assert (boxes[:, 2:] <= np.array([300, 250]) + 1e-6).all()
        added += len(boxes) - 2
        if len(boxes) == 3:
            assert pairwise_iou(boxes[2:], boxes[:2]).max() == 0
            assert boxes[2, 2] - boxes[2, 0] >= 12
        near = np.zeros((250, 300), bool)
        for left, top, right, bottom in np.concatenate([boxes, edge]).astype(int):
            size = max(right - left, bottom - top) // 4 + 10
            near[max(top - size, 0) : bottom + size, max(left - size, 0) : right + size] = True
        np.testing.assert_array_equal(image[~near], street()[~near])
    assert added > 50


def test_a_plate_that_would_cover_its_neighbour_is_left_alone(pool: PastePool) -> None:
    close = np.concatenate([OLD, OLD + np.array([0, 28, 0, 28])])
    square = PastePool([patch(1)], [])
    image, boxes = pasted(street(), close, square, 0, p_over=1.0)
    np.testing.assert_array_equal(boxes, close)
    np.testing.assert_array_equal(image, street())


def test_nothing_is_pasted_across_the_border(pool: PastePool) -> None:
    bordered = np.full((300, 300, 3), 114, np.uint8)
    bordered[100:220, 50:250] = street()[80:200, 50:250]
    inside = OLD - (0, -20, 0, -20)
    for seed in range(40):
        _, boxes = pasted(bordered, inside, pool, seed, p_over=1.0, p_extra=1.0, border=(114, 114, 114))
        assert (boxes >= [48, 98, 48, 98]).all()
        assert (boxes <= [252, 222, 252, 222]).all()


def test_hard_negatives_have_no_box(pool: PastePool) -> None:
    changed = 0
    for seed in range(20):
        image, boxes = pasted(street(), OLD, pool, seed, p_hard_negative=1.0)
        np.testing.assert_array_equal(boxes, OLD)
        np.testing.assert_array_equal(image[118:147, 88:182], street()[118:147, 88:182])
        changed += bool((image != street()).any())
    assert changed > 15


def test_pasted_plates_take_on_the_light_of_their_place() -> None:
    white = PastePool([patch(3.6)], [])
    levels = [
        pasted((street() * share).astype(np.uint8), OLD, white, 1, p_over=1.0)[0][130:135, 110:160].mean()
        for share in (0.45, 0.7, 1.0)
    ]
    assert levels[0] < levels[1] * 0.85 < levels[2] * 0.8


def test_equal_seeds_paste_the_same(pool: PastePool) -> None:
    every = dict.fromkeys(NEVER, 1.0)
    first, again, other = (pasted(street(), OLD, pool, seed, **every) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any()
