"""Plates drawn for the tests of the readers."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont


def plate(*lines: str, size: int = 56, small: str = "", width: int = 600) -> Image.Image:
    """A white plate of black lines of letters `size` pixels high, and perhaps small lettering underneath."""
    height = round(1.35 * size * len(lines)) + 40
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text(
            (width / 2, 20 + 1.35 * size * (row + 0.4)), line, "black", ImageFont.load_default(1.3 * size), anchor="mm"
        )
    if small:
        draw.text((width / 2, height - 16), small, "black", ImageFont.load_default(18), anchor="mm")
    draw.rectangle((2, 2, width - 3, height - 3), outline="black", width=2)
    return picture
