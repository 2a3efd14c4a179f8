"""The input shapes of the network: a long one for one line, a squarer one for two, of about as many pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def nearest_shape(shapes: Sequence[Sequence[int]], width: float, height: float) -> tuple[int, int]:
    """Of the shapes (height, width), the one whose aspect ratio is nearest to that of a box of this size."""
    distances = [abs(math.log(width / height * rows / columns)) for rows, columns in shapes]
    rows, columns = shapes[distances.index(min(distances))]
    return rows, columns


def shape_of_lines(shapes: Sequence[Sequence[int]], lines: int) -> tuple[int, int]:
    """Of the shapes (height, width), that for a plate of so many lines: the longest for one, the squarest for more.

    A plate of one line may be as square as one of two: seen from the side, or with much around it. In the squarer
    shape, its characters are so narrow that two thin ones side by side, as 11, are taken for one.
    """
    choose = max if lines < 2 else min
    rows, columns = choose(shapes, key=lambda shape: shape[1] / shape[0])
    return rows, columns


def resize(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A crop, uint8 (h, w, 3), resized to an input shape (height, width) whatever its own aspect ratio."""
    import cv2

    smaller = image.shape[0] > shape[0] or image.shape[1] > shape[1]
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
