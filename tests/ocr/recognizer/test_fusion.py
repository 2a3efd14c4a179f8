"""Several looks at one plate, one reading."""

import numpy as np

from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.fusion import vote


def look(*found: tuple[float, float, int]) -> Characters:
    """Characters of 10 × 20 px at x, with a confidence, and surely what they are."""
    boxes = np.array([(x, 0, x + 10, 20) for x, _, _ in found], float).reshape(-1, 4)
    chances = np.full((len(found), 36), 0.1 / 35)
    for row, (_, _, character) in enumerate(found):
        chances[row, character] = 0.9
    return Characters(boxes, np.array([sure for _, sure, _ in found]), chances)


def test_what_most_looks_say_counts() -> None:
    voted = vote([look((0, 0.9, 8)), look((1, 0.9, 8)), look((0, 0.9, 11))])
    assert len(voted.boxes) == 1
    assert voted.chances.argmax() == 8
    np.testing.assert_allclose(voted.confidences, [0.9])
    np.testing.assert_allclose(voted.chances.sum(axis=1), [1])


def test_a_character_that_one_look_of_many_sees_is_none() -> None:
    voted = vote([look((0, 0.9, 8), (40, 0.9, 1)), look((0, 0.9, 8)), look((0, 0.9, 8)), look((0, 0.9, 8))])
    assert voted.boxes[:, 0].tolist() == [0]


def test_one_look_is_as_it_was_and_none_is_nothing() -> None:
    once = vote([look((0, 0.9, 8), (30, 0.5, 3))])
    assert once.boxes[:, 0].tolist() == [0, 30]
    assert once.confidences.tolist() == [0.9, 0.5]
    assert vote([look(), look()]).boxes.shape == (0, 4)
