"""RandomCrops: the plate stays under its box, however the image is turned, zoomed and lit."""

import numpy as np
import pytest

from lpr.augment.pasting import PastePool
from lpr.augment.random_crops import letterbox, random_crop, random_mosaic
from lpr.config import RandomCrops

STILL = {
    "name": "views",
    "stored_size": 300,
    "enlarge": 3.0,
    "whole": 0.0,
    "elsewhere": 0.0,
    "plate_width": [0.2, 0.6],
    "jitter": 1.0,
    "aspect": 1.0,
    "bank": 8,
} | dict.fromkeys(
    [
        "rotate",
        "perspective",
        "flip",
        "brightness",
        "contrast",
        "gamma",
        "colour",
        "grey",
        "shadow",
        "blur",
        "noise",
        "jpeg",
        "mosaic",
        "paste_replace",
        "paste_add",
        "distractors",
    ],
    0.0,
)
BOX = np.array([[60.0, 100.0, 140.0, 130.0]])


def views(**changes: object) -> RandomCrops:
    return RandomCrops.model_validate(STILL | changes)


def street() -> np.ndarray:
    """A dark image of 300 × 200 with a bright plate at `BOX`."""
    image = np.full((200, 300, 3), 40, np.uint8)
    image[100:130, 60:140] = 230
    return image


@pytest.mark.parametrize(
    "change",
    [{}, {"whole": 1.0, "jitter": 1.5}, {"flip": 1.0}, {"aspect": 1.4}, {"rotate": 5.0}, {"perspective": 0.2}],
)
def test_the_box_lies_around_the_plate(change: dict[str, float]) -> None:
    for seed in range(20):
        view, boxes = random_crop(street(), BOX, 128, views(**change), np.random.default_rng(seed))
        assert view.shape == (128, 128, 3)
        assert boxes.shape == (1, 4)
        rows, columns = np.nonzero(view[..., 0] > 150)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        np.testing.assert_allclose(boxes[0] * 128, seen, atol=2.5)


def test_zoomed_views_show_plates_of_many_sizes_all_of_them_inside() -> None:
    found = [random_crop(street(), BOX, 128, views(), np.random.default_rng(seed))[1][0] for seed in range(60)]
    widths = np.array([box[2] - box[0] for box in found])
    assert widths.min() < 0.3
    assert widths.max() > 0.5
    assert np.min(found) >= 0
    assert np.max(found) <= 1


def test_a_plate_that_is_cut_off_is_greyed_out() -> None:
    """What is half a plate would otherwise be taught as none."""
    two = np.array([[60.0, 100.0, 140.0, 130.0], [290.0, 10.0, 420.0, 50.0]])  # the second leaves the image
    image = np.pad(street(), [(0, 0), (0, 200), (0, 0)], constant_values=40)
    image[10:50, 290:420] = 230
    greyed = 0
    for seed in range(40):
        view, boxes = random_crop(image, two, 128, views(plate_width=[0.5, 0.6]), np.random.default_rng(seed))
        bright = view[..., 0] > 150
        for left, top, right, bottom in (boxes * 128).round().astype(int):
            bright[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2] = False
        assert bright.sum() == 0
        greyed += len(boxes) == 1
    assert greyed


def test_the_same_chance_gives_the_same_view_and_another_another() -> None:
    lively = views(rotate=4.0, contrast=0.3, noise=1.0, blur=1.0, jpeg=1.0, shadow=1.0, grey=0.5, colour=0.1, gamma=0.3)
    first, again, other = (
        random_crop(street(), BOX, 128, lively, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_letterbox_holds_the_whole_image_and_grey() -> None:
    square = letterbox(street(), 150)
    assert square.shape == (150, 150, 3)
    assert square[60, 40].tolist() == [230, 230, 230]
    assert (square[100:] == 114).all()


def test_what_is_pasted_is_pasted_into_the_view() -> None:
    """So its box is as tight as without turn and perspective, and its letters are not mirrored."""
    lively = views(paste_add=1.0, rotate=5.0, perspective=0.2, flip=1.0, aspect=1.3, plate_width=[0.1, 0.2])
    bank = PastePool.drawn(10, seed=0)
    added = 0
    for seed in range(20):
        without, before = random_crop(street(), BOX, 128, lively, np.random.default_rng(seed))
        view, boxes = random_crop(street(), BOX, 128, lively, np.random.default_rng(seed), bank)
        np.testing.assert_array_equal(boxes[:1], before)
        assert (view != without).any() == (len(boxes) == 2)
        added += len(boxes) == 2
    assert added > 10


def test_a_view_of_elsewhere_is_as_close_but_mostly_without_the_plate() -> None:
    random = [np.random.default_rng(seed) for seed in range(60)]
    seen = [random_crop(street(), BOX, 128, views(elsewhere=1.0, plate_width=[0.7, 0.9]), each) for each in random]
    counts = [len(boxes) for _, boxes in seen]
    assert 10 < counts.count(0) < 55
    for view, boxes in seen:
        bright = view[..., 0] > 150
        assert bright.sum() == 0 or len(boxes) == 1  # a plate that is cut off is greyed out


def test_a_mosaic_is_four_views_and_all_their_plates() -> None:
    other = np.full((90, 90, 3), 120, np.uint8)
    four = [(street(), BOX), (other, np.zeros((0, 4))), (street(), BOX), (other, np.zeros((0, 4)))]
    mosaic, boxes = random_mosaic(four, 128, views(), np.random.default_rng(0))
    assert mosaic.shape == (128, 128, 3)
    assert len(boxes) == 2
    assert ((boxes[:, [0, 2]] >= 0) & (boxes[:, [0, 2]] <= 0.5)).all(), "both streets are on the left"
    for left, top, right, bottom in np.round(boxes * 128).astype(int):
        assert (mosaic[top + 1 : bottom - 1, left + 1 : right - 1] > 200).all()
    bright = (mosaic[..., 0] > 135).sum()
    assert bright == pytest.approx(np.prod((boxes[:, 2:] - boxes[:, :2]) * 128, axis=1).sum(), rel=0.1)
