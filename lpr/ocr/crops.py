"""Crops of plates, as OCR engines get them."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

MIN_CROP_PX = 8
"""Crops of less height or width are not read: no letter is legible in fewer pixels."""


def crop(image: Image.Image, box: Sequence[float], margin: float) -> Image.Image:
    """The part of the image in `box` (left, top, right, bottom; pixels), and `margin` of the box's height around it.

    What lies outside the image is cut off; a box without area gives one pixel at least.
    """
    left, top, right, bottom = box
    around = margin * max(0.0, bottom - top)
    first_x = min(max(0, round(left - around)), image.width - 1)
    first_y = min(max(0, round(top - around)), image.height - 1)
    last_x = max(min(round(right + around), image.width), first_x + 1)
    last_y = max(min(round(bottom + around), image.height), first_y + 1)
    return image.crop((first_x, first_y, last_x, last_y))
