"""The metrics of detection that come with the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS, iou
from lpr.metrics.average_precision import AveragePrecision
from lpr.metrics.base import DetectionCases, Metric, RatioMetric

if TYPE_CHECKING:
    import pandas as pd

_MATCH_IOU = 0.5


def _found(threshold: float) -> Callable[[DetectionCases], pd.Series]:
    return lambda cases: cases.plates["iou"] >= threshold


def _false_positives(cases: DetectionCases) -> pd.Series:
    """The number of confident predictions that match no plate, by image."""
    pairs = cases.confident.merge(cases.plates[["image", *BOX_COLUMNS]], on="image", how="left")
    pairs["iou"] = iou(pairs[BOX_COLUMNS].to_numpy(float), pairs[PREDICTED_BOX_COLUMNS].to_numpy(float))
    best = pairs.groupby(["image", "rank"])["iou"].max()
    return (best < _MATCH_IOU).groupby("image").sum().reindex(cases.images["image"], fill_value=0)


def _same_largest_coordinate(cases: DetectionCases) -> pd.Series:
    """Of the largest plate of each image: whether the largest of its four coordinates is the predicted box's, too."""
    import pandas as pd

    from lpr.data.plates import largest_plates

    largest = largest_plates(cases.plates).set_index("image")
    sides = cases.images.set_index("image").loc[largest.index, ["width", "height", "width", "height"]].to_numpy(float)
    true, predicted = (largest[columns].to_numpy(float) / sides for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    # Of a missing box, argmax gives the first corner, which is never a true box's largest coordinate.
    return pd.Series(true.argmax(axis=1) == predicted.argmax(axis=1), largest.index)


METRICS: tuple[Metric[DetectionCases], ...] = (
    RatioMetric(
        name="mean_iou",
        meaning="IoU of the predicted and the true box, mean over plates: 1 for equal boxes, 0 for disjoint ones",
        unit="plate",
        numerators=lambda cases: cases.plates["iou"],
        headline="mean IoU",
    ),
    RatioMetric(
        name="recall@0.5",
        meaning="share of plates found with an IoU of at least 0.5",
        unit="plate",
        numerators=_found(0.5),
        headline="plates found",
    ),
    RatioMetric(
        name="recall@0.7",
        meaning="share of plates found with an IoU of at least 0.7",
        unit="plate",
        numerators=_found(0.7),
    ),
    AveragePrecision(
        name="AP50",
        meaning="COCO's average precision at an IoU of 0.5: the mean precision over recalls of 0, 0.01, …, 1",
        thresholds=1,
    ),
    AveragePrecision(
        name="AP50:95",
        meaning="the same, mean over IoUs of 0.5, 0.55, …, 0.95: boxes that fit closely score more",
        thresholds=10,
    ),
    RatioMetric(
        name="false_positives_per_image",
        meaning="confident predictions per image whose IoU with every true plate is below 0.5; lower is better",
        unit="image",
        numerators=_false_positives,
        higher_is_better=False,
    ),
    RatioMetric(
        name="keras_accuracy",
        meaning=(
            "Keras's accuracy on four regressed numbers: share of images in which the largest of the four coordinates "
            "is the same one in the true and the predicted box; it does not measure where the plate is"
        ),
        unit="image",
        numerators=_same_largest_coordinate,
        compared=False,
    ),
)
