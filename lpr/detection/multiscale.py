"""How a detector looks at a image, without TensorFlow: stretched to a square, or whole, at one size or several.

A detector knows plates of some sizes better than others, and errs differently at each. So it looks at the whole image
several times, each time at a coarser size, and what it finds is put together by a vote: "Weighted boxes fusion"
(Solovyev et al. 2019, arXiv:1910.13302).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image

from lpr.boxes import MAX_BOXES_PER_IMAGE, Detections, pairwise_iou
from lpr.config import Inference, Stretch
from lpr.detection.decoding import MIN_CONFIDENCE
from lpr.detection.families import Family
from lpr.resampling import BORDER, shrunk

Forward = Callable[[np.ndarray], np.ndarray]
"""A network: images, uint8 (n, h, w, 3) RGB, to the outputs that its family decodes."""

_MULTIPLE = 32  # of the sides of what the network is shown: its coarsest stride
_SAME_IOU = 0.45  # of boxes that are of one plate
_OUT_OF_RANGE_WEIGHT = 0.2  # the weight of a look at a plate that is smaller or larger there than is seen well


def detect(image: np.ndarray, network: Forward, family: Family, settings: Inference) -> Detections:
    """The plates of an image, the most confident first.

    Args:
        image: uint8 (h, w, 3) RGB.
        network: the trained network.
        family: its family, which decodes its outputs.
        settings: the scales at which it is run, or that the image is stretched to its square.

    Returns:
        Boxes in pixels of the image, with their confidences.
    """
    if isinstance(settings, Stretch):
        return _detect_stretched(image, network, family, settings.image_size_px)
    sizes = [max(1, round(settings.image_size_px / settings.scale_step**number)) for number in range(settings.scales)]
    found: list[Detections] = []
    resized, pixels = image, np.ones(2)
    for size in sizes:  # each from the one before, which holds all that the coarser one shows
        resized, by = shrunk(resized, size)
        pixels = pixels * by
        found.append(_detect_at_scale(resized, network, family, pixels, image.shape[:2]))
    if len(found) == 1:
        return found[0]
    scales = [size / max(image.shape[:2]) for size in sizes]
    return weighted_boxes_fusion(found, scales, settings.plate_width_range_px)


def _detect_stretched(image: np.ndarray, network: Forward, family: Family, size: int) -> Detections:
    height, width = image.shape[:2]
    # By Pillow, as the family's training images are.
    stretched = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
    (found,) = family.decode(network(np.asarray(stretched)[None]), size, size)
    return Detections(found.boxes / size * [width, height, width, height], found.confidences)


def _detect_at_scale(
    resized: np.ndarray, network: Forward, family: Family, pixels: np.ndarray, sides: tuple[int, ...]
) -> Detections:
    """The plates of an image of `sides` (h, w) at one scale; `pixels` (x, y) of the image are one of `resized`."""
    rows, columns = resized.shape[:2]
    edges = (0, -rows % _MULTIPLE, 0, -columns % _MULTIPLE)
    padded = cv2.copyMakeBorder(resized, *edges, cv2.BORDER_CONSTANT, value=BORDER)
    (found,) = family.decode(network(padded[None]), *padded.shape[:2])
    boxes = (found.boxes * np.tile(pixels, 2)).clip(0, [*sides[::-1], *sides[::-1]])
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(boxes[inside], found.confidences[inside])


def weighted_boxes_fusion(
    found: Sequence[Detections], scales: Sequence[float], plate_width_range_px: Sequence[float]
) -> Detections:
    """One list of plates from those of several looks at one image.

    A plate's confidence is the mean of theirs, 0 where a look has no such box; looks at a size that is not seen well
    count less. Its box is the mean of their boxes, by the square of their confidences and by how exact they can be.

    Args:
        found: what each found, in pixels of the image.
        scales: pixels of what each was shown to one of the image.
        plate_width_range_px: least and largest width of a plate, in pixels as shown.
    """
    confidences = np.concatenate([plates.confidences for plates in found])
    order = np.argsort(-confidences, kind="stable")
    confidences = confidences[order]
    boxes = np.concatenate([plates.boxes for plates in found])[order]
    number = np.repeat(np.arange(len(found)), [len(plates.confidences) for plates in found])[order]
    same = pairwise_iou(boxes, boxes) > _SAME_IOU
    left = np.ones(len(order), bool)
    firsts, groups = [], []  # of each plate: the place of its surest box; of every look's surest, -1 where it has none
    for first in range(len(order)):
        if not left[first]:
            continue
        alike = np.flatnonzero(same[first] & left)
        left[alike] = False
        group = np.full(len(found), -1)
        group[number[alike[::-1]]] = alike[::-1]
        firsts.append(first)
        groups.append(group)
    members = np.array(groups, int).reshape(-1, len(found))
    said = np.where(members >= 0, confidences[members], 0)  # (plates, looks)
    widths = (boxes[firsts, 2] - boxes[firsts, 0])[:, None] * np.array(scales)
    weights = np.where(
        (widths >= plate_width_range_px[0]) & (widths <= plate_width_range_px[1]), 1.0, _OUT_OF_RANGE_WEIGHT
    )
    sure = (weights * said).sum(axis=1) / weights.sum(axis=1)
    shares = _exactness(widths, plate_width_range_px[1]) * said**2
    consensus = (boxes[members] * shares[..., None]).sum(axis=1) / shares.sum(axis=1, keepdims=True)
    surest = np.argsort(-sure, kind="stable")[:MAX_BOXES_PER_IMAGE]
    surest = surest[sure[surest] >= MIN_CONFIDENCE]
    return Detections(consensus[surest], sure[surest])


def _exactness(widths: np.ndarray, widest: float) -> np.ndarray:
    """How much the box of a plate that is so many pixels wide as shown is worth, 0–1.

    A box errs by pixels as shown: the wider the plate, the less of it. From half the `widest` that is seen well on this
    is so no more, and beyond it the box is of less and less worth.
    """
    return np.minimum(1, np.minimum(2 * widths / widest, widest / widths))
