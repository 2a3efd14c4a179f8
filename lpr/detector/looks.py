"""How a detector looks at a picture, without TensorFlow: stretched to a square, whole, or whole and then closer.

With two looks, the first sees the whole picture at a size that is quick. Where it suspects a plate, the second, at the
picture's own pixels, decides whether it is one, and where its sides are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from lpr.boxes import iou
from lpr.config import Inference, TwoLooks
from lpr.data.resampling import resampled
from lpr.detector.decoding import Plates, decode_centers, decode_corners, suppress

Network = Callable[[np.ndarray], np.ndarray]
"""Pictures, uint8 (n, h, w, 3) RGB, to outputs: (n, 4) of the seed's, (n, h / stride, w / stride, 5) of the others."""

_ENLARGE = 3.0  # most that a second look magnifies the picture
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
    # By Pillow, as the family's training pictures are.
    stretched = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    (found,) = decode_corners(network(np.asarray(stretched)[None]))
    return Plates(found.boxes * [width, height, width, height], found.confidences)


def _first_look(picture: np.ndarray, network: Network, longest: int) -> Plates:
    """The whole picture, its longer side `longest` px, grey up to the next multiple of the stride."""
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    shown = resampled(picture, np.diag([columns / width, rows / height, 1.0]), _rounded(columns), _rounded(rows))
    (found,) = _decoded(shown[None], network)
    boxes = found.boxes * [width / columns, height / rows, width / columns, height / rows]
    return Plates(boxes.clip(0, [width, height, width, height]), found.confidences)


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
        side = max(side, size / _ENLARGE)
        left, top = (box[:2] + box[2:] - side) / 2
        scale = size / side
        windows.append((left, top, 1 / scale))
        matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale], [0, 0, 1]])
        shown.append(resampled(picture, matrix, size, size))
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
