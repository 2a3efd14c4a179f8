"""How a detector looks at a picture, in NumPy and OpenCV alone: stretched to a square, whole, or whole and then closer.

With two looks, the first sees the whole picture at a size that is quick. Where it suspects a plate, the second, at the
picture's own pixels, decides whether it is one, and where its sides are.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from lpr.boxes import iou
from lpr.config import Inference, TwoLooks
from lpr.data.views import BORDER
from lpr.detector.decoding import Plates, decode_centers, decode_corners, suppress

Network = Callable[[np.ndarray], np.ndarray]
"""Pictures, uint8 (n, h, w, 3) RGB, to outputs: (n, 4) of the seed's, (n, h / stride, w / stride, 5) of the others."""

_MULTIPLE = 32  # of the sides of what the network is shown: its coarsest stride


def look(picture: np.ndarray, network: Network, settings: Inference) -> Plates:
    """The plates of a picture, the most confident first.

    Args:
        picture: uint8 (h, w, 3) RGB.

    Returns:
        Boxes in pixels of the picture, and confidences from `decoding.FLOOR` on.
    """
    if settings.name == "stretched":
        return _stretched_look(picture, network, settings.image_size)
    found = _first_look(picture, network, settings.image_size)
    if isinstance(settings, TwoLooks) and len(found.confidences):
        return _second_look(picture, network, found, settings)
    return found


def _stretched_look(picture: np.ndarray, network: Network, size: int) -> Plates:
    height, width = picture.shape[:2]
    how = cv2.INTER_AREA if size < max(height, width) else cv2.INTER_LINEAR
    (found,) = decode_corners(network(cv2.resize(picture, (size, size), interpolation=how)[None]))
    return Plates(found.boxes * [width, height, width, height], found.confidences)


def _first_look(picture: np.ndarray, network: Network, longest: int) -> Plates:
    """The whole picture, its longer side `longest` px, grey up to the next multiple of the stride."""
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    shown = np.full((_rounded(rows), _rounded(columns), 3), BORDER, np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown[:rows, :columns] = cv2.resize(picture, (columns, rows), interpolation=how)
    (found,) = _decoded(shown[None], network)
    return Plates((found.boxes / scale).clip(0, [width, height, width, height]), found.confidences)


def _decoded(shown: np.ndarray, network: Network) -> list[Plates]:
    outputs = network(shown)
    return decode_centers(outputs, shown.shape[1] // outputs.shape[1])


def _rounded(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _second_look(picture: np.ndarray, network: Network, found: Plates, settings: TwoLooks) -> Plates:
    """A window around each of the surest candidates, in which it would be `plate_width` wide."""
    height, width = picture.shape[:2]
    size = settings.second_size
    windows, shown = [], []
    for box in found.boxes[: settings.candidates]:
        side = max(box[2] - box[0], 2 * (box[3] - box[1]), 4.0) / settings.plate_width
        left, top = (box[:2] + box[2:] - side) / 2
        windows.append((left, top, side / size))
        shown.append(_window(picture, left, top, side, size))
    boxes, confidences = [], []
    for number, ((left, top, scale), seen) in enumerate(zip(windows, _decoded(np.stack(shown), network), strict=True)):
        if not len(seen.confidences):
            continue
        inside = seen.boxes * scale + np.array([left, top, left, top])
        fit = iou(inside, found.boxes[number][None]) * seen.confidences
        best = int(np.argmax(fit))
        boxes.append(inside[best])
        confidences.append(float(np.sqrt(seen.confidences[best] * found.confidences[number])))
    if not boxes:
        return Plates(np.empty((0, 4)), np.empty(0))
    return suppress(Plates(np.array(boxes).clip(0, [width, height, width, height]), np.array(confidences)))


def _window(picture: np.ndarray, left: float, top: float, side: float, size: int) -> np.ndarray:
    """A square of the picture, `size` px a side, grey where it leaves the picture."""
    scale = size / side
    # Shrinking by a warp alone would alias: what is much finer than needed is averaged first.
    low = np.floor([max(left, 0), max(top, 0)]).astype(int)
    high = np.ceil([min(left + side, picture.shape[1]), min(top + side, picture.shape[0])]).astype(int)
    cut = picture[low[1] : high[1], low[0] : high[0]]
    if scale < 0.7:
        columns, rows = (max(1, round(length * scale)) for length in cut.shape[1::-1])
        small = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    else:
        small = cut
    stretch = np.array([small.shape[1] / cut.shape[1], small.shape[0] / cut.shape[0]])
    matrix = np.zeros((2, 3))
    matrix[0, 0], matrix[1, 1] = scale / stretch
    # Pixel centres lie at + ½.
    matrix[:, 2] = (low - [left, top]) * scale + 0.5 * (scale / stretch) - 0.5
    return cv2.warpAffine(small, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=BORDER)
