"""Random changes of the training images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Count, Fraction, Section

Jitter = Annotated[float, Field(ge=1, le=4)]


Degrees = Annotated[float, Field(ge=0, le=45)]


class StandardAugment(Section):
    """Whole training images, moved and recoloured at random; every key at its neutral value means no change."""

    name: Literal["none", "standard"] = Field(description="option of the group `augment`")
    p_flip: Fraction = Field(description="probability of a mirrored image")
    scale_jitter: Jitter = Field(description="largest factor of a zoom, in or out; 1: none")
    max_shift: Annotated[float, Field(ge=0, le=0.5)] = Field(
        description="largest shift, as a fraction of the image's side; a plate never leaves the image"
    )
    max_rotation_deg: Degrees = Field(description="largest rotation to either side, degrees")
    brightness: Fraction = Field(description="largest change of brightness, up or down, as a fraction of white")
    contrast: Fraction = Field(description="largest change of the contrast's factor from 1")
    colour: Fraction = Field(description="largest change of each colour channel's factor from 1")


class RandomCrops(Section):
    """Random square crops of the training images: around a plate or of the whole, distorted and recoloured."""

    name: Literal["random_crops"] = Field(description="option of the group `augment`")
    stored_size_px: Annotated[int, Field(ge=32, le=4096)] = Field(
        description="longest side of the images as they are held in memory to be cropped, pixels"
    )
    max_upscale: Annotated[float, Field(ge=1, le=8)] = Field(
        description="largest factor by which a crop enlarges the stored image"
    )
    p_full_image: Fraction = Field(description="probability of a crop of the whole image, rather than around a plate")
    p_background: Fraction = Field(
        description="probability that a crop of a plate's scale lies anywhere in the image, rather than on the plate"
    )
    plate_width_range: Annotated[list[Fraction], Field(min_length=2, max_length=2)] = Field(
        description="least and largest width of the plate in a crop around it, as a fraction of the crop's side"
    )
    p_mosaic: Fraction = Field(description="probability of four crops of half the size as one image")
    scale_jitter: Jitter = Field(description="largest factor of a zoom of the whole image, in or out; 1: none")
    aspect_jitter: Annotated[float, Field(ge=1, le=3)] = Field(
        description="largest factor by which one side is stretched against the other; 1: none"
    )
    max_rotation_deg: Degrees = Field(description="largest rotation to either side, degrees")
    max_perspective: Annotated[float, Field(ge=0, le=0.5)] = Field(
        description="largest perspective distortion: change of scale across the crop, as a fraction"
    )
    p_flip: Fraction = Field(description="probability of a mirrored crop")
    brightness: Fraction = Field(description="largest change of brightness, up or down, as a fraction of white")
    contrast: Fraction = Field(description="largest change of the contrast's factor from 1")
    gamma: Annotated[float, Field(ge=0, le=2)] = Field(
        description="largest natural logarithm of the gamma exponent, up or down; 0: none"
    )
    colour: Fraction = Field(description="largest change of each colour channel's factor from 1")
    p_grey: Fraction = Field(description="probability of a crop without colour")
    p_shadow: Fraction = Field(description="probability of a shadow with a straight edge")
    p_blur: Fraction = Field(description="probability of blur, by motion or by defocus, 3 to 7 pixels wide")
    p_noise: Fraction = Field(description="probability of Gaussian noise, standard deviation 2 to 16 of 255")
    p_jpeg: Fraction = Field(description="probability of JPEG compression, quality 15 to 80")
    p_paste_over: Fraction = Field(description="probability, for each plate, that a synthetic one is pasted over it")
    p_paste_extra: Fraction = Field(description="probability that one more synthetic plate is pasted somewhere")
    p_hard_negative: Fraction = Field(description="probability that lettering that is no plate is pasted somewhere")
    paste_pool_size: Count = Field(
        description="synthetic plates drawn before the training to paste from; half as many hard negatives"
    )

    @property
    def pastes(self) -> bool:
        """Whether anything is pasted at all."""
        return max(self.p_paste_over, self.p_paste_extra, self.p_hard_negative) > 0


Augment = Annotated[StandardAugment | RandomCrops, Field(discriminator="name")]
