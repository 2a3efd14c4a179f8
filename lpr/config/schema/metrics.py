"""The metrics that experiments are scored by."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
