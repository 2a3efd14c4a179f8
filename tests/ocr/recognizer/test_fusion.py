"""Characters of several crops of one plate, fused."""

import numpy as np

from lpr.ocr.recognizer.decoding import Characters
from lpr.ocr.recognizer.fusion import weighted_boxes_fusion


def crop(*found: tuple[float, float, int]) -> Characters:
    """Characters of 10 × 20 px at x, with a confidence, and a label of probability 0.9."""
    boxes = np.array([(x, 0, x + 10, 20) for x, _, _ in found], float).reshape(-1, 4)
    probabilities = np.full((len(found), 36), 0.1 / 35)
    for row, (_, _, label) in enumerate(found):
        probabilities[row, label] = 0.9
    return Characters(boxes, np.array([confidence for _, confidence, _ in found]), probabilities)


def test_the_label_of_most_crops_is_taken() -> None:
    fused = weighted_boxes_fusion([crop((0, 0.9, 8)), crop((1, 0.9, 8)), crop((0, 0.9, 11))])
    assert len(fused.boxes) == 1
    assert fused.probabilities.argmax() == 8
    np.testing.assert_allclose(fused.confidences, [0.9])
    np.testing.assert_allclose(fused.probabilities.sum(axis=1), [1])


def test_a_character_in_one_crop_of_many_is_left_out() -> None:
    fused = weighted_boxes_fusion(
        [crop((0, 0.9, 8), (40, 0.9, 1)), crop((0, 0.9, 8)), crop((0, 0.9, 8)), crop((0, 0.9, 8))]
    )
    assert fused.boxes[:, 0].tolist() == [0]


def test_a_single_crop_is_unchanged_and_empty_ones_stay_empty() -> None:
    single = weighted_boxes_fusion([crop((0, 0.9, 8), (30, 0.5, 3))])
    assert single.boxes[:, 0].tolist() == [0, 30]
    assert single.confidences.tolist() == [0.9, 0.5]
    assert weighted_boxes_fusion([crop(), crop()]).boxes.shape == (0, 4)
