"""The metrics that a configuration names: built-in ones, and objects of one's own modules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lpr.config import Metrics, plugins
from lpr.config.messages import nearest
from lpr.errors import UserError
from lpr.metrics import detection_metrics, recognition_metrics
from lpr.metrics.base import DetectionCases, Metric, RecognitionCases


@dataclass(frozen=True)
class MetricTable:
    """The metrics of an experiment, in the order of tables and pages."""

    detection: tuple[Metric[DetectionCases], ...] = detection_metrics.METRICS
    recognition: tuple[Metric[RecognitionCases], ...] = recognition_metrics.METRICS

    @property
    def headlines(self) -> list[str]:
        """Of detection, and of recognition on predicted boxes: keys of the few that lists and sweeps show."""
        names = [metric.name for metric in self.detection if metric.headline]
        return names + [f"predicted/{metric.name}" for metric in self.recognition if metric.headline]


BUILT_IN = MetricTable()

DETECTION_OBJECTIVE = "mean_iou"
"""The metric by which experiments with detectors are ranked; every experiment is scored by it."""
RECOGNITION_OBJECTIVE = "plate_acc"
"""The same of recognizers."""


def load(config: Metrics) -> MetricTable:
    """The metrics that the section `metrics` names.

    A name is that of a built-in metric, or `my_package.module:NAME`, an object of a module that Python can import;
    without `:NAME`, that is called METRIC.

    Raises:
        UserError: there is no such metric, an object is none, two have the same name, or an objective is missing.
    """
    for key, names, objective in (
        ("metrics.detection", config.detection, DETECTION_OBJECTIVE),
        ("metrics.recognition", config.recognition, RECOGNITION_OBJECTIVE),
    ):
        if objective not in names:
            raise UserError(f"{key} has no {objective}, by which experiments are ranked")
    return MetricTable(
        _named(config.detection, BUILT_IN.detection, "metrics.detection"),
        _named(config.recognition, BUILT_IN.recognition, "metrics.recognition"),
    )


def union(sections: Iterable[Metrics]) -> Metrics:
    """The section `metrics` that names what any of these does, each once."""
    listed = list(sections)
    return Metrics(
        detection=list(dict.fromkeys(name for one in listed for name in one.detection)),
        recognition=list(dict.fromkeys(name for one in listed for name in one.recognition)),
    )


def _named(entries: Sequence[str], built_in: Sequence[Metric[Any]], key: str) -> tuple[Metric[Any], ...]:
    known = {metric.name: metric for metric in built_in}
    found = [known.get(entry) or _imported(entry, list(known), key) for entry in entries]
    names = [metric.name for metric in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{key}: two metrics are named {twice[0]!r}; names must differ")
    return tuple(found)


def _imported(entry: str, known: list[str], key: str) -> Metric[Any]:
    module, _, name = entry.partition(":")
    found = plugins.find(module)
    if found is None:
        near = nearest(entry, known) or known
        raise UserError(
            f"{key}: there is no metric {entry!r}; did you mean {' or '.join(map(repr, near))}? A metric of your own "
            "is named by its module and object, such as my_package.my_metrics:NAME"
        )
    metric = getattr(found, name or "METRIC", None)
    if not isinstance(metric, Metric):
        raise UserError(
            f"{key}: {entry}: the module {module} has no metric {name or 'METRIC'} (lpr.metrics.base.Metric)"
        )
    return metric
