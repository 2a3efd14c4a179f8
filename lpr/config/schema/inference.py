"""How a trained detector is run on an image."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Fraction, Positive, Section


class Stretch(Section):
    """Each image is stretched to one square: for detectors that are trained on whole, stretched images."""

    name: Literal["stretch"] = Field(description="option of the group `inference`")
    image_size_px: Annotated[int, Field(ge=16, le=1024)] = Field(description="side of the square, pixels")
    confidence_threshold: Fraction = Field(description="least confidence of a box that counts as a plate")


class MultiScale(Section):
    """Each whole image is run at several scales, and the boxes are combined by weighted boxes fusion."""

    name: Literal["multiscale"] = Field(description="option of the group `inference`")
    image_size_px: Annotated[int, Field(ge=16, le=4096)] = Field(
        description="longest side of the image at the finest scale, pixels"
    )
    scales: Annotated[int, Field(ge=1, le=10)] = Field(description="number of scales; 1: the finest alone")
    scale_step: Annotated[float, Field(gt=1, le=4)] = Field(
        description="ratio of the image's size at one scale to that at the next coarser one"
    )
    plate_width_range_px: Annotated[list[Positive], Field(min_length=2, max_length=2)] = Field(
        description="least and largest width of a plate at a scale, pixels, for that scale to have full weight"
    )
    roi_confidence: Fraction | None = Field(
        description="confidence of a box at the two next coarser scales from which the finest scale is run around it, "
        "in its region of interest; null: on the whole image"
    )
    refinement_width_px: Annotated[int, Field(ge=8, le=512)] | None = Field(
        None,  # as of detectors that were exported before it was there
        description="width of a plate in the crop of the image in which its box is found once more, pixels; null: "
        "boxes stay as the scales give them",
    )
    confidence_threshold: Fraction = Field(description="least confidence of a box that counts as a plate")


Inference = Annotated[Stretch | MultiScale, Field(discriminator="name")]
