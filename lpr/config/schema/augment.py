"""Random changes of the training images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Count, Fraction, Section


class StandardAugment(Section):
    """Random changes of the training images; every key at its neutral value means none."""

    name: Literal["none", "standard"]
    p_flip: Fraction = Field(description="probability of a mirrored image")
    scale_jitter: Annotated[float, Field(ge=1, le=4, description="largest zoom, in or out")]
    max_shift: Annotated[float, Field(ge=0, le=0.5, description="largest move, as a fraction of the side")]
    max_rotation_deg: Annotated[float, Field(ge=0, le=45, description="largest turn, degrees")]
    brightness: Fraction
    contrast: Fraction
    colour: Fraction


class RandomCrops(Section):
    """Training on random views of the images: zoomed on a plate or whole, in another light, by another camera."""

    name: Literal["random_crops"]
    stored_size_px: Annotated[int, Field(ge=32, le=4096, description="longest side of the images as kept, pixels")]
    max_upscale: Annotated[float, Field(ge=1, le=8, description="most that a view magnifies the image as kept")]
    p_full_image: Fraction = Field(description="probability of a view of the whole image rather than around a plate")
    p_background: Fraction = Field(description="probability of a zoomed view of any place rather than of a plate")
    plate_width_range: Annotated[
        list[Fraction], Field(min_length=2, max_length=2, description="of a zoomed view's side")
    ]
    p_mosaic: Fraction = Field(description="probability of four views of half the size as one")
    scale_jitter: Annotated[float, Field(ge=1, le=4, description="largest zoom of a whole view, in or out")]
    aspect_jitter: Annotated[float, Field(ge=1, le=3, description="largest stretch of one side against the other")]
    max_rotation_deg: Annotated[float, Field(ge=0, le=45, description="largest turn, degrees")]
    max_perspective: Annotated[float, Field(ge=0, le=0.5)]
    p_flip: Fraction
    brightness: Fraction
    contrast: Fraction
    gamma: Annotated[float, Field(ge=0, le=2, description="largest logarithm of the exponent")]
    colour: Fraction
    p_grey: Fraction
    p_shadow: Fraction
    p_blur: Fraction
    p_noise: Fraction
    p_jpeg: Fraction
    p_paste_over: Fraction = Field(description="probability for each plate that a drawn one is pasted over it")
    p_paste_extra: Fraction = Field(description="probability of one more plate, pasted anywhere")
    p_hard_negative: Fraction = Field(description="probability of pasted lettering that is no plate")
    paste_pool_size: Count = Field(description="drawn plates to paste from")

    @property
    def pastes(self) -> bool:
        """Whether anything is pasted at all."""
        return max(self.p_paste_over, self.p_paste_extra, self.p_hard_negative) > 0
