"""Losses and overlap of boxes, box by box, in `keras.ops`.

Boxes are corners (top_x, top_y, bottom_x, bottom_y) as fractions of the image's sides. A predicted box is the one
between two opposite corners, in either order: with its corners swapped, a box would have no gradient that swaps them
back.

`keras.utils.bounding_boxes` has IoU and CIoU, too, and gives the same values for large boxes (tests/nn/test_losses.py).
It is not used, because
- its `compute_iou` is a table of all pairs, and both add an epsilon of 1e-7 to areas: at plates 1 % of an image wide,
  IoU is up to 0.005 too low, and at 0.3 % up to 0.04;
- where corners are swapped, its IoU and CIoU are 0 and their gradients vanish;
- its CIoU takes gradients through the weight of the aspect term, which Zheng et al. keep constant: at plates 1 % of an
  image wide, gradients differ by up to 8 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lpr.config import Loss

if TYPE_CHECKING:
    import keras


def build_loss(
    config: Loss, reduction: str | None = "sum_over_batch_size"
) -> keras.losses.Loss | Callable[[Any, Any], Any]:
    """The loss of boxes: a function of true and predicted ones, (n, 4) each.

    Args:
        reduction: Keras's; None: one value a box, (n,). GIoU and CIoU are a value a box in any case.
    """
    import keras

    if config.name in ("giou", "ciou"):
        return {"giou": giou_loss, "ciou": ciou_loss}[config.name]
    if config.name == "huber":
        return keras.losses.Huber(delta=config.delta, reduction=reduction)
    kind = {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError}[config.name]
    return kind(reduction=reduction)


def mean_iou(y_true: Any, y_pred: Any) -> Any:
    """IoU of each predicted box with its true one: (n, 4), (n, 4) → (n,) in 0–1; Keras takes the mean."""
    from keras import ops

    y_true, y_pred = ops.cast(y_true, "float32"), _ordered(y_pred)
    intersection, union = _intersection_and_union(y_true, y_pred)
    return intersection / ops.maximum(union, 1e-9)


def giou_loss(y_true: Any, y_pred: Any) -> Any:
    """1 − GIoU of each predicted box with its true one: (n, 4), (n, 4) → (n,) in 0–2.

    GIoU is Rezatofighi et al. 2019, arXiv:1902.09630, equation 1.
    """
    from keras import ops

    y_true, y_pred = ops.cast(y_true, "float32"), _ordered(y_pred)
    intersection, union = _intersection_and_union(y_true, y_pred)
    enclosing = ops.maximum(ops.prod(_enclosing_sides(y_true, y_pred), axis=1), 1e-9)
    return 1 - intersection / ops.maximum(union, 1e-9) + (enclosing - union) / enclosing


def ciou_loss(y_true: Any, y_pred: Any) -> Any:
    """1 − CIoU of each predicted box with its true one: (n, 4), (n, 4) → (n,), 0 or more.

    CIoU (Zheng et al. 2020, arXiv:1911.08287, equations 8–11) is the IoU less the squared distance of the centres, as a
    share of the enclosing box's squared diagonal, and less a penalty for the difference of the aspect ratios.
    """
    from keras import ops

    y_true, y_pred = ops.cast(y_true, "float32"), _ordered(y_pred)
    intersection, union = _intersection_and_union(y_true, y_pred)
    iou = intersection / ops.maximum(union, 1e-9)
    diagonal = ops.maximum(ops.sum(_enclosing_sides(y_true, y_pred) ** 2, axis=1), 1e-9)
    offset = (y_true[:, :2] + y_true[:, 2:] - y_pred[:, :2] - y_pred[:, 2:]) / 2
    distance = ops.sum(offset**2, axis=1) / diagonal
    angles = [ops.arctan2(*ops.split(box[:, 2:] - box[:, :2] + 1e-9, 2, axis=1)) for box in (y_true, y_pred)]
    aspect = 4 / math.pi**2 * ops.squeeze(angles[0] - angles[1], 1) ** 2
    weight = ops.stop_gradient(aspect / ops.maximum(1 - iou + aspect, 1e-9))
    return 1 - iou + distance + weight * aspect


def _ordered(boxes: Any) -> Any:
    """The boxes with their upper left corners first."""
    from keras import ops

    boxes = ops.cast(boxes, "float32")
    corners = boxes[:, :2], boxes[:, 2:]
    return ops.concatenate([ops.minimum(*corners), ops.maximum(*corners)], axis=1)


def _enclosing_sides(first: Any, second: Any) -> Any:
    """Width and height of the smallest box around both, (n, 2)."""
    from keras import ops

    return ops.maximum(first[:, 2:], second[:, 2:]) - ops.minimum(first[:, :2], second[:, :2])


def _intersection_and_union(first: Any, second: Any) -> tuple[Any, Any]:
    """Their areas, (n,) each."""
    from keras import ops

    low, high = ops.maximum(first[:, :2], second[:, :2]), ops.minimum(first[:, 2:], second[:, 2:])
    intersection = ops.prod(ops.maximum(high - low, 0.0), axis=1)
    areas = sum(ops.prod(ops.maximum(box[:, 2:] - box[:, :2], 0.0), axis=1) for box in (first, second))
    return intersection, areas - intersection
