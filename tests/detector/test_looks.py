"""One look and two, by a network that knows bright rectangles as far as it can see them."""

import cv2
import numpy as np

from lpr.config import OneLook, TwoLooks
from lpr.detector.looks import look

STRIDE = 8
PLATE = [905.0, 340.0, 985.0, 362.0]
ONE = OneLook(name="one_look", image_size=256, confidence=0.3)
TWO = TwoLooks(name="two_looks", image_size=256, confidence=0.3, candidates=3, second_size=128, plate_width=0.5)


class Eye:
    """Finds what is bright, as a network would say it, and remembers what it was shown."""

    def __init__(self, blind_to: int = 0) -> None:
        self.blind_to, self.shown = blind_to, []

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        self.shown.append(pictures)
        count, height, width = pictures.shape[:3]
        outputs = np.full((count, height // STRIDE, width // STRIDE, 5), -8, np.float32)
        if height == self.blind_to:
            return outputs
        for picture, output in zip(pictures, outputs, strict=True):
            bright = (picture[..., 0] > 180).astype(np.uint8)
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
    picture = np.full((height, width, 3), 60, np.uint8)
    left, top, right, bottom = (round(side) for side in box)
    picture[top:bottom, left:right] = 240
    return picture


def errors(picture: np.ndarray, settings: OneLook | TwoLooks) -> np.ndarray:
    found = look(picture, Eye(), settings)
    assert len(found.boxes) == 1
    return np.abs(found.boxes[0] - PLATE)


def test_the_first_look_sees_the_whole_picture_at_its_size() -> None:
    eye = Eye()
    found = look(street(PLATE), eye, ONE)
    assert [shown.shape for shown in eye.shown] == [(1, 160, 256, 3)]  # 256 × 144, grey up to a multiple of 32
    assert (eye.shown[0][0, 144:] == 114).all()
    np.testing.assert_allclose(found.boxes, [PLATE], atol=5)
    np.testing.assert_allclose(found.confidences, 1 / (1 + np.exp(-3)), atol=1e-6)


def test_a_second_look_says_better_where_the_sides_are() -> None:
    assert errors(street(PLATE), ONE).max() > 1.5
    assert errors(street(PLATE), TWO).max() < 0.8


def test_a_second_look_is_closer_but_magnifies_little() -> None:
    eye = Eye()
    look(street(PLATE), eye, TWO)
    (window,) = eye.shown[1]
    assert window.shape == (128, 128, 3)
    assert abs((window[..., 0] > 180).any(axis=0).sum() - 64) <= 4  # half of the window
    eye, tiny = Eye(), [100.0, 100.0, 110.0, 104.0]
    look(street(tiny, 256, 144), eye, TWO)
    assert (eye.shown[1][0, ..., 0] > 180).any(axis=0).sum() <= 31  # 10 px, three times as large


def test_what_the_second_look_does_not_see_is_none() -> None:
    found = look(street(PLATE), Eye(blind_to=128), TWO)
    assert len(found.boxes) == len(found.confidences) == 0


def test_a_picture_without_a_plate_needs_one_look() -> None:
    eye = Eye()
    assert len(look(street([0, 0, 0, 0]), eye, TWO).boxes) == 0
    assert len(eye.shown) == 1
