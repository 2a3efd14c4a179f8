"""The network that finds the plates."""

from __future__ import annotations

from pydantic import Field

from lpr.config.schema.base import Count, PlugIn


class Detector(PlugIn):
    """The detector; keys besides these are its family's, a module of `lpr.detection.families` or one's own."""

    image_size_px: Count = Field(description="side of the square images that it is trained on, pixels")
