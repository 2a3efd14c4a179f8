"""Running a detector on an image, without TensorFlow: on the image stretched to a square, or at one or several scales.

A detector finds plates of some widths better than others, and errs differently at each scale. With several scales, the
whole image is shrunk step by step, and what is found at each is merged by weighted boxes fusion (Solovyev et al. 2019,
arXiv:1910.13302). The finest scale takes most of the time: with `roi_confidence`, it is run around what coarser scales
found, in regions of interest. With `refinement_width_px`, each box is found once more, in a crop of the image in which
its plate has that width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image

from lpr.boxes import MAX_BOXES_PER_IMAGE, Detections, pairwise_iou
from lpr.config import Inference, Stretch
from lpr.detection.decoding import MIN_CONFIDENCE, non_maximum_suppression
from lpr.detection.families import Family
from lpr.resampling import BORDER, shrink, warp_perspective

Forward = Callable[[np.ndarray], np.ndarray]
"""A network: images, uint8 (n, h, w, 3) RGB, to the outputs that its family decodes."""

_MULTIPLE = 32  # of the sides of a network's input: its coarsest stride
_SAME_IOU = 0.45  # boxes that overlap more are fused to one
_REFINED_CONFIDENCE = 0.2  # from which a box is refined
_CROP_PER_WIDTH = 2  # side of the crop that a box is refined in, in widths of the plate
_MAX_UPSCALE = 2.0  # of that crop
_ROI_MARGIN_PX = 32  # around what coarser scales found, pixels of the finest scale
_OUT_OF_RANGE_WEIGHT = 0.2  # of a scale at which a plate's width is outside of `plate_width_range_px`


def detect(image: np.ndarray, network: Forward, family: Family, settings: Inference) -> Detections:
    """The plates of an image.

    Args:
        image: uint8 (h, w, 3) RGB.
        network: the trained network.
        family: the network's, which decodes its outputs.
        settings: the scales at which it is run, or the square that the image is stretched to.

    Returns:
        Boxes in pixels of the image, by falling confidence, at most `MAX_BOXES_PER_IMAGE`.
    """
    if isinstance(settings, Stretch):
        return _detect_stretched(image, network, family, settings.image_size_px)
    sizes = [max(1, round(settings.image_size_px / settings.scale_step**number)) for number in range(settings.scales)]
    levels = []
    resized, ratio = image, np.ones(2)
    for size in sizes:  # each is made of the one before, which is the finer
        resized, step = shrink(resized, size)
        ratio = ratio * step
        levels.append((resized, ratio))
    if settings.roi_confidence is None or len(levels) == 1:
        found = [_detect_at_scale(*level, network, family, image.shape[:2]) for level in levels]
    else:
        coarser = [_detect_at_scale(*level, network, family, image.shape[:2]) for level in levels[1:]]
        widest = settings.plate_width_range_px[1]
        regions = _regions_of_interest(coarser[:2], levels[0][1], settings.roi_confidence, widest)
        found = [_detect_in_regions(*levels[0], regions, network, family, image.shape[:2]), *coarser]
    scales = [size / max(image.shape[:2]) for size in sizes]
    fused = found[0] if len(found) == 1 else weighted_boxes_fusion(found, scales, settings.plate_width_range_px)
    if settings.refinement_width_px is None:
        return fused
    widest = (
        settings.plate_width_range_px[1] / scales[0]
    )  # of a plate that the finest scale is for, pixels of the image
    return _refined(image, fused, settings.refinement_width_px, widest, network, family)


def _detect_stretched(image: np.ndarray, network: Forward, family: Family, size: int) -> Detections:
    height, width = image.shape[:2]
    # By Pillow, as the training images are.
    stretched = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
    (found,) = family.decode(network(np.asarray(stretched)[None]), size, size)
    return Detections(found.boxes / size * [width, height, width, height], found.confidences)


def _regions_of_interest(
    found: Sequence[Detections], ratio: np.ndarray, least: float, widest: float
) -> list[np.ndarray]:
    """Where the finest scale is run: around what coarser scales found, if it is no wider there than a plate may be.

    Args:
        found: at coarser scales, in pixels of the image.
        ratio: pixels (x, y) of the image to one of the finest scale.
        least: confidence.
        widest: width at the finest scale, pixels.

    Returns:
        left, top, right, bottom of each, pixels of the finest scale; those that overlap are joined where that is less.
    """
    boxes = np.concatenate([one.boxes[one.confidences >= least] for one in found]) / np.tile(ratio, 2)
    regions = [
        np.concatenate([box[:2] - _ROI_MARGIN_PX, box[2:] + _ROI_MARGIN_PX])
        for box in boxes
        if box[2] - box[0] <= widest
    ]
    joined: list[np.ndarray] = []
    while regions:
        region = regions.pop()
        for other in regions:
            both = np.concatenate([np.minimum(region[:2], other[:2]), np.maximum(region[2:], other[2:])])
            if _area(both) <= _area(region) + _area(other):
                regions = [one for one in regions if one is not other]
                regions.append(both)
                break
        else:
            joined.append(region)
    return joined


def _area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _detect_in_regions(
    resized: np.ndarray,
    ratio: np.ndarray,
    regions: Sequence[np.ndarray],
    network: Forward,
    family: Family,
    shape: tuple[int, ...],
) -> Detections:
    """The plates in parts of the finest scale, in pixels of the image; arguments as those of `_detect_at_scale`."""
    rows, columns = resized.shape[:2]
    boxes, confidences = [np.empty((0, 4))], [np.empty(0)]
    for region in regions:
        left, top, right, bottom = np.concatenate([np.floor(region[:2]), np.ceil(region[2:])]).astype(int).tolist()
        width, height = (-(-side // _MULTIPLE) * _MULTIPLE for side in (right - left, bottom - top))
        left = max(0, min(left - (width - right + left) // 2, columns - width))
        top = max(0, min(top - (height - bottom + top) // 2, rows - height))
        part = resized[top : top + height, left : left + width]
        found = _detect_at_scale(part, np.ones(2), network, family, part.shape[:2])
        boxes.append((found.boxes + np.array([left, top, left, top])) * np.tile(ratio, 2))
        confidences.append(found.confidences)
    found = non_maximum_suppression(Detections(np.concatenate(boxes), np.concatenate(confidences)))
    return Detections(found.boxes.clip(0, [*shape[::-1], *shape[::-1]]), found.confidences)


def _detect_at_scale(
    resized: np.ndarray, ratio: np.ndarray, network: Forward, family: Family, shape: tuple[int, ...]
) -> Detections:
    """The plates at one scale, in pixels of the image.

    Args:
        ratio: pixels (x, y) of the image to one of `resized`.
        shape: height and width of the image.
    """
    rows, columns = resized.shape[:2]
    edges = (0, -rows % _MULTIPLE, 0, -columns % _MULTIPLE)
    padded = cv2.copyMakeBorder(resized, *edges, cv2.BORDER_CONSTANT, value=BORDER)
    (found,) = family.decode(network(padded[None]), *padded.shape[:2])
    boxes = (found.boxes * np.tile(ratio, 2)).clip(0, [*shape[::-1], *shape[::-1]])
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(boxes[inside], found.confidences[inside])


def weighted_boxes_fusion(
    found: Sequence[Detections], scales: Sequence[float], plate_width_range_px: Sequence[float]
) -> Detections:
    """Merge what was found in one image at several scales.

    Boxes that overlap are grouped, around the most confident one first; of one scale, a group takes the most confident.
    Its confidence is the weighted mean over all scales, 0 counting where it has no box; a scale at which the plate's
    width is out of range weighs less. Its box is the mean of its boxes, weighted by the square of their confidences and
    by `_localization_weight`.

    Args:
        found: at each scale, in pixels of the image.
        scales: pixels of the network's input to one of the image.
        plate_width_range_px: least and largest width of a plate, in pixels of the network's input.

    Returns:
        Boxes by falling confidence, at least `MIN_CONFIDENCE`, at most `MAX_BOXES_PER_IMAGE`.
    """
    confidences = np.concatenate([at_scale.confidences for at_scale in found])
    order = np.argsort(-confidences, kind="stable")
    confidences = confidences[order]
    boxes = np.concatenate([at_scale.boxes for at_scale in found])[order]
    scale_of = np.repeat(np.arange(len(found)), [len(at_scale.confidences) for at_scale in found])[order]
    same = pairwise_iou(boxes, boxes) > _SAME_IOU
    remaining = np.ones(len(order), bool)
    firsts, groups = [], []  # of each group: the most confident box; and at each scale, -1 where there is none
    for first in range(len(order)):
        if not remaining[first]:
            continue
        overlapping = np.flatnonzero(same[first] & remaining)
        remaining[overlapping] = False
        group = np.full(len(found), -1)
        group[scale_of[overlapping[::-1]]] = overlapping[::-1]
        firsts.append(first)
        groups.append(group)
    members = np.array(groups, int).reshape(-1, len(found))
    at_scales = np.where(members >= 0, confidences[members], 0)  # (groups, scales)
    widths = (boxes[firsts, 2] - boxes[firsts, 0])[:, None] * np.array(scales)
    low, high = plate_width_range_px
    weights = np.where((widths >= low) & (widths <= high), 1.0, _OUT_OF_RANGE_WEIGHT)
    fused = (weights * at_scales).sum(axis=1) / weights.sum(axis=1)
    shares = _localization_weight(widths, high) * at_scales**2
    consensus = (boxes[members] * shares[..., None]).sum(axis=1) / shares.sum(axis=1, keepdims=True)
    best = np.argsort(-fused, kind="stable")[:MAX_BOXES_PER_IMAGE]
    best = best[fused[best] >= MIN_CONFIDENCE]
    return Detections(consensus[best], fused[best])


def _refined(
    image: np.ndarray, found: Detections, plate_width_px: int, widest: float, network: Forward, family: Family
) -> Detections:
    """What was found, each box replaced by what the network finds in its place in a crop around it.

    The confidence stays, since a crop shows little of what surrounds a plate.

    Args:
        plate_width_px: width of the plate in its crop, unless that would be enlarged more than `_MAX_UPSCALE` times.
        widest: boxes that are wider stay as they are, pixels of the image.
    """
    widths = found.boxes[:, 2] - found.boxes[:, 0]
    chosen = np.flatnonzero((found.confidences >= _REFINED_CONFIDENCE) & (widths <= widest))
    if not len(chosen):
        return found
    side = -(-plate_width_px * _CROP_PER_WIDTH // _MULTIPLE) * _MULTIPLE
    scales = np.minimum(_MAX_UPSCALE, plate_width_px / widths[chosen])
    centres = (found.boxes[chosen, :2] + found.boxes[chosen, 2:]) / 2
    crops = [
        warp_perspective(image, np.array([[scale, 0, offset[0]], [0, scale, offset[1]], [0, 0, 1]]), side, side)
        for scale, offset in zip(scales, side / 2 - centres * scales[:, None], strict=True)
    ]
    boxes = found.boxes.copy()
    decoded = family.decode(network(np.stack(crops)), side, side)
    for index, scale, centre, in_crop in zip(chosen, scales, centres, decoded, strict=True):
        placed = (in_crop.boxes - side / 2) / scale + np.tile(centre, 2)
        same = pairwise_iou(boxes[index : index + 1], placed)[0] > _SAME_IOU
        if same.any():
            best = np.argmax(np.where(same, in_crop.confidences, 0))
            boxes[index] = placed[best].clip(0, [*image.shape[1::-1]] * 2)
    return non_maximum_suppression(Detections(boxes, found.confidences))


def _localization_weight(widths: np.ndarray, widest: float) -> np.ndarray:
    """Weight, in 0–1, of a box by the plate's width in the network's input, pixels.

    Errors of a box are about the same number of pixels of the input at any width: as a share of the plate, they fall as
    it gets wider. From half of `widest` on they fall no more, and beyond `widest` they grow.
    """
    return np.minimum(1, np.minimum(2 * widths / widest, widest / widths))
