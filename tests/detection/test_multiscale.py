"""Detection at one scale and at several, by a network that finds bright rectangles; weighted boxes fusion."""

import cv2
import numpy as np
import pytest

from lpr.boxes import Detections
from lpr.config import MultiScale
from lpr.detection import families
from lpr.detection.multiscale import detect, weighted_boxes_fusion

STRIDE = 8
PLATE = [905.0, 340.0, 985.0, 362.0]
THREE = MultiScale(
    name="multiscale",
    image_size_px=512,
    scales=3,
    scale_step=2.0,
    plate_width_range_px=[6, 128],
    roi_confidence=None,
    refinement_width_px=None,
    confidence_threshold=0.3,
)
ONE = THREE.model_copy(update={"scales": 1, "image_size_px": 256})
CONFIDENCE = 1 / (1 + np.exp(-3))
CENTERNET = families.load("centernet")


class BrightRectangles:
    """A network with the outputs of the family centernet, which finds bright rectangles and keeps its inputs.

    Args:
        blind_at: height of the inputs in which it finds nothing.
    """

    def __init__(self, blind_at: int = 0) -> None:
        self.blind_at, self.inputs = blind_at, []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.inputs.append(images)
        count, height, width = images.shape[:3]
        outputs = np.full((count, height // STRIDE, width // STRIDE, 5), -8, np.float32)
        if height == self.blind_at:
            return outputs
        for image, output in zip(images, outputs, strict=True):
            bright = (image[..., 0] > 180).astype(np.uint8)
            for left, top, wide, high, _ in cv2.connectedComponentsWithStats(bright)[2][1:]:
                box = np.array([left, top, left + wide, top + high]) / STRIDE
                column, row = ((box[:2] + box[2:]) / 2).astype(int)
                around = output[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
                rows, columns = np.indices(around.shape[:2]) + 0.5
                x, y = columns + max(column - 2, 0), rows + max(row - 2, 0)
                around[..., 1:] = np.stack([x - box[0], y - box[1], box[2] - x, box[3] - y], axis=-1)
                output[row, column, 0] = 3
        return outputs


def street(box: list[float], width: int = 1280, height: int = 720) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    left, top, right, bottom = (round(side) for side in box)
    image[top:bottom, left:right] = 240
    return image


def test_one_scale_is_the_whole_image_at_its_size() -> None:
    network = BrightRectangles()
    found = detect(street(PLATE), network, CENTERNET, ONE)
    assert [images.shape for images in network.inputs] == [(1, 160, 256, 3)]  # 256 × 144, padded to a multiple of 32
    assert (network.inputs[0][0, 144:] == 114).all()
    np.testing.assert_allclose(found.boxes, [PLATE], atol=5)
    np.testing.assert_allclose(found.confidences, CONFIDENCE, atol=1e-6)


def test_each_of_several_scales_is_coarser_by_the_step() -> None:
    network = BrightRectangles()
    found = detect(street(PLATE), network, CENTERNET, THREE)
    assert [images.shape[1:3] for images in network.inputs] == [(288, 512), (160, 256), (96, 128)]
    np.testing.assert_allclose(found.boxes, [PLATE], atol=4)
    np.testing.assert_allclose(found.confidences, CONFIDENCE, atol=1e-6)


def test_a_plate_that_is_not_found_at_one_scale_has_less_confidence() -> None:
    found = detect(street(PLATE), BrightRectangles(blind_at=288), CENTERNET, THREE)
    np.testing.assert_allclose(found.boxes, [PLATE], atol=8)
    np.testing.assert_allclose(found.confidences, CONFIDENCE * 2 / 3, atol=1e-6)


def test_an_image_without_a_plate() -> None:
    assert detect(street([0, 0, 0, 0]), BrightRectangles(), CENTERNET, THREE).boxes.shape == (0, 4)


def detections(*found: tuple[list[float], float]) -> Detections:
    return Detections(np.array([box for box, _ in found]).reshape(-1, 4), np.array([score for _, score in found]))


def test_boxes_weigh_by_the_square_of_their_confidence() -> None:
    first = detections(([10, 10, 50, 20], 0.8))
    second = detections(([14, 10, 54, 20], 0.4), ([100, 10, 140, 20], 0.6))
    found = weighted_boxes_fusion([first, second], [1, 1], [13, 134])
    np.testing.assert_allclose(found.boxes, [[10.8, 10, 50.8, 20], [100, 10, 140, 20]])
    np.testing.assert_allclose(found.confidences, [0.6, 0.3])


@pytest.mark.parametrize(("scale", "weight"), [(1, 1), (0.25, 0.2), (4, 0.2)])
def test_a_scale_at_which_the_width_is_out_of_range_weighs_less(scale: float, weight: float) -> None:
    """A plate 40 px wide: within the range at scale 1; 10 and 160 px wide at the others."""
    found, nothing = detections(([10, 10, 50, 20], 0.8)), detections()
    fused = weighted_boxes_fusion([found, nothing], [1, scale], [13, 134])
    np.testing.assert_allclose(fused.confidences, 0.8 / (1 + weight))


def test_overlapping_boxes_of_one_scale_are_one_plate() -> None:
    overlapping = detections(([10, 10, 50, 20], 0.8), ([12, 10, 50, 21], 0.7))
    found = weighted_boxes_fusion([overlapping, detections()], [1, 1], [13, 134])
    np.testing.assert_allclose(found.boxes, [[10, 10, 50, 20]])


@pytest.mark.parametrize(("scales", "left"), [((1, 0.5), 12), ((1, 1), 13), ((4, 2), 14)])
def test_a_box_weighs_by_the_width_of_the_plate_at_its_scale(scales: tuple[float, float], left: float) -> None:
    """With widths up to 80 px: at 20 px, it weighs half as much as at 40, and at 160 px half as much as at 80."""
    found = [detections(([10, 10, 50, 20], 0.8)), detections(([16, 10, 56, 20], 0.8))]
    fused = weighted_boxes_fusion(found, scales, [13, 80])
    np.testing.assert_allclose(fused.boxes[:, 0], left)


def test_with_regions_of_interest_the_finest_scale_is_run_around_what_coarser_ones_found() -> None:
    settings = THREE.model_copy(update={"roi_confidence": 0.5})
    whole, regions = BrightRectangles(), BrightRectangles()
    expected = detect(street(PLATE), whole, CENTERNET, THREE)
    found = detect(street(PLATE), regions, CENTERNET, settings)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=2)
    np.testing.assert_allclose(found.confidences, expected.confidences)
    sizes = [images.shape[1:3] for images in regions.inputs]
    assert sizes[:2] == [images.shape[1:3] for images in whole.inputs[1:]]
    ((height, width),) = sizes[2:]
    assert (height % 32, width % 32) == (0, 0)
    assert 32 + 2 * 32 <= width <= 160
    assert height <= 128


def test_near_regions_are_joined_and_far_ones_are_not() -> None:
    image = street(PLATE)
    image[340:362, 1000:1080] = 240  # beside the first
    image[100:122, 100:180] = 240
    regions = BrightRectangles()
    found = detect(image, regions, CENTERNET, THREE.model_copy(update={"roi_confidence": 0.5}))
    assert len(regions.inputs) == 2 + 2
    np.testing.assert_allclose(
        sorted(found.boxes.tolist()), [[100, 100, 180, 122], PLATE, [1000, 340, 1080, 362]], atol=3
    )


def test_where_coarser_scales_find_nothing_the_finest_is_not_run() -> None:
    regions = BrightRectangles()
    found = detect(
        np.full((720, 1280, 3), 60, np.uint8), regions, CENTERNET, THREE.model_copy(update={"roi_confidence": 0.5})
    )
    assert len(found.boxes) == 0
    assert len(regions.inputs) == 2


def test_a_plate_at_the_edge_has_a_region_within_the_image() -> None:
    corner = [1200.0, 690.0, 1280.0, 716.0]
    found = detect(street(corner), BrightRectangles(), CENTERNET, THREE.model_copy(update={"roi_confidence": 0.5}))
    np.testing.assert_allclose(found.boxes, [corner], atol=4)


REFINED = THREE.model_copy(update={"refinement_width_px": 64})


def test_a_box_is_refined_in_a_crop_in_which_its_plate_has_the_width_that_was_chosen() -> None:
    network = BrightRectangles()
    found = detect(street(PLATE), network, CENTERNET, REFINED)
    assert network.inputs[-1].shape == (1, 128, 128, 3)
    bright = np.flatnonzero(network.inputs[-1][0, 64, :, 0] > 180)
    assert bright[-1] - bright[0] + 1 == pytest.approx(64, abs=3)  # the plate is 80 px wide
    np.testing.assert_allclose(found.boxes, [PLATE], atol=2)
    np.testing.assert_allclose(found.confidences, CONFIDENCE, atol=1e-6)


def test_a_box_that_its_crop_does_not_show_stays_as_it_is() -> None:
    found = detect(street(PLATE), BrightRectangles(blind_at=128), CENTERNET, REFINED)
    unrefined = detect(street(PLATE), BrightRectangles(), CENTERNET, THREE)
    np.testing.assert_allclose(found.boxes, unrefined.boxes)
    np.testing.assert_allclose(found.confidences, unrefined.confidences)


def test_a_small_image_is_enlarged_to_twice_its_size_at_most() -> None:
    network = BrightRectangles()
    found = detect(street([100.0, 60, 116, 66], 160, 120), network, CENTERNET, REFINED)
    bright = np.flatnonzero(network.inputs[-1][0, 64, :, 0] > 180)
    assert bright[-1] - bright[0] + 1 == pytest.approx(32, abs=2)
    np.testing.assert_allclose(found.boxes, [[100, 60, 116, 66]], atol=1)


def test_a_plate_that_is_wider_than_the_finest_scale_is_for_is_not_refined() -> None:
    network = BrightRectangles()
    detect(street([100.0, 200, 900, 400]), network, CENTERNET, REFINED)  # 320 px wide at the finest scale
    assert all(len(images) == 1 and images.shape[2] != images.shape[1] for images in network.inputs)
