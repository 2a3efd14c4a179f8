"""How a detector looks at a picture, without TensorFlow: stretched to a square, or whole, at one size or several.

A detector knows plates of some sizes better than others, and errs differently at each. So it looks at the whole picture
several times, each time at a coarser size, and what it finds is put together by a vote: "Weighted boxes fusion"
(Solovyev et al. 2019, arXiv:1910.13302).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image

from lpr.boxes import pairwise_iou
from lpr.config import Inference, Pyramid
from lpr.data.resampling import BORDER, shrunk
from lpr.detector.decoding import FLOOR, MOST, Plates, decode_centers, decode_corners

Network = Callable[[np.ndarray], np.ndarray]
"""Pictures, uint8 (n, h, w, 3) RGB, to outputs: (n, 4) of the seed's, (n, h / stride, w / stride, 5) of the others."""

_MULTIPLE = 32  # of the sides of what the network is shown: its coarsest stride
_SAME_IOU = 0.45  # of boxes that are of one plate
_DOUBTFUL = 0.2  # the weight of a look at a plate that is smaller or larger there than is seen well


def look(picture: np.ndarray, network: Network, settings: Inference) -> Plates:
    """The plates of a picture, the most confident first.

    Args:
        picture: uint8 (h, w, 3) RGB.

    Returns:
        Boxes in pixels of the picture, and confidences from `decoding.FLOOR` on.
    """
    if not isinstance(settings, Pyramid):
        return _stretched_look(picture, network, settings.image_size)
    sizes = [max(1, round(settings.image_size / settings.step**number)) for number in range(settings.looks)]
    found: list[Plates] = []
    shown, finer = picture, np.ones(2)
    for size in sizes:  # each from the one before, which holds all that the coarser one shows
        shown, by = shrunk(shown, size)
        finer = finer * by
        found.append(_whole_look(shown, network, finer, picture.shape[:2]))
    if len(found) == 1:
        return found[0]
    return vote(found, [size / max(picture.shape[:2]) for size in sizes], settings.seen_well)


def _stretched_look(picture: np.ndarray, network: Network, size: int) -> Plates:
    height, width = picture.shape[:2]
    # By Pillow, as the family's training pictures are.
    stretched = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    (found,) = decode_corners(network(np.asarray(stretched)[None]))
    return Plates(found.boxes * [width, height, width, height], found.confidences)


def _whole_look(shown: np.ndarray, network: Network, finer: np.ndarray, sides: tuple[int, int]) -> Plates:
    """The plates of a picture of `sides` (h, w) in what is shown of it, one pixel for `finer` (x, y) of its own."""
    rows, columns = shown.shape[:2]
    edges = (0, -rows % _MULTIPLE, 0, -columns % _MULTIPLE)
    padded = cv2.copyMakeBorder(shown, *edges, cv2.BORDER_CONSTANT, value=BORDER)
    outputs = network(padded[None])
    (found,) = decode_centers(outputs, padded.shape[0] // outputs.shape[1])
    boxes = (found.boxes * np.tile(finer, 2)).clip(0, [*sides[::-1], *sides[::-1]])
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Plates(boxes[inside], found.confidences[inside])


def vote(looks: Sequence[Plates], scales: Sequence[float], seen_well: Sequence[float]) -> Plates:
    """One list of plates from those of several looks at one picture.

    A plate's confidence is the mean of theirs, 0 where a look has no such box; looks at a size that is not seen well
    count less. Its box is the mean of their boxes, by the square of their confidences and by how exact they can be.

    Args:
        looks: what each found, in pixels of the picture.
        scales: pixels of what each was shown to one of the picture.
        seen_well: least and largest width of a plate, in pixels as shown.
    """
    confidences = np.concatenate([plates.confidences for plates in looks])
    order = np.argsort(-confidences, kind="stable")
    confidences = confidences[order]
    boxes = np.concatenate([plates.boxes for plates in looks])[order]
    number = np.repeat(np.arange(len(looks)), [len(plates.confidences) for plates in looks])[order]
    same = pairwise_iou(boxes, boxes) > _SAME_IOU
    left = np.ones(len(order), bool)
    firsts, groups = [], []  # of each plate: the place of its surest box; of every look's surest, -1 where it has none
    for first in range(len(order)):
        if not left[first]:
            continue
        alike = np.flatnonzero(same[first] & left)
        left[alike] = False
        group = np.full(len(looks), -1)
        group[number[alike[::-1]]] = alike[::-1]
        firsts.append(first)
        groups.append(group)
    members = np.array(groups, int).reshape(-1, len(looks))
    said = np.where(members >= 0, confidences[members], 0)  # (plates, looks)
    widths = (boxes[firsts, 2] - boxes[firsts, 0])[:, None] * np.array(scales)
    weights = np.where((widths >= seen_well[0]) & (widths <= seen_well[1]), 1.0, _DOUBTFUL)
    sure = (weights * said).sum(axis=1) / weights.sum(axis=1)
    shares = _exactness(widths, seen_well[1]) * said**2
    agreed = (boxes[members] * shares[..., None]).sum(axis=1) / shares.sum(axis=1, keepdims=True)
    surest = np.argsort(-sure, kind="stable")[:MOST]
    surest = surest[sure[surest] >= FLOOR]
    return Plates(agreed[surest], sure[surest])


def _exactness(widths: np.ndarray, widest: float) -> np.ndarray:
    """How much the box of a plate that is so many pixels wide as shown is worth, 0–1.

    A box errs by pixels as shown: the wider the plate, the less of it. From half the `widest` that is seen well on this
    is so no more, and beyond it the box is of less and less worth.
    """
    return np.minimum(1, np.minimum(2 * widths / widest, widest / widths))
