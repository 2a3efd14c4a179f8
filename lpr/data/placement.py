"""Boxes in pixels of the cached images, from boxes in pixels of the annotation's size and orientation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS

PLACED_COLUMNS = [
    *["image", "source", "text", "ignored", "width", "height", "plate"],
    *[*BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS],
]


def place_boxes(plates: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The plates in pixels of the cached images; those whose image is not cached are left out.

    Boxes are scaled from the annotated size to the cached image's, and clipped to it. Where EXIF swaps the image's
    sides (orientations 5–8) and the annotated size is upright or lying as the stored image is, the box refers to the
    stored image and is transposed with it. In all other cases it refers to the image as displayed: for orientations 2–4
    and square images the size cannot show which it is, and this is an assumption. NaN stays NaN: boxes of images
    without plates, and original boxes where there is no override.

    Args:
        plates: rows of `plates.csv`; boxes in pixels of image_width × image_height.
        images: rows of `images.csv`.

    Returns:
        A row a plate in the order of `plates`, columns `PLACED_COLUMNS`; `plate` counts 0, 1, … within an image.
    """
    placed = plates.merge(images.drop(columns="source"), on="image")
    for columns in (BOX_COLUMNS, ORIGINAL_BOX_COLUMNS):
        placed[columns] = _place(placed[columns].to_numpy(float), placed)
    placed["plate"] = placed.groupby("image").cumcount()
    return placed[PLACED_COLUMNS]


def place_points(points: np.ndarray, plates: pd.DataFrame, images: pd.DataFrame) -> np.ndarray:
    """Points, float (n, 2), in pixels of the cached images, from pixels of the annotations' sizes.

    Args:
        points: one a row of `plates`.
        plates: rows of `plates.csv`, whose images are all in `images`.
        images: rows of `images.csv`.
    """
    placed = plates[["image", "image_width", "image_height"]].merge(images, on="image", how="left")
    return _place(np.tile(points, 2), placed)[:, :2]


def _place(boxes: np.ndarray, placed: pd.DataFrame) -> np.ndarray:
    """Boxes (n, 4) of these rows in pixels of the cached images, from pixels of the annotation's size."""
    # As fractions of the image that the box refers to.
    x = boxes[:, ::2] / placed[["image_width"]].to_numpy(float)
    y = boxes[:, 1::2] / placed[["image_height"]].to_numpy(float)
    in_stored = _refers_to_stored(placed)[:, np.newaxis]
    orientation = placed[["orientation"]].to_numpy()
    turned_x = np.where(np.isin(orientation, (6, 7)), 1 - y[:, ::-1], y)
    turned_y = np.where(np.isin(orientation, (7, 8)), 1 - x[:, ::-1], x)
    width, height = placed[["width"]].to_numpy(), placed[["height"]].to_numpy()
    cached = np.empty_like(boxes)
    cached[:, ::2] = np.clip(np.where(in_stored, turned_x, x) * width, 0, width)
    cached[:, 1::2] = np.clip(np.where(in_stored, turned_y, y) * height, 0, height)
    return cached.round(3)


def _refers_to_stored(placed: pd.DataFrame) -> np.ndarray:
    """Whether a box refers to the stored image, whose sides EXIF swaps: bool (n,)."""
    annotated = placed["image_width"] - placed["image_height"]
    stored = placed["stored_width"] - placed["stored_height"]
    return ((placed["orientation"] >= 5) & (annotated * stored > 0)).to_numpy()


def is_resized(placed: pd.DataFrame) -> np.ndarray:
    """Whether images have another size than annotated: bool (n,); rows of `plates.csv` and `images.csv` joined."""
    annotated = placed[["image_width", "image_height"]].to_numpy()
    in_stored = _refers_to_stored(placed)[:, np.newaxis]
    actual = np.where(in_stored, placed[["stored_width", "stored_height"]], placed[["width", "height"]])
    return (annotated != actual).any(axis=1)
