"""Rows of `plates.csv` for tests: one plate an image."""

from __future__ import annotations

import math

import pandas as pd

WIDTH, HEIGHT = 96, 64
PLATE = (16, 8, 48, 24)
"""Size of the images, and the box of their plate, pixels."""


def table_of(urls: dict[str, str], size: tuple[int, int] = (WIDTH, HEIGHT), source: str = "cars") -> pd.DataFrame:
    """A plate with the box `PLATE` for each of `urls` (image → URL); `size`: annotated width and height, pixels."""
    box = dict(zip(("top_x", "top_y", "bottom_x", "bottom_y"), map(float, PLATE), strict=True))
    original = {f"original_{corner}": math.nan for corner in box}
    row = {"source": source, "image_width": size[0], "image_height": size[1], **box, **original, "text": "KA01AB1234"}
    row["ignored"] = False
    return pd.DataFrame([{"image": image, "url": url, **row} for image, url in urls.items()])
