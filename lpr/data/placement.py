"""Where the plates are in the cached images, whatever size and way up their annotation had."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS

PLACED_COLUMNS = ["image", "source", "text", "width", "height", "plate", *BOX_COLUMNS, *ORIGINAL_BOX_COLUMNS]


def place_boxes(plates: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The plates in pixels of the cached images; those without a image are left out.

    Boxes are scaled from the size that the JSON says to the cached image's, and clipped to it. Where EXIF turned the
    image on its side (orientations 5–8), and the JSON's size lies as the stored image did, the box was drawn in the
    stored image and is turned along. In every other case it was drawn in the image as displayed; of orientations
    2–4, and of square images, the size cannot tell, and that is taken for granted. Boxes that are not there, of
    images without plates and own ones that nothing replaced, stay so.

    Args:
        plates: rows of `plates.csv`; boxes in pixels of image_width × image_height.
        images: rows of `images.csv`.

    Returns:
        A row a plate in the order of `plates`, columns `PLACED_COLUMNS`; `plate` counts 0, 1, … within a image.
    """
    placed = plates.merge(images.drop(columns="source"), on="image")
    for columns in (BOX_COLUMNS, ORIGINAL_BOX_COLUMNS):
        placed[columns] = _place(placed[columns].to_numpy(float), placed)
    placed["plate"] = placed.groupby("image").cumcount()
    return placed[PLACED_COLUMNS]


def _place(boxes: np.ndarray, placed: pd.DataFrame) -> np.ndarray:
    """Boxes (n, 4) of these rows in pixels of the cached images, from pixels of the annotation's size."""
    # As fractions of the frame that the box was drawn in.
    x = boxes[:, ::2] / placed[["image_width"]].to_numpy(float)
    y = boxes[:, 1::2] / placed[["image_height"]].to_numpy(float)
    turned = _is_in_stored_frame(placed)[:, np.newaxis]
    orientation = placed[["orientation"]].to_numpy()
    turned_x = np.where(np.isin(orientation, (6, 7)), 1 - y[:, ::-1], y)
    turned_y = np.where(np.isin(orientation, (7, 8)), 1 - x[:, ::-1], x)
    width, height = placed[["width"]].to_numpy(), placed[["height"]].to_numpy()
    here = np.empty_like(boxes)
    here[:, ::2] = np.clip(np.where(turned, turned_x, x) * width, 0, width)
    here[:, 1::2] = np.clip(np.where(turned, turned_y, y) * height, 0, height)
    return here.round(3)


def _is_in_stored_frame(placed: pd.DataFrame) -> np.ndarray:
    """Whether a box was drawn in a image that EXIF then turned on its side: upright or lying as the stored one."""
    said = placed["image_width"] - placed["image_height"]
    stored = placed["stored_width"] - placed["stored_height"]
    return ((placed["orientation"] >= 5) & (said * stored > 0)).to_numpy()


def is_resized(placed: pd.DataFrame) -> np.ndarray:
    said = placed[["image_width", "image_height"]].to_numpy()
    turned = _is_in_stored_frame(placed)[:, np.newaxis]
    is_now = np.where(turned, placed[["stored_width", "stored_height"]], placed[["width", "height"]])
    return (said != is_now).any(axis=1)
