"""A image as seen through a matrix: what the detector is shown, in training and in use alike."""

from __future__ import annotations

import cv2
import numpy as np

cv2.setNumThreads(1)  # several images are worked on at a time
BORDER = (114, 114, 114)  # of what is no part of the image, as YOLO's letterbox has it
_FINEST = 1.7  # pixels of the image to one of what is shown: beyond, a linear warp would leave some out


def resampled(image: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """What falls into `width` × `height` pixels: uint8 (height, width, 3), `BORDER` beside the image.

    Only the part that is shown is worked on, and halved until it is not much finer than what is shown.

    Args:
        image: uint8 (h, w, 3).
        matrix: float (3, 3), from the image's pixels to those that are shown, a pixel's middle at + ½.
    """
    part, (left, top) = _shown_part(image, np.linalg.inv(matrix), width, height)
    if not part.size:
        return np.full((height, width, 3), BORDER, np.uint8)
    matrix = matrix @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], float)
    finer = 1 / np.sqrt(max(abs(np.linalg.det(matrix[:2, :2])), 1e-9))
    part, halvings = _halved(part, finer)
    matrix = matrix @ np.diag([2.0**halvings, 2.0**halvings, 1.0])
    # OpenCV's pixels have their middles at whole numbers.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ matrix @ half
    return cv2.warpPerspective(part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=BORDER)


def shrunk(image: np.ndarray, longest: int) -> tuple[np.ndarray, tuple[float, float]]:
    """The whole image with a longer side of `longest` px, and how many of its own pixels one is, across and down."""
    part, halvings = _halved(image, max(image.shape[:2]) / longest)
    rows, columns = (max(1, round(side * longest / max(part.shape[:2]))) for side in part.shape[:2])
    across, down = (2**halvings * side / shown for side, shown in ((part.shape[1], columns), (part.shape[0], rows)))
    return cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR), (across, down)


def _halved(image: np.ndarray, finer: float) -> tuple[np.ndarray, int]:
    """The image, halved until it is not much finer than what is shown, and how often; an odd last row is left out."""
    halvings = 0
    while finer / 2**halvings > _FINEST and min(image.shape[:2]) > 1:
        rows, columns = image.shape[0] // 2, image.shape[1] // 2
        image = cv2.resize(image[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        halvings += 1
    return image, halvings


def _shown_part(image: np.ndarray, back: np.ndarray, width: int, height: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The part of the image that is shown, with a little more around it, and its first column and row."""
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], float)
    seen = cv2.perspectiveTransform(corners, back)[0]
    margin = 2 + 2 * (seen.max(axis=0) - seen.min(axis=0)) / (width, height)
    left, top = np.maximum(np.floor(seen.min(axis=0) - margin), 0).astype(int).tolist()
    right, bottom = np.maximum(np.ceil(seen.max(axis=0) + margin), 0).astype(int).tolist()
    return image[top:bottom, left:right], (left, top)
