"""The recognizer, our own OCR network, and how it is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Count, Fraction, Name, Positive, Section
from lpr.config.schema.training import Optimizer, Training


class PlateCrops(Section):
    """Drawn plates as a detector would cut them out of images: for a reader to learn from."""

    max_yaw_deg: Annotated[float, Field(ge=0, le=60, description="largest turn to the side, degrees")]
    max_pitch_deg: Annotated[float, Field(ge=0, le=60, description="largest tilt up or down, degrees")]
    max_roll_deg: Annotated[float, Field(ge=0, le=45, description="largest turn in the image, degrees; mostly 5")]
    p_rotate: Fraction = Field(description="probability of a turn of up to `roll` in the image, rather than 5 degrees")
    p_warp: Fraction = Field(description="probability of a plate that is not flat")
    p_loose_box: Fraction = Field(description="probability of a box that is much larger than the plate")
    p_no_plate: Fraction = Field(description="probability of a box without a plate")
    max_margin: Annotated[float, Field(ge=0, le=1, description="largest at a side of a loose box, of the plate's")]
    letter_height_range_px: Annotated[
        list[Positive],
        Field(min_length=2, max_length=2, description="least and largest height of letters in the image, pixels"),
    ]
    p_degraded: Fraction = Field(description="probability of more, rather than a little, of all that follows")
    p_light: Fraction = Field(description="probability of another brightness, contrast and gamma")
    p_colour: Fraction = Field(description="probability of a colour cast")
    p_grey: Fraction
    p_night: Fraction
    p_shadow: Fraction
    p_glare: Fraction
    p_blur: Fraction
    p_noise: Fraction
    p_resize: Fraction = Field(description="probability that the image was shrunk or enlarged before")
    p_sharpen: Fraction
    p_jpeg: Fraction


class Backbone(Section):
    """What `lpr.nn.backbone.features` is built by."""

    stem_channels: Annotated[
        int, Field(ge=4, le=256, description="filters of the stem; doubled at every halving, up to 8 ×")
    ]
    stage_depths: Annotated[
        list[Annotated[int, Field(ge=1, le=8)]],
        Field(min_length=4, max_length=4, description="residual blocks at strides 4, 8, 16 and 32"),
    ]
    output_stride: int = Field(description="input pixels a cell of the output")
    fpn_channels: Annotated[int, Field(ge=8, le=512, description="filters of the feature pyramid and the head")]


Shape = Annotated[
    list[Annotated[int, Field(ge=32, le=1024, multiple_of=32)]],
    Field(min_length=2, max_length=2, description="height and width, pixels"),
]


class Recognizer(Backbone):
    """The reader's own network, which finds the characters in the crop of a plate, and how it is trained."""

    name: Literal["default"]
    input_shapes_px: Annotated[
        list[Shape], Field(min_length=1, description="a crop is stretched to the one most like it")
    ]
    output_stride: Literal[4, 8] = Field(description="input pixels a cell of the output")
    synthetic_plates: Count = Field(description="drawn plates to learn from")
    held_out_plates: Count = Field(description="drawn plates to calibrate by, and as many others to be scored by")
    real_sources: list[Name] | None = Field(description="sources whose training plates are mixed in; null: none")
    p_real: Fraction = Field(description="share of the crops that show those plates, where there are any")
    init_weights: str | None = Field(
        description="a .keras of `lpr train-recognizer` whose weights it begins with; null: fresh ones"
    )
    crops: PlateCrops
    optimizer: Optimizer
    train: Training
