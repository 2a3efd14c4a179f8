"""Warping and shrinking of images without aliasing, the same for a detector's training and use."""

from __future__ import annotations

import cv2
import numpy as np

cv2.setNumThreads(1)  # several images are worked on at a time
BORDER = (114, 114, 114)
"""Colour (RGB) beside an image, as in YOLO's letterboxes."""

_MAX_RATIO = 1.7  # pixels of the image to one of the result: from more, linear interpolation would skip some


def warp_perspective(image: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """The image through a perspective transformation, with `BORDER` beside it.

    Only the part that the result shows is worked on; it is halved until linear interpolation skips no pixels.

    Args:
        image: uint8 (h, w, 3).
        matrix: float (3, 3), from pixels of the image to pixels of the result; the middle of the first is at (½, ½).
        width, height: of the result, pixels.

    Returns:
        uint8 (height, width, 3).
    """
    part, (left, top) = _visible_part(image, np.linalg.inv(matrix), width, height)
    if not part.size:
        return np.full((height, width, 3), BORDER, np.uint8)
    matrix = matrix @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], float)
    ratio = 1 / np.sqrt(max(abs(np.linalg.det(matrix[:2, :2])), 1e-9))
    part, halvings = _halved(part, ratio)
    matrix = matrix @ np.diag([2.0**halvings, 2.0**halvings, 1.0])
    # In OpenCV's coordinates, the middle of the first pixel is at (0, 0).
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ matrix @ half
    return cv2.warpPerspective(part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=BORDER)


def shrink(image: np.ndarray, longest: int) -> tuple[np.ndarray, tuple[float, float]]:
    """The image resized to a longer side of `longest` pixels, which may also be more than it has.

    Returns:
        uint8 (h, w, 3); and the pixels of the image to one of the result, horizontally and vertically.
    """
    part, halvings = _halved(image, max(image.shape[:2]) / longest)
    rows, columns = (max(1, round(side * longest / max(part.shape[:2]))) for side in part.shape[:2])
    sides = (part.shape[1], columns), (part.shape[0], rows)
    horizontal, vertical = (2**halvings * before / after for before, after in sides)
    return cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR), (horizontal, vertical)


def _halved(image: np.ndarray, ratio: float) -> tuple[np.ndarray, int]:
    """The image, halved until at most `_MAX_RATIO` remains of the ratio, and how often; an odd last row is left out."""
    halvings = 0
    while ratio / 2**halvings > _MAX_RATIO and min(image.shape[:2]) > 1:
        rows, columns = image.shape[0] // 2, image.shape[1] // 2
        image = cv2.resize(image[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        halvings += 1
    return image, halvings


def _visible_part(
    image: np.ndarray, inverse: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, tuple[int, int]]:
    """The part of the image that the result shows, with a margin, and its first column and row."""
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], float)
    outline = cv2.perspectiveTransform(corners, inverse)[0]
    margin = 2 + 2 * (outline.max(axis=0) - outline.min(axis=0)) / (width, height)
    left, top = np.maximum(np.floor(outline.min(axis=0) - margin), 0).astype(int).tolist()
    right, bottom = np.maximum(np.ceil(outline.max(axis=0) + margin), 0).astype(int).tolist()
    return image[top:bottom, left:right], (left, top)
