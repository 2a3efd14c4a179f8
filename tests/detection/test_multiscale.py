"""Looks at one size and at several, by a network that knows bright rectangles as far as it can see them."""

import cv2
import numpy as np
import pytest

from lpr.config import MultiScale
from lpr.detection.decoding import Plates
from lpr.detection.multiscale import vote

STRIDE = 8
PLATE = [905.0, 340.0, 985.0, 362.0]
THREE = MultiScale(name="pyramid", image_size_px=512, looks=3, step=2.0, seen_well=[6, 128], confidence=0.3)
ONE = THREE.model_copy(update={"looks": 1, "image_size_px": 256})
SURE = 1 / (1 + np.exp(-3))


class Eye:
    """Finds what is bright, as a network would say it, and remembers what it was shown."""

    def __init__(self, blind_to: int = 0) -> None:
        self.blind_to, self.shown = blind_to, []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.shown.append(images)
        count, height, width = images.shape[:3]
        outputs = np.full((count, height // STRIDE, width // STRIDE, 5), -8, np.float32)
        if height == self.blind_to:
            return outputs
        for image, output in zip(images, outputs, strict=True):
            bright = (image[..., 0] > 180).astype(np.uint8)
            for left, top, wide, high, _ in cv2.connectedComponentsWithStats(bright)[2][1:]:
                box = np.array([left, top, left + wide, top + high]) / STRIDE
                column, row = ((box[:2] + box[2:]) / 2).astype(int)
                near = output[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
                rows, columns = np.indices(near.shape[:2]) + 0.5
                x, y = columns + max(column - 2, 0), rows + max(row - 2, 0)
                near[..., 1:] = np.stack([x - box[0], y - box[1], box[2] - x, box[3] - y], axis=-1)
                output[row, column, 0] = 3
        return outputs


def street(box: list[float], width: int = 1280, height: int = 720) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    left, top, right, bottom = (round(side) for side in box)
    image[top:bottom, left:right] = 240
    return image


def test_one_look_sees_the_whole_image_at_its_size() -> None:
    eye = Eye()
    found = look(street(PLATE), eye, ONE)
    assert [shown.shape for shown in eye.shown] == [(1, 160, 256, 3)]  # 256 × 144, grey up to a multiple of 32
    assert (eye.shown[0][0, 144:] == 114).all()
    np.testing.assert_allclose(found.boxes, [PLATE], atol=5)
    np.testing.assert_allclose(found.confidences, SURE, atol=1e-6)


def test_each_look_of_several_is_coarser_by_the_step() -> None:
    eye = Eye()
    found = look(street(PLATE), eye, THREE)
    assert [shown.shape[1:3] for shown in eye.shown] == [(288, 512), (160, 256), (96, 128)]
    np.testing.assert_allclose(found.boxes, [PLATE], atol=4)
    np.testing.assert_allclose(found.confidences, SURE, atol=1e-6)


def test_a_plate_that_one_of_the_looks_does_not_see_is_less_sure() -> None:
    found = look(street(PLATE), Eye(blind_to=288), THREE)
    np.testing.assert_allclose(found.boxes, [PLATE], atol=8)
    np.testing.assert_allclose(found.confidences, SURE * 2 / 3, atol=1e-6)


def test_a_image_without_a_plate() -> None:
    assert look(street([0, 0, 0, 0]), Eye(), THREE).boxes.shape == (0, 4)


def plates(*found: tuple[list[float], float]) -> Plates:
    return Plates(np.array([box for box, _ in found]).reshape(-1, 4), np.array([sure for _, sure in found]))


def test_boxes_count_by_the_square_of_their_confidence() -> None:
    looks = [plates(([10, 10, 50, 20], 0.8)), plates(([14, 10, 54, 20], 0.4), ([100, 10, 140, 20], 0.6))]
    found = vote(looks, [1, 1], [13, 134])
    np.testing.assert_allclose(found.boxes, [[10.8, 10, 50.8, 20], [100, 10, 140, 20]])
    np.testing.assert_allclose(found.confidences, [0.6, 0.3])


@pytest.mark.parametrize(("scale", "weight"), [(1, 1), (0.25, 0.2), (4, 0.2)])
def test_a_look_at_a_size_that_is_not_seen_well_says_less(scale: float, weight: float) -> None:
    """A plate 40 px wide: at scale 1 seen well, 10 and 160 px wide at the others."""
    seen, unseen = plates(([10, 10, 50, 20], 0.8)), plates()
    np.testing.assert_allclose(vote([seen, unseen], [1, scale], [13, 134]).confidences, 0.8 / (1 + weight))


def test_of_one_look_overlapping_boxes_are_one_plate() -> None:
    found = vote([plates(([10, 10, 50, 20], 0.8), ([12, 10, 50, 21], 0.7)), plates()], [1, 1], [13, 134])
    np.testing.assert_allclose(found.boxes, [[10, 10, 50, 20]])


@pytest.mark.parametrize(("scales", "middle"), [((1, 0.5), 12), ((1, 1), 13), ((4, 2), 14)])
def test_a_box_counts_by_how_wide_it_is_as_shown_up_to_what_is_seen_well(
    scales: tuple[float, float], middle: float
) -> None:
    """A plate seen well up to 80 px: 20 px wide, it counts half as much as at 40, and at 160 half as much as at 80."""
    looks = [plates(([10, 10, 50, 20], 0.8)), plates(([16, 10, 56, 20], 0.8))]
    found = vote(looks, scales, [13, 80])
    np.testing.assert_allclose(found.boxes[:, 0], middle)
