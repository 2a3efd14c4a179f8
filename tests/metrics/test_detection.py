"""The tables and scores of detection, against values counted by hand or by COCO's own programs."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, PREDICTED_BOX_COLUMNS, Detections, iou, pairwise_iou
from lpr.metrics.base import DetectionCases
from lpr.metrics.detection import (
    detections,
    predictions,
    score_detections,
    score_sources_by_boxes,
    without_ignored,
)
from lpr.metrics.detection_metrics import METRICS
from lpr.metrics.label_margins import Margins, fit_margins
from lpr.metrics.matching import match_predictions


def test_iou() -> None:
    whole = np.array([0, 0, 10, 10])
    assert iou(whole, whole) == 1
    assert iou(whole, np.array([5, 0, 15, 10])) == pytest.approx(1 / 3)
    assert iou(whole, np.array([20, 20, 30, 30])) == 0
    assert iou(whole, np.array([10, 10, 0, 0])) == 0
    assert iou(np.zeros(4), np.zeros(4)) == 0
    assert pairwise_iou(np.array([whole]), np.array([whole, whole + 5])).shape == (1, 2)


IMAGES_CSV = pd.DataFrame(
    [("a.jpg", "one", "test"), ("b.jpg", "one", "test"), ("c.jpg", "two", "train"), ("empty.jpg", "two", "train")],
    columns=["image", "source", "split"],
).assign(width=100, height=50)
TRUE = pd.DataFrame(
    [
        ("a.jpg", "one", "test", 0, 10, 10, 50, 30),
        ("a.jpg", "one", "test", 1, 60, 10, 90, 30),
        ("b.jpg", "one", "test", 0, 0, 0, 20, 10),
        ("c.jpg", "two", "train", 0, 0, 0, 20, 10),
    ],
    columns=["image", "source", "split", "plate", *BOX_COLUMNS],
).assign(text="")
ONE_EACH = [[10, 10, 50, 30], [0, 0, 20, 5], [50, 25, 70, 35], [0, 0, 20, 10]]


def found(boxes: Any, confidences: Any) -> Detections:
    return Detections(np.array(boxes, float).reshape(-1, 4), np.array(confidences, float).reshape(-1))


def scored(each: list[Detections], confidence: float = 0.0, plates: pd.DataFrame = TRUE) -> dict[str, Any]:
    """The scores of what was found in a.jpg, b.jpg, c.jpg and empty.jpg."""
    table = predictions(IMAGES_CSV, each)
    matched = detections(plates, table[table["confidence"] >= confidence])
    return score_detections(DetectionCases(matched, table, IMAGES_CSV, confidence))


def values(scores: dict[str, Any]) -> dict[str, float]:
    return {name: score["value"] for name, score in scores.items()}


def one_each(boxes: list[list[float]]) -> list[Detections]:
    return [found(box, 1) for box in boxes]


def test_predictions_are_a_row_a_plate_best_first_and_none_where_none_is_found() -> None:
    every = [found([[1, 2, 3, 4], [5, 6, 7, 8.00049]], [0.9, 0.4]), found([], []), found([np.nan] * 4, 1)]
    table = predictions(IMAGES_CSV, [*every, found([0, 0, 1, 1], 0.1)])
    assert table[["image", "rank", "confidence"]].to_numpy().tolist() == [
        ["a.jpg", 0, 0.9],
        ["a.jpg", 1, 0.4],
        ["empty.jpg", 0, 0.1],
    ]
    assert table[PREDICTED_BOX_COLUMNS].iloc[1].tolist() == [5, 6, 7, 8]
    assert table["split"].tolist() == ["test", "test", "train"]


def test_every_plate_has_its_best_prediction() -> None:
    a = found([[0, 0, 5, 5], [60, 10, 90, 30], [10, 10, 50, 20], [10, 10, 50, 30]], [0.9, 0.8, 0.7, 0.2])
    table = predictions(IMAGES_CSV, [a, found([], []), found([50, 25, 70, 35], 0.6), found([0, 0, 9, 9], 0.9)])
    every = detections(TRUE, table)
    assert every["iou"].tolist() == [1, 1, 0, 0]
    assert every["confidence"].fillna(-1).tolist() == [0.2, 0.8, -1, 0.6]
    assert every.loc[2, PREDICTED_BOX_COLUMNS].isna().all()
    assert every.loc[3, PREDICTED_BOX_COLUMNS].tolist() == [50, 25, 70, 35]
    confident = detections(TRUE, table[table["confidence"] >= 0.3])
    assert confident["iou"].tolist() == [0.5, 1, 0, 0]


def test_scores_are_by_source_and_split_and_over_plates() -> None:
    scores = scored(one_each(ONE_EACH))
    tested = scores["one"]["test"]
    assert (tested["mean_iou"]["value"], tested["mean_iou"]["n"]) == (0.5, 3)
    assert tested["recall@0.5"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert tested["recall@0.7"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert {tested[name]["n"] for name in ("keras_accuracy", "AP50", "AP50:95", "false_positives_per_image")} == {
        2
    }  # images
    assert scores["two"]["train"]["recall@0.5"]["value"] == 0


def test_exact_boxes_have_every_score_at_its_best() -> None:
    two, nothing = found([[10, 10, 50, 30], [60, 10, 90, 30]], [0.9, 0.8]), found([], [])
    scores = scored([two, found([0, 0, 20, 10], 0.7), found([0, 0, 20, 10], 0.6), nothing], confidence=0.5)
    best = {"mean_iou": 1, "recall@0.5": 1, "recall@0.7": 1, "AP50": 1, "AP50:95": 1, "false_positives_per_image": 0}
    for part in (scores["one"]["test"], scores["two"]["train"]):
        assert values(part) == best | {"keras_accuracy": 1}
        assert (part["AP50"]["low"], part["AP50"]["high"]) == (1, 1)


def test_average_precision_of_one_plate_in_three() -> None:
    """34 of COCO's 101 recalls, 0 to 0.33, are reached, all with a precision of 1."""
    scores = scored([found([10, 10, 50, 30], 0.9), found([], []), found([], []), found([], [])])["one"]["test"]
    assert values(scores)["AP50"] == values(scores)["AP50:95"] == pytest.approx(34 / 101, abs=1e-6)
    assert scores["AP50"]["low"] == 0  # of samples in which only b.jpg is
    assert scores["AP50"]["high"] == pytest.approx(51 / 101, abs=1e-6)  # only a.jpg


def test_a_loose_box_counts_at_the_low_thresholds_alone() -> None:
    """IoU 0.6, which is enough at 0.5, 0.55 and 0.6 of the ten."""
    loose = [found([], []), found([], []), found([0, 0, 20, 6], 0.9), found([], [])]
    assert values(scored(loose)["two"]["train"])["AP50:95"] == pytest.approx(0.3)


def test_a_false_positive_costs_precision_if_it_is_more_confident_than_a_true_one() -> None:
    def of(confidence: float) -> dict[str, float]:
        nothing, false = found([], []), found([0, 0, 9, 9], confidence)
        return values(scored([nothing, nothing, found([0, 0, 20, 10], 0.8), false], confidence=0.3)["two"]["train"])

    assert (of(0.9)["AP50"], of(0.9)["false_positives_per_image"]) == (0.5, 0.5)
    assert (of(0.7)["AP50"], of(0.7)["false_positives_per_image"]) == (1, 0.5)
    assert (of(0.2)["AP50"], of(0.2)["false_positives_per_image"]) == (1, 0)


def test_false_positives_match_no_plate_at_all() -> None:
    """Both boxes of a.jpg hit one plate; one of b.jpg's three overlaps its plate by less than half."""
    a, b = [[10, 10, 50, 30], [10, 10, 50, 28]], [[0, 0, 20, 10], [0, 0, 20, 4], [70, 30, 90, 40]]
    scores = scored([found(a, [0.9, 0.8]), found(b, [0.9, 0.8, 0.7]), found([], []), found([], [])])
    assert (
        values(scores["one"]["test"])["false_positives_per_image"],
        scores["one"]["test"]["false_positives_per_image"]["n"],
    ) == (1, 2)


def test_images_without_plates_have_false_positives_alone() -> None:
    scores = scored(one_each(ONE_EACH), plates=TRUE[TRUE["source"] == "one"])
    assert values(scores["two"]["train"]) == {"false_positives_per_image": 1}


def test_predictions_of_what_is_ignored_are_left_out_unless_they_match_a_plate() -> None:
    """In an ignored box around the second plate of a.jpg: that plate, another, half of one that lies half outside."""
    inside, half, less = [50, 12, 58, 20], [46, 30, 54, 38], [43, 30, 53, 38]
    each = [found([[60, 10, 90, 30], inside, half, less], [0.9, 0.8, 0.7, 0.6]), *[found([], [])] * 3]
    table = predictions(IMAGES_CSV, each)
    ignored = TRUE[:1].assign(top_x=50, top_y=5, bottom_x=95, bottom_y=40)
    assert without_ignored(table, TRUE, ignored)["confidence"].tolist() == [0.9, 0.6]
    assert without_ignored(table, TRUE, ignored.assign(image="b.jpg"))["confidence"].tolist() == [0.9, 0.8, 0.7, 0.6]


def cocos(plates: pd.DataFrame, every: pd.DataFrame) -> tuple[float, float]:
    """AP50 and AP50:95 of images that all show plates, as pycocotools' own programs have them."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def listed(rows: pd.DataFrame, columns: list[str]) -> list[dict[str, Any]]:
        corners = rows[columns].to_numpy()
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        facts = {"category_id": 1, "iscrowd": 0, "area": 1.0}
        return [
            {"id": n, "image_id": row["image"], "bbox": box.tolist(), "score": row.get("confidence"), **facts}
            for n, (row, box) in enumerate(zip(rows.to_dict("records"), boxes, strict=True), start=1)
        ]

    truth = COCO()
    names = [{"id": image} for image in plates["image"].unique()]
    truth.dataset = {"images": names, "categories": [{"id": 1}], "annotations": listed(plates, BOX_COLUMNS)}
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(listed(every, PREDICTED_BOX_COLUMNS)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return float(evaluation.stats[1]), float(evaluation.stats[0])


def test_average_precision_is_cocos_of_a_sample_and_of_what_is_drawn_of_it() -> None:
    random = np.random.default_rng(0)
    corner, names = random.uniform(0, 60, (90, 2)), [f"{index // 3:02}.jpg" for index in range(90)]
    true = pd.DataFrame(np.hstack([corner, corner + 30]), columns=BOX_COLUMNS).assign(image=names)
    moved = true[BOX_COLUMNS].to_numpy() + random.normal(0, 3, (90, 4))
    every = pd.DataFrame(moved, columns=PREDICTED_BOX_COLUMNS).assign(image=names, confidence=random.random(90))
    true, every = true[np.arange(90) % 5 > 0], every[np.arange(90) % 7 > 0]
    images = sorted(set(names))
    named = pd.DataFrame({"image": images})
    scores = {
        metric.name: metric.score(DetectionCases(true, every, named, 0)) for metric in METRICS if "AP" in metric.name
    }
    assert scores["AP50"]
    assert scores["AP50:95"]
    assert (scores["AP50"].value, scores["AP50:95"].value) == pytest.approx(cocos(true, every))
    assert scores["AP50:95"].low < scores["AP50:95"].value < scores["AP50:95"].high

    drawn = random.integers(30, size=30)
    copies = [
        pd.concat([rows[rows["image"] == images[one]].assign(image=f"copy{n}") for n, one in enumerate(drawn)])
        for rows in (true, every)
    ]
    precision = match_predictions(true, every, images).precision(np.bincount(drawn, minlength=30))
    assert (precision[0], precision.mean()) == pytest.approx(cocos(*copies))


def test_keras_accuracy_is_kerass_accuracy_of_four_numbers() -> None:
    import keras

    generator = np.random.default_rng(0)
    truth = np.sort(generator.random((40, 2, 2)), axis=1).reshape(40, 4)
    predicted = np.sort(generator.random((40, 2, 2)), axis=1).reshape(40, 4)
    table = pd.DataFrame(truth * 100, columns=["top_x", "top_y", "bottom_x", "bottom_y"]).assign(
        image=[f"{n}.jpg" for n in range(40)], source="s", split="test", plate=0, text="", width=100, height=100
    )
    every = predictions(table, [found(box * 100, 1) for box in predicted])
    accuracy = score_detections(DetectionCases(detections(table, every), every, table, 0))["s"]["test"][
        "keras_accuracy"
    ]
    kerass = keras.metrics.CategoricalAccuracy()
    kerass.update_state(truth, predicted)
    assert accuracy["value"] == pytest.approx(float(kerass.result()), abs=1e-6)  # type: ignore[index]


def test_a_constant_box_in_the_corner_has_keras_accuracy_and_no_iou() -> None:
    scores = values(scored(one_each([[90, 45, 100, 47.5]] * 4))["one"]["test"])
    assert scores["mean_iou"] == 0
    assert scores["keras_accuracy"] >= 0.5


def test_a_plate_that_is_not_found_is_no_hit_of_keras_accuracy() -> None:
    nothing = [found([], [])] * 4
    assert values(scored(nothing)["one"]["test"]) == dict.fromkeys(
        ("mean_iou", "recall@0.5", "recall@0.7", "AP50", "AP50:95", "false_positives_per_image", "keras_accuracy"), 0
    )


# Two boxes of the same plates, an original and an override box.

MARGINS = Margins(left=0.1, top=0.25, right=0.05, bottom=0.5)


def overridden_plates(split: str, names: list[str]) -> pd.DataFrame:
    """Plates of 40 × 20 pixels, whose original boxes are 46 × 35, in images of 200 × 100."""
    corners = np.array([[50.0 + 3 * n, 20 + 2 * n] for n in range(len(names))])
    boxes = np.hstack([corners, corners + np.array([40, 20])])
    plates = pd.DataFrame(boxes, columns=BOX_COLUMNS).assign(image=names, source="cars", split=split, plate=0, text="")
    plates[ORIGINAL_BOX_COLUMNS] = boxes + np.array([-4, -5, 2, 10])
    return plates.assign(width=200, height=100)


def two_boxes(trained: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plates and images: override boxes to train on; to test, images with one, without, of either, without plates."""
    plates = overridden_plates("train", [f"{n}.jpg" for n in range(trained)])
    tested = pd.concat(
        [overridden_plates("test", [name]) for name in ("tight.jpg", "loose.jpg", "mixed.jpg", "mixed.jpg")]
    )
    tested = tested.reset_index(drop=True).assign(plate=[0, 0, 0, 1])
    tested.loc[3, ORIGINAL_BOX_COLUMNS] += [70, 0, 70, 0]
    tested.loc[[1, 3], BOX_COLUMNS] = tested.loc[[1, 3], ORIGINAL_BOX_COLUMNS].to_numpy()
    tested.loc[[1, 3], ORIGINAL_BOX_COLUMNS] = np.nan
    plates = pd.concat([plates, tested], ignore_index=True)
    images = pd.concat([plates, plates.tail(1).assign(image="nothing.jpg")]).drop_duplicates("image")
    return plates, images[["image", "source", "split", "width", "height"]]


def scored_by_boxes(plates: pd.DataFrame, images: pd.DataFrame, metrics: Any = METRICS) -> dict[str, Any]:
    """The scores of a detector that finds tight boxes, not all of each, and something where nothing is."""
    known = {"loose.jpg": [50, 20, 90, 40], "mixed.jpg": [50, 20, 90, 32], "nothing.jpg": [195, 90, 200, 100]}
    tight = plates.set_index("image")[BOX_COLUMNS]
    each = [found(known.get(name) or tight.loc[name], 0.9) for name in images["image"]]
    return score_sources_by_boxes(plates, predictions(images, each), images, 0.5, metrics)


def test_the_margins_around_boxes_are_found_though_some_plates_have_others() -> None:
    plates = overridden_plates("train", [f"{n}.jpg" for n in range(20)])
    boxes, own = plates[BOX_COLUMNS].to_numpy(), plates[ORIGINAL_BOX_COLUMNS].to_numpy()
    sizes = plates[["width", "height"]].to_numpy(float)
    assert fit_margins(boxes, own, sizes) == MARGINS
    own[:3] += [-3, 4, 9, -6]
    fitted = fit_margins(boxes, own, sizes)
    assert np.array([*vars(fitted).values()]) == pytest.approx([*vars(MARGINS).values()], abs=0.02)
    assert iou(fitted.around(boxes, sizes), own).mean() >= iou(MARGINS.around(boxes, sizes), own).mean()


def test_the_margins_are_those_of_the_highest_mean_iou_and_not_the_medians() -> None:
    """Of two plates in five, both boxes are equal; of the others the original is wider by a tenth on the right."""
    boxes = np.tile([50.0, 20, 90, 40], (5, 1))
    wider = boxes + [[0, 0, 40 * right, 0] for right in (0, 0, 0.1, 0.2, 0.3)]
    fitted = fit_margins(boxes, wider, np.tile([200, 100], (5, 1)))
    rights = np.linspace(0, 0.3, 301)
    mean = [np.mean([min(1 + r, 1 + x) / max(1 + r, 1 + x) for x in (0, 0, 0.1, 0.2, 0.3)]) for r in rights]
    assert fitted.right == pytest.approx(rights[np.argmax(mean)], abs=0.002)
    assert (fitted.left, fitted.top, fitted.bottom) == pytest.approx((0, 0, 0), abs=0.002)


def test_boxes_are_widened_within_their_image() -> None:
    wide = MARGINS.around(np.array([[50.0, 20, 90, 40], [0, 80, 200, 100]]), np.array([[200, 100], [200, 100]]))
    assert wide.tolist() == [[46, 15, 92, 50], [0, 75, 200, 100]]


def test_a_source_with_override_boxes_is_scored_by_either_kind() -> None:
    scores = scored_by_boxes(*two_boxes())
    assert set(scores) == {"cars_override_boxes", "cars_original_boxes"}
    override, original = (scores[name]["test"] for name in ("cars_override_boxes", "cars_original_boxes"))
    # tight.jpg and nothing.jpg: an image with a plate that has no override box is left out whole.
    assert (override["mean_iou"]["value"], override["mean_iou"]["n"]) == (1, 1)
    assert (
        override["false_positives_per_image"]["value"],
        override["false_positives_per_image"]["n"],
        override["AP50"]["n"],
    ) == (0.5, 2, 2)
    # The four plates by their original boxes: two found exactly, one cut to 0.6 of its height, one missed.
    assert (original["mean_iou"]["value"], original["mean_iou"]["n"]) == (0.65, 4)
    assert (original["recall@0.5"]["value"], original["recall@0.7"]["value"]) == (0.75, 0.5)
    assert (
        original["false_positives_per_image"]["value"],
        original["false_positives_per_image"]["n"],
        original["AP50"]["n"],
    ) == (
        0.25,
        4,
        4,
    )
    assert original.keys() == override.keys() >= {"AP50", "AP50:95"}
    assert scores["cars_original_boxes"]["margins"] == {**vars(MARGINS), "plates": 12}
    assert scores["cars_original_boxes"]["train"]["mean_iou"]["value"] == 1


def test_margins_are_fitted_to_the_training_plates_alone(capsys: pytest.CaptureFixture[str]) -> None:
    plates, images = two_boxes()
    fitted = scored_by_boxes(plates, images, [])["cars_original_boxes"]["margins"]
    assert "12 training plates: left 0.1, top 0.25, right 0.05, bottom 0.5" in capsys.readouterr().out
    for side, same in (("test", True), ("train", False)):
        other = plates.copy()
        other.loc[plates["split"] == side, ORIGINAL_BOX_COLUMNS] += [-2.0, -2, 2, 2]
        assert (scored_by_boxes(other, images, [])["cars_original_boxes"]["margins"] == fitted) == same
    validated = plates["image"].isin(["0.jpg", "1.jpg"])
    plates.loc[validated, ORIGINAL_BOX_COLUMNS] += [-9.0, -9, 9, 9]
    plates.loc[validated, "split"] = "validation"
    again = scored_by_boxes(plates, plates.drop_duplicates("image"), [])["cars_original_boxes"]
    assert again["margins"] == {**fitted, "plates": 10}
    assert "validation" in again


def test_too_few_training_plates_with_both_boxes_give_no_scores_by_original_boxes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(scored_by_boxes(*two_boxes(trained=9), [])) == {"cars_override_boxes"}
    assert "cars: no scores by original boxes: 9 of its training plates" in capsys.readouterr().out


def test_a_source_without_override_boxes_has_no_more_scores() -> None:
    plates = TRUE.assign(**dict.fromkeys(ORIGINAL_BOX_COLUMNS, np.nan))
    assert score_sources_by_boxes(plates, predictions(IMAGES_CSV, one_each(ONE_EACH)), IMAGES_CSV, 0) == {}
