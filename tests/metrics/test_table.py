"""The metrics that a configuration names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.config import Metrics
from lpr.errors import UserError
from lpr.metrics.base import DetectionCases, Metric
from lpr.metrics.detection import detections, score_detections
from lpr.metrics.table import BUILT_IN, load, union

OWN = """
from lpr.metrics.base import RatioMetric

wide = RatioMetric(
    name="wide",
    meaning="share of predicted boxes that are wider than 30 pixels",
    unit="image",
    numerators=lambda cases: (cases.confident["predicted_bottom_x"] - cases.confident["predicted_top_x"] > 30)
    .groupby(cases.confident["image"]).mean(),
    higher_is_better=False,
)
METRIC = wide
number = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `metrics_of_ones_own` that Python can import."""
    (tmp_path / "metrics_of_ones_own.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def named(*detection: str) -> Metrics:
    return Metrics(detection=["mean_iou", *detection], recognition=["plate_acc"])


def test_the_default_is_every_metric_of_the_package_in_its_order(in_root: Path) -> None:
    assert load(compose([]).metrics) == BUILT_IN


def test_every_metric_is_described() -> None:
    metrics: list[Metric] = [*BUILT_IN.detection, *BUILT_IN.recognition]
    assert len({metric.name for metric in metrics}) == len(metrics)
    for metric in metrics:
        assert metric.meaning
        assert "/" not in metric.name
        assert metric.higher_is_better or "lower is better" in metric.meaning
    assert [metric.name for metric in metrics if metric.headline] == ["mean_iou", "recall@0.5", "plate_acc"]


@pytest.mark.parametrize("entry", ["metrics_of_ones_own", "metrics_of_ones_own:wide"])
def test_a_metric_of_ones_own_is_scored_like_those_of_the_package(own: None, entry: str) -> None:
    metrics = load(named(entry)).detection
    images = pd.DataFrame({"image": ["a", "b"], "source": "s", "split": "test"})
    plates = pd.DataFrame([("a", 0, 0, 0, 40, 20)], columns=["image", "plate", *BOX_COLUMNS])
    predicted = pd.DataFrame(
        [("a", 0, 0.9, 0, 0, 40, 20), ("a", 1, 0.8, 0, 0, 9, 9), ("b", 0, 0.1, 0, 0, 99, 9)],
        columns=["image", "rank", "confidence", *PREDICTED_BOX_COLUMNS],
    )
    table = detections(plates.assign(source="s", split="test", text=""), predicted.query("confidence >= 0.5"))
    scores = score_detections(DetectionCases(table, predicted, images, 0.5), metrics)
    assert scores["s"]["test"]["wide"] == {"value": 0.5, "low": 0.5, "high": 0.5, "n": 1}
    assert list(scores["s"]["test"]) == ["mean_iou", "wide"]


def test_it_is_the_value_of_one_option(own: None, in_root: Path) -> None:
    config = compose(["metrics.detection=[mean_iou,metrics_of_ones_own:wide]"])
    assert [metric.name for metric in load(config.metrics).detection] == ["mean_iou", "wide"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("recal@0.5", "there is no metric 'recal@0.5'; did you mean 'recall@0.5'?"),
        ("my_package.nowhere:WIDE", "there is no metric 'my_package.nowhere:WIDE'"),
        ("metrics_of_ones_own:high", "the module metrics_of_ones_own has no metric high"),
        ("metrics_of_ones_own:number", "the module metrics_of_ones_own has no metric number"),
        ("mean_iou", "two metrics are named 'mean_iou'"),
    ],
)
def test_what_is_no_metric_is_refused_by_name(own: None, entry: str, message: str) -> None:
    with pytest.raises(UserError, match=r"metrics\.detection: ") as refused:
        load(named(entry))
    assert message in str(refused.value)


def test_experiments_of_different_metrics_are_compared_by_all_of_them() -> None:
    both = union([named("AP50", "recall@0.5"), named("recall@0.5", "recall@0.7")])
    assert both == Metrics(detection=["mean_iou", "AP50", "recall@0.5", "recall@0.7"], recognition=["plate_acc"])


def test_the_metrics_by_which_experiments_are_ranked_are_asked_for() -> None:
    with pytest.raises(UserError, match=r"metrics\.detection has no mean_iou, by which experiments are ranked"):
        load(Metrics(detection=["recall@0.5"], recognition=["plate_acc"]))
    with pytest.raises(UserError, match=r"metrics\.recognition has no plate_acc, by which experiments are ranked"):
        load(Metrics(detection=["mean_iou"], recognition=["char_acc"]))
