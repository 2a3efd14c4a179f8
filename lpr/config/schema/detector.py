"""The network that finds the plates."""

from __future__ import annotations

from pydantic import Field

from lpr.config.schema.base import Count, Section


class Detector(Section):
    """The network that finds the plates. Its family adds keys of its own."""

    name: str = Field(
        description="family: a module of `lpr.detection.families`, or the dotted path of a module of your own"
    )
    image_size_px: Count = Field(description="side of the square images that it is trained on, pixels")


class AnyDetector(Detector, extra="allow"):
    """A detector of any family, whose own keys are checked later, by the family's `Settings`."""
