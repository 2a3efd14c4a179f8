"""Detection scores mean what their names say."""

import numpy as np
import pandas as pd
import pytest

from lpr.boxes import iou, pairwise_iou
from lpr.detector.scoring import detections, score_detections


def test_iou() -> None:
    whole = np.array([0, 0, 10, 10])
    assert iou(whole, whole) == 1
    assert iou(whole, np.array([5, 0, 15, 10])) == pytest.approx(1 / 3)
    assert iou(whole, np.array([20, 20, 30, 30])) == 0
    assert iou(whole, np.array([10, 10, 0, 0])) == 0
    assert iou(np.zeros(4), np.zeros(4)) == 0
    assert pairwise_iou(np.array([whole]), np.array([whole, whole + 5])).shape == (1, 2)


def plates() -> pd.DataFrame:
    rows = [
        ("a.jpg", "one", "test", 0, 10, 10, 50, 30),
        ("a.jpg", "one", "test", 1, 60, 10, 90, 30),
        ("b.jpg", "one", "test", 0, 0, 0, 20, 10),
        ("c.jpg", "two", "train", 0, 0, 0, 20, 10),
    ]
    columns = ["image", "source", "split", "plate", "top_x", "top_y", "bottom_x", "bottom_y"]
    return pd.DataFrame(rows, columns=columns).assign(width=100, height=50, text="")


def test_predictions_are_pixels_and_every_plate_has_its_iou() -> None:
    boxes = np.array([[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 0.2, 0.1], [0.5, 0.5, 0.7, 0.7]])
    table = detections(plates(), pd.Series(["a.jpg", "b.jpg", "c.jpg"]), boxes)
    assert list(table["iou"]) == [1.0, 0.0, 0.5, 0.0]
    assert list(table["predicted_bottom_y"]) == [30, 30, 5, 35]


def test_scores_are_by_source_and_split_and_over_plates() -> None:
    boxes = np.array([[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 0.2, 0.1], [0.5, 0.5, 0.7, 0.7]])
    table = detections(plates(), pd.Series(["a.jpg", "b.jpg", "c.jpg"]), boxes)
    scores = score_detections(table, plates())
    tested = scores["one"]["test"]
    assert (tested["mean_iou"]["value"], tested["mean_iou"]["n"]) == (0.5, 3)  # type: ignore[index]
    assert tested["recall@0.5"]["value"] == pytest.approx(2 / 3, abs=1e-6)  # type: ignore[index]
    assert tested["recall@0.7"]["value"] == pytest.approx(1 / 3, abs=1e-6)  # type: ignore[index]
    assert tested["seed_accuracy"]["n"] == 2  # type: ignore[index]  # a picture, not a plate
    assert scores["two"]["train"]["recall@0.5"]["value"] == 0  # type: ignore[index]


def test_seed_accuracy_is_kerass_accuracy_of_four_numbers() -> None:
    import keras

    generator = np.random.default_rng(0)
    truth = np.sort(generator.random((40, 2, 2)), axis=1).reshape(40, 4)
    predicted = np.sort(generator.random((40, 2, 2)), axis=1).reshape(40, 4)
    table = pd.DataFrame(truth * 100, columns=["top_x", "top_y", "bottom_x", "bottom_y"]).assign(
        image=[f"{n}.jpg" for n in range(40)], source="s", split="test", plate=0, text="", width=100, height=100
    )
    found = score_detections(detections(table, table["image"], predicted), table)["s"]["test"]["seed_accuracy"]
    kerass = keras.metrics.CategoricalAccuracy()
    kerass.update_state(truth, predicted)
    assert found["value"] == pytest.approx(float(kerass.result()), abs=1e-6)  # type: ignore[index]


def test_a_constant_box_in_the_corner_has_seed_accuracy_and_no_iou() -> None:
    frame = plates()
    boxes = np.tile([0.9, 0.9, 1.0, 0.95], (3, 1))
    table = detections(frame, pd.Series(["a.jpg", "b.jpg", "c.jpg"]), boxes)
    scores = score_detections(table, frame)["one"]["test"]
    assert scores["mean_iou"]["value"] == 0  # type: ignore[index]
    assert scores["seed_accuracy"]["value"] >= 0.5  # type: ignore[index]
