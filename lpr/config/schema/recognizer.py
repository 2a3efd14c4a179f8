"""The recognizer, our own OCR network, and how it is trained."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lpr.config.schema.base import Count, Fraction, LocalPath, Name, Positive, Section
from lpr.config.schema.training import Optimizer, Training
from lpr.plates.text import CHARACTERS, normalize

Tilt = Annotated[float, Field(ge=0, le=60)]


class PlateCrops(Section):
    """Crops of synthetic plates, as a detector would cut them out of images: what the recognizer is trained on."""

    max_yaw_deg: Tilt = Field(description="largest rotation about the plate's vertical axis, degrees")
    max_pitch_deg: Tilt = Field(description="largest rotation about the plate's horizontal axis, degrees")
    max_roll_deg: Annotated[float, Field(ge=0, le=45)] = Field(
        description="largest rotation in the image plane, degrees, for the share `p_rotate`; for the others 5 degrees"
    )
    p_rotate: Fraction = Field(description="probability of a rotation of up to `max_roll_deg`, rather than 5 degrees")
    p_warp: Fraction = Field(description="probability of a plate that is bent")
    p_loose_box: Fraction = Field(description="probability of a box that may be much larger than the plate")
    p_no_plate: Fraction = Field(description="probability of a crop that shows no plate")
    max_margin: Fraction = Field(
        description="largest margin on each side of a loose box, as a fraction of the plate's width or height"
    )
    p_image_edge: Fraction = Field(
        description="probability of a plate at the edge of the image, which is repeated beyond it"
    )
    letter_height_range_px: Annotated[list[Positive], Field(min_length=2, max_length=2)] = Field(
        description="least and largest height of the letters in the crop, before it is stretched, pixels"
    )
    p_degraded: Fraction = Field(
        description="probability that the changes of light, colour and sharpness in a crop are strong ones"
    )
    p_light: Fraction = Field(description="probability of changed brightness, contrast and gamma")
    p_colour: Fraction = Field(description="probability of a colour cast and changed saturation")
    p_grey: Fraction = Field(description="probability of a crop without colour")
    p_night: Fraction = Field(description="probability of the warm light of lamps at night")
    p_shadow: Fraction = Field(description="probability of a shadow with a soft or hard edge")
    p_glare: Fraction = Field(description="probability of a bright reflection")
    p_blur: Fraction = Field(description="probability of blur, by defocus or by motion")
    p_noise: Fraction = Field(description="probability of Gaussian noise")
    p_resize: Fraction = Field(description="probability that the crop is shrunk or enlarged once more")
    p_sharpen: Fraction = Field(description="probability of sharpening, as cameras do")
    p_jpeg: Fraction = Field(description="probability of JPEG compression")


class Backbone(Section):
    """A residual network with a feature pyramid (`lpr.nn.backbone.features`)."""

    stem_channels: Annotated[int, Field(ge=4, le=256)] = Field(
        description="filters of the stem, at stride 2; doubled at every halving, up to 8 ×"
    )
    stage_depths: Annotated[list[Annotated[int, Field(ge=1, le=8)]], Field(min_length=4, max_length=4)] = Field(
        description="residual blocks at strides 4, 8, 16 and 32"
    )
    output_stride: int = Field(
        description="pixels of the input, along each side, that one cell of the output stands for"
    )
    fpn_channels: Annotated[int, Field(ge=8, le=512)] = Field(description="filters of the feature pyramid and the head")


Shape = Annotated[list[Annotated[int, Field(ge=32, le=1024, multiple_of=32)]], Field(min_length=2, max_length=2)]


def _is_alphabet(alphabet: str) -> str:
    twice = [character for character, count in Counter(alphabet).items() if count > 1]
    if not alphabet.isalnum():
        problem = "should have letters and digits alone"
    elif not alphabet.startswith(CHARACTERS):
        problem = f"should begin with {CHARACTERS}, in which synthetic plates are lettered"
    elif twice:
        problem = f"should have each character once, but has {', '.join(twice)} more often"
    elif (normal := normalize(alphabet)) != alphabet:
        problem = f"should be in the normal form of true texts, as {normal!r} is"
    else:
        return alphabet
    raise PydanticCustomError("alphabet", "{problem}", {"problem": problem})


class Recognizer(Backbone):
    """The recognizer, our own OCR network, which finds the characters in the crop of a plate, and its training."""

    name: Literal["default"] = Field(description="option of the group `recognizer`")
    input_shapes_px: Annotated[list[Shape], Field(min_length=1)] = Field(
        description="heights and widths of the input, pixels; a crop is stretched to the shape nearest to its own"
    )
    output_stride: Literal[4, 8]
    alphabet: Annotated[str, AfterValidator(_is_alphabet)] = Field(
        description="characters that it tells apart: 0–9, A–Z, and any others, letters or digits, which it learns from "
        "real plates alone"
    )
    synthetic_plates: Count = Field(description="number of synthetic plates that it is trained on")
    held_out_plates: Count = Field(
        description="number of other synthetic plates that confidences are calibrated by, and of others for its scores"
    )
    real_sources: list[Name] | Literal["all"] | None = Field(
        description="sources whose training plates with a known text are trained on, too; all of them, or null: none"
    )
    p_real: Fraction = Field(description="probability that a crop is of such a plate, if there are any")
    init_weights: Annotated[str | None, LocalPath()] = Field(
        description="`.keras` file of `lpr train-recognizer` whose weights the training starts from; null: random ones"
    )
    crops: PlateCrops
    optimizer: Optimizer
    train: Training
