"""The input shapes of the network: a long one for plates of one line, and a squarer one, of about as many pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpr.ocr.recognizer.layout import find_layout

# Least aspect ratio of a crop that is first taken for one of a single line. Many are squarer than such plates are: seen
# from the side, or with much around them. Chosen by texts of validation plates, from 1.0 to 2.4.
_LONG_ASPECT_RATIO = 1.4


def likely_shape(shapes: Sequence[Sequence[int]], width: float, height: float) -> tuple[int, int]:
    """Of the shapes (height, width), that for a crop of this size, whose characters are not known yet."""
    return _shape(shapes, width > _LONG_ASPECT_RATIO * height)


def shape_of(shapes: Sequence[Sequence[int]], characters: np.ndarray) -> tuple[int, int]:
    """Of the shapes (height, width), that for a plate with these boxes of characters (n, 4): the long one for one line.

    In the squarer one, its characters would be so narrow that two thin ones side by side, as 11, are taken for one.
    """
    return _shape(shapes, len(find_layout(characters).lines) < 2)


def _shape(shapes: Sequence[Sequence[int]], long: bool) -> tuple[int, int]:
    rows, columns = (max if long else min)(shapes, key=lambda shape: shape[1] / shape[0])
    return rows, columns


def resize(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A crop, uint8 (h, w, 3), resized to an input shape (height, width) whatever its own aspect ratio."""
    import cv2

    smaller = image.shape[0] > shape[0] or image.shape[1] > shape[1]
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
