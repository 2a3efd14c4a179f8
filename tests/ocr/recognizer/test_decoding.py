"""From the network's output to characters."""

import numpy as np

from lpr.ocr.recognizer.decoding import decode
from lpr.ocr.recognizer.layout import find_layout

STRIDE = 4


def place(outputs: np.ndarray, box: tuple[float, float, float, float], character: int, logit: float = 4.0) -> None:
    """Set the output of the cell at the centre of a box, in pixels, to this character."""
    left, top, right, bottom = (edge / STRIDE for edge in box)
    x, y = (left + right) / 2, (top + bottom) / 2
    column, row = int(x), int(y)
    cell = outputs[0, row, column]
    cell[0] = logit
    cell[1:5] = column + 0.5 - left, row + 0.5 - top, right - column - 0.5, bottom - row - 0.5
    cell[5 + character] = 6.0


def test_each_character_is_found_with_its_box_and_label() -> None:
    outputs = np.full((1, 16, 48, 41), -8.0, np.float32)
    place(outputs, (10, 20, 22, 44), 3)
    place(outputs, (24, 20, 27, 44), 18)
    (found,) = decode(outputs, STRIDE, 36)
    order = np.argsort(found.boxes[:, 0])
    np.testing.assert_allclose(found.boxes[order], [(10, 20, 22, 44), (24, 20, 27, 44)], atol=1e-4)
    assert found.probabilities[order].argmax(axis=1).tolist() == [3, 18]
    assert (found.probabilities.max(axis=1) > 0.99).all()


def test_of_two_peaks_on_one_character_the_more_confident_stays() -> None:
    outputs = np.full((1, 16, 48, 41), -8.0, np.float32)
    place(outputs, (8, 20, 28, 44), 3, logit=2)
    place(outputs, (16, 20, 32, 44), 8, logit=4)
    (found,) = decode(outputs, STRIDE, 36)
    assert found.probabilities.argmax(axis=1).tolist() == [8]


def test_an_empty_crop_has_no_characters_and_no_lines() -> None:
    (found,) = decode(np.full((1, 16, 48, 41), -8.0, np.float32), STRIDE, 36)
    assert len(found.boxes) == 0
    assert find_layout(found.boxes).lines == []
