"""Crops of plates, as OCR engines get them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

MIN_CROP_PX = 8
"""Crops of less height or width are not read: no letter is legible in fewer pixels."""


def crop(image: Image.Image, box: Sequence[float], margin: float) -> Image.Image:
    """The part of the image in `box` (left, top, right, bottom; pixels), and `margin` of the box's height around it.

    The box is clipped to the image. Where the margin reaches beyond the image, the image's edge is repeated: an engine
    that takes the margin off again would cut the plate otherwise. A box without area gives one pixel at least.
    """
    left, top, right, bottom = np.clip(box, 0, [image.width, image.height] * 2).tolist()
    around = margin * max(0.0, bottom - top)
    first_x = min(round(left - around), image.width - 1)
    first_y = min(round(top - around), image.height - 1)
    last_x = max(round(right + around), first_x + 1)
    last_y = max(round(bottom + around), first_y + 1)
    inside = max(0, first_x), max(0, first_y), min(last_x, image.width), min(last_y, image.height)
    part = image.crop(inside)
    if part.size == (last_x - first_x, last_y - first_y):
        return part
    beyond = (inside[1] - first_y, last_y - inside[3]), (inside[0] - first_x, last_x - inside[2])
    channels = [(0, 0)] * (len(part.getbands()) > 1)
    return Image.fromarray(np.pad(np.asarray(part), [*beyond, *channels], "edge"))
