"""Images of synthetic plates for the tests of OCR engines."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lpr.synthesis.indian_plates import choose_indian_plate, draw_indian_plate

BEHIND = (90, 92, 96)
"""The colour around a plate."""


def plate_image(size_mm: tuple[int, int], seed: int, margin: float = 0.16) -> tuple[str, Image.Image]:
    """The text of a synthetic Indian plate, and its image with `margin` of its height around it."""
    rng = np.random.default_rng(seed)
    plate = choose_indian_plate(rng, size_mm)
    art = draw_indian_plate(plate, 240, rng)
    around = round(margin * art.height)
    image = Image.new("RGB", (art.width + 2 * around, art.height + 2 * around), BEHIND)
    image.paste(art, (around, around), art)
    return plate.text, image


def plate(*lines: str, size: int = 56, small: str = "", width: int = 600) -> Image.Image:
    """A white plate of black lines of letters `size` pixels high, and perhaps small lettering underneath."""
    height = round(1.35 * size * len(lines)) + 40
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text(
            (width / 2, 20 + 1.35 * size * (row + 0.4)), line, "black", ImageFont.load_default(1.3 * size), anchor="mm"
        )
    if small:
        draw.text((width / 2, height - 16), small, "black", ImageFont.load_default(18), anchor="mm")
    draw.rectangle((2, 2, width - 3, height - 3), outline="black", width=2)
    return image
