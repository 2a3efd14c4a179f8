"""How a trained detector is run on an image."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Fraction, Positive, Section


class Stretch(Section):
    """The seed's family looks at the image once, stretched to its square."""

    name: Literal["stretch"]
    image_size_px: Annotated[int, Field(ge=16, le=1024, description="side of the square, pixels")]
    confidence_threshold: Annotated[Fraction, Field(description="from which a plate counts as found")]


class MultiScale(Section):
    """The others look at the whole image, at several sizes, and put together what they find."""

    name: Literal["multiscale"]
    image_size_px: Annotated[int, Field(ge=16, le=4096, description="longest side of the finest look, pixels")]
    scales: Annotated[int, Field(ge=1, le=10)]
    scale_step: Annotated[float, Field(gt=1, le=4, description="how much coarser each look is than the one before")]
    plate_width_range_px: Annotated[
        list[Positive],
        Field(min_length=2, max_length=2, description="least and largest width of a plate, pixels as shown"),
    ]
    confidence_threshold: Annotated[Fraction, Field(description="from which a plate counts as found")]


Inference = Annotated[Stretch | MultiScale, Field(discriminator="name")]
