"""Heatmap targets and losses of CenterNet and TTFNet, in `keras.ops`.

CenterNet: Zhou et al. 2019, "Objects as Points", arXiv:1904.07850. TTFNet: Liu et al. 2020, "Training-Time-Friendly
Network for Real-Time Object Detection", arXiv:1909.00700. `b` is the batch, `m` the largest number of boxes in one of
its images; rows and columns are those of the output's cells.

Keras is imported inside the functions, since decoding without TensorFlow needs `box_sigma`.
"""

from __future__ import annotations

import math
from typing import Any

MIN_BOX_WEIGHT = 0.1
"""Cells with a smaller `box_weights` value neither learn a box nor count when boxes are decoded."""
PRIOR_LOGIT = -math.log((1 - 0.01) / 0.01)
"""Bias of the heatmap's logits before training, since centres are rare (RetinaNet, Lin et al. 2017, section 4.1)."""

_ALPHA = 0.54  # the part of a box's sides that the Gaussian in the heatmap covers (TTFNet, section 4.2)


def focal_loss(heatmap: Any, logits: Any) -> Any:
    """The heatmap's loss (CenterNet, equation 1).

    Args:
        heatmap: the target, float (b, rows, columns) in 0–1, 1 at centres.
        logits: the prediction, float (b, rows, columns).

    Returns:
        float (b,): the sum over the cells, divided by the number of centres.
    """
    from keras import ops

    probability = ops.clip(ops.sigmoid(logits), 1e-6, 1 - 1e-6)
    centre = ops.cast(heatmap >= 1 - 1e-4, "float32")
    positive = -ops.log(probability) * (1 - probability) ** 2 * centre
    negative = -ops.log(1 - probability) * probability**2 * (1 - heatmap) ** 4 * (1 - centre)
    return ops.sum(positive + negative, axis=(1, 2)) / ops.maximum(ops.sum(centre, axis=(1, 2)), 1.0)


def weighted_mean(values: Any, weights: Any) -> Any:
    """Mean over the cells: (b, rows, columns) each, to (b,); 0 where all weights are 0."""
    from keras import ops

    return ops.sum(values * weights, axis=(1, 2)) / ops.maximum(ops.sum(weights, axis=(1, 2)), 1e-6)


def center_targets(boxes: Any, grid: tuple[int, int]) -> tuple[Any, Any]:
    """The heatmap that centres are learned from, and the cells that boxes are learned at.

    Args:
        boxes: float (b, m, 4), corners as fractions of the image; all zero where an image has fewer than m.
        grid: rows and columns of cells.

    Returns:
        heatmap: (b, rows, columns) in 0–1: the largest of the boxes' Gaussians, 1 at the cell of a centre.
        box_weights: (b, m, rows, columns) in 0–1: each box's Gaussian of standard deviation `box_sigma`.
    """
    from keras import ops

    rows, columns = grid
    cells = ops.cast(ops.stack([columns, rows]), "float32")
    middles = [(ops.arange(count, dtype="float32") + 0.5) / ops.cast(count, "float32") for count in (columns, rows)]
    low, high = boxes[..., :2], boxes[..., 2:]
    size = ops.maximum(high - low, 0.0)
    exists = ops.cast(ops.min(size, axis=-1) > 0, "float32")  # (b, m)
    centre = (ops.floor((low + high) / 2 * cells) + 0.5) / cells  # the middle of the cell that has the box's centre

    def gaussians(sigma: Any) -> Any:  # (b, m, rows, columns)
        across, down = (
            ops.exp(-((middle - centre[..., axis, None]) ** 2) / (2 * sigma[..., axis, None] ** 2))
            for axis, middle in enumerate(middles)
        )
        return down[..., :, None] * across[..., None, :] * exists[..., None, None]

    heatmap = ops.max(gaussians(ops.maximum(size * _ALPHA / 6, 0.35 / cells)), axis=1)
    return heatmap, gaussians(box_sigma(size * cells) / cells)


def box_targets(box_weights: Any, boxes: Any) -> tuple[Any, Any]:
    """What each cell learns: the box whose weight is largest there.

    Args:
        box_weights: (b, m, rows, columns), from `center_targets`.
        boxes: float (b, m, k): the box, and whatever else is learned at the same cells.

    Returns:
        weights: (b, rows, columns); those of one box's cells sum to 1 (as in TTFNet, but whatever the box's area).
        targets: (b, rows, columns, k).
    """
    from keras import ops

    assigned = ops.one_hot(ops.argmax(box_weights, axis=1), box_weights.shape[1], axis=1, dtype="float32")
    inside = box_weights * ops.cast(box_weights > MIN_BOX_WEIGHT, "float32") * assigned
    shares = inside / ops.maximum(ops.sum(inside, axis=(2, 3), keepdims=True), 1e-6)
    return ops.sum(shares, axis=1), ops.einsum("bmrc,bmk->brck", assigned, boxes)


def distances_to_boxes(distances: Any) -> Any:
    """Boxes from the distances of their sides.

    Args:
        distances: float (b, rows, columns, 4): from the middle of each cell to the left, top, right and bottom side,
            in cells.

    Returns:
        float (b, rows, columns, 4): corners (top_x, top_y, bottom_x, bottom_y) as fractions of the image.
    """
    from keras import ops

    rows, columns = ops.shape(distances)[1:3]
    middles = ops.stack(
        ops.meshgrid(ops.arange(columns, dtype="float32") + 0.5, ops.arange(rows, dtype="float32") + 0.5), axis=-1
    )[None]
    corners = ops.concatenate([middles - distances[..., :2], middles + distances[..., 2:]], axis=-1)
    return corners / ops.cast(ops.stack([columns, rows, columns, rows]), "float32")


def box_sigma(sides: Any) -> Any:
    """Standard deviation of the Gaussian around a box's centre by which cells weigh for the box; all in cells."""
    return (sides**2 * 0.15**2 + 0.6**2) ** 0.5
