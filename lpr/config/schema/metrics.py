"""The metrics that experiments are scored by."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from lpr.config.schema.base import Section

MetricName = Annotated[str, Field(pattern=r"^[A-Za-z_]")]


class Metrics(Section):
    """The metrics in `metrics/*.json` and in comparisons, in the order of tables and pages."""

    detection: list[MetricName] = Field(
        description="metrics of detection: names of built-in ones, or `my_package.module:NAME`, an object of your own"
    )
    recognition: list[MetricName] = Field(
        description="metrics of recognition: names of built-in ones, or `my_package.module:NAME`, an object of your own"
    )

    @model_validator(mode="after")
    def _has_the_objectives(self) -> Metrics:
        for key, name in (("detection", "mean_iou"), ("recognition", "plate_acc")):
            if name not in getattr(self, key):
                raise ValueError(f"metrics.{key} has no {name}, by which experiments are ranked")
        return self
