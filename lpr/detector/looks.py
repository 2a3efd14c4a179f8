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
_DOUBTFUL = 0.3  # the weight of a look at a plate that is smaller or larger there than is seen well


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

    A plate's box is the mean of the looks' boxes, by the square of their confidences; its confidence is the mean of
    theirs, 0 where a look has no such box.

    Args:
        looks: what each found, in pixels of the picture.
        scales: pixels of what each was shown to one of the picture.
        seen_well: least and largest width of a plate, in pixels as shown; a look at another size says less of it.
    """
    confidences = np.concatenate([plates.confidences for plates in looks])
    order = np.argsort(-confidences, kind="stable")
    confidences = confidences[order]
    boxes = np.concatenate([plates.boxes for plates in looks])[order]
    number = np.repeat(np.arange(len(looks)), [len(plates.confidences) for plates in looks])[order]
    same = pairwise_iou(boxes, boxes) > _SAME_IOU
    left = np.ones(len(order), bool)
    groups = []  # the place of the surest box of each look, -1 where it has none
    for first in range(len(order)):
        if not left[first]:
            continue
        alike = np.flatnonzero(same[first] & left)
        left[alike] = False
        group = np.full(len(looks), -1)
        group[number[alike[::-1]]] = alike[::-1]
        groups.append(group)
    members = np.array(groups, int).reshape(-1, len(looks))
    said = np.where(members >= 0, confidences[members], 0)[..., None]  # (plates, looks, 1)
    agreed = (boxes[members] * said**2).sum(axis=1) / (said**2).sum(axis=1)
    widths = (agreed[:, 2:3] - agreed[:, :1]) * np.array(scales)
    weights = np.where((widths >= seen_well[0]) & (widths <= seen_well[1]), 1.0, _DOUBTFUL)
    sure = (weights * said[..., 0]).sum(axis=1) / weights.sum(axis=1)
    surest = np.argsort(-sure, kind="stable")[:MOST]
    surest = surest[sure[surest] >= FLOOR]
    return Plates(agreed[surest], sure[surest])
