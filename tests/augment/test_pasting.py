"""Pasting: boxes hug what is pasted, what is covered is gone, and nothing else changes."""

from typing import Any

import numpy as np
import pytest

from lpr.augment.pasting import PastePool, paste
from lpr.boxes import pairwise_iou
from lpr.synthesis.plate_bank import Art

OLD = np.array([[90.0, 120.0, 180.0, 145.0]])
NEVER = {"replace": 0.0, "add": 0.0, "distract": 0.0}


@pytest.fixture(scope="module")
def bank() -> PastePool:
    return PastePool.drawn(40, seed=5)


def plain(aspect: float, margin: int = 0) -> Art:
    """A white plate, in a black holder of that width."""
    pixels = np.full((round(200 / aspect) + 2 * margin, 200 + 2 * margin, 4), 255, np.uint8)
    pixels[..., :3] = 0
    face = margin, margin, 200 + margin, round(200 / aspect) + margin
    pixels[face[1] : face[3], face[0] : face[2], :3] = 255
    return Art(pixels, face)


def street() -> np.ndarray:
    """A image of 300 × 250 with a magenta plate at `OLD`, and grain; nothing else in it is magenta."""
    image = np.random.default_rng(0).integers(80, 90, (250, 300, 1), np.uint8).repeat(3, axis=2)
    image[120:145, 90:180] = (250, 130, 250)
    image[128:137, 100:170] = (120, 20, 120)
    return image


def pasted(
    image: np.ndarray, boxes: np.ndarray, bank: PastePool, seed: int, **odds: Any
) -> tuple[np.ndarray, np.ndarray]:
    return paste(image, boxes, bank, np.random.default_rng(seed), **(NEVER | odds))


def seen(bright: np.ndarray) -> list[int]:
    """The box around what is true in a mask."""
    rows, columns = np.nonzero(bright)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_without_odds_nothing_changes(bank: PastePool) -> None:
    image, boxes = pasted(street(), OLD, bank, 0)
    np.testing.assert_array_equal(image, street())
    np.testing.assert_array_equal(boxes, OLD)


def assert_hugging(boxes: list[np.ndarray], bright: list[np.ndarray]) -> None:
    """Boxes end where what is bright ends; the sharp corner of a tilted plate fades out over up to 2 px."""
    outwards = (np.array(boxes) - [seen(mask) for mask in bright]) * (-1, -1, 1, 1)
    assert np.abs(outwards).max() < 2.1
    assert np.abs(outwards.mean(axis=0)).max() < 0.7


@pytest.mark.parametrize("art", [plain(5), plain(2), plain(1), plain(3, margin=12)], ids=["5:1", "2:1", "1:1", "held"])
def test_the_box_hugs_an_added_plate(art: Art) -> None:
    flat, added = np.full((220, 260, 3), 20, np.uint8), PastePool([art], [])
    images, boxes = zip(*(pasted(flat, np.zeros((0, 4)), added, seed, add=1.0) for seed in range(30)), strict=True)
    assert all(len(found) == 1 for found in boxes)
    bright = [image[..., 1] > 20 + 0.25 * (float(image.max()) - 20) for image in images]
    assert_hugging([found[0] for found in boxes], bright)


@pytest.mark.parametrize("aspect", [4.5, 3.6, 2.0])
def test_the_box_hugs_a_plate_that_takes_anothers_place(aspect: float) -> None:
    other = PastePool([plain(aspect)], [])
    images, boxes = zip(*(pasted(street(), OLD, other, seed, replace=1.0) for seed in range(30)), strict=True)
    assert_hugging([found[0] for found in boxes], [image[..., 1] > 115 for image in images])


def test_the_old_plate_is_gone_and_the_new_one_is_where_it_was(bank: PastePool) -> None:
    """Whatever the new one's shape."""
    for seed in range(60):
        image, boxes = pasted(street(), OLD, bank, seed, replace=1.0)
        rest = image.astype(int)
        magenta = np.minimum(rest[..., 0], rest[..., 2]) - rest[..., 1] > 50
        assert magenta.sum() == 0
        np.testing.assert_allclose((boxes[0, :2] + boxes[0, 2:]) / 2, [135, 132.5], atol=3)
        assert pairwise_iou(boxes, OLD)[0, 0] > 0.35


def test_plates_stay_inside_apart_and_the_rest_as_it_was(bank: PastePool) -> None:
    edge = np.array([[0.0, 200.0, 120.0, 240.0], [230.0, 5.0, 300.0, 40.0]])
    added = 0
    for seed in range(60):
        image, boxes = pasted(street(), edge, bank, seed, replace=0.5, add=1.0)
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


def test_a_plate_that_would_cover_its_neighbour_is_left_alone(bank: PastePool) -> None:
    close = np.concatenate([OLD, OLD + np.array([0, 28, 0, 28])])
    square = PastePool([plain(1)], [])
    image, boxes = pasted(street(), close, square, 0, replace=1.0)
    np.testing.assert_array_equal(boxes, close)
    np.testing.assert_array_equal(image, street())


def test_nothing_is_pasted_across_the_edge_of_the_photograph(bank: PastePool) -> None:
    bordered = np.full((300, 300, 3), 114, np.uint8)
    bordered[100:220, 50:250] = street()[80:200, 50:250]
    inside = OLD - (0, -20, 0, -20)
    for seed in range(40):
        _, boxes = pasted(bordered, inside, bank, seed, replace=1.0, add=1.0, nowhere=(114, 114, 114))
        assert (boxes >= [48, 98, 48, 98]).all()
        assert (boxes <= [252, 222, 252, 222]).all()


def test_lettering_that_is_no_plate_has_no_box(bank: PastePool) -> None:
    changed = 0
    for seed in range(20):
        image, boxes = pasted(street(), OLD, bank, seed, distract=1.0)
        np.testing.assert_array_equal(boxes, OLD)
        np.testing.assert_array_equal(image[118:147, 88:182], street()[118:147, 88:182])
        changed += bool((image != street()).any())
    assert changed > 15


def test_what_is_pasted_is_lit_as_its_place_is() -> None:
    white = PastePool([plain(3.6)], [])
    levels = [
        pasted((street() * share).astype(np.uint8), OLD, white, 1, replace=1.0)[0][130:135, 110:160].mean()
        for share in (0.45, 0.7, 1.0)
    ]
    assert levels[0] < levels[1] * 0.85 < levels[2] * 0.8


def test_the_same_chance_pastes_the_same(bank: PastePool) -> None:
    odds = {"replace": 1.0, "add": 1.0, "distract": 1.0}
    first, again, other = (pasted(street(), OLD, bank, seed, **odds) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any()
