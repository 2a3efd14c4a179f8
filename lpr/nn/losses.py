"""What a detector is trained to minimise, and how well its boxes lie, in `keras.ops`."""

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
    """The loss over the four corners, in fractions of the image's sides; without reduction, one a box."""
    import keras

    if config.name in ("giou", "ciou"):
        return {"giou": giou_loss, "ciou": ciou_loss}[config.name]
    if config.name == "huber":
        return keras.losses.Huber(delta=config.delta, reduction=reduction)
    kind = {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError}[config.name]
    return kind(reduction=reduction)


def mean_iou(y_true: Any, y_pred: Any) -> Any:
    """IoU of each predicted box with its true one: (n, 4), (n, 4) → (n,) in 0–1; Keras takes the mean.

    The predicted box is the one between two corners, whichever comes first.
    """
    from keras import ops

    y_true, y_pred = ops.cast(y_true, "float32"), _ordered(y_pred)
    intersection, union = _intersection_and_union(y_true, y_pred)
    return intersection / ops.maximum(union, 1e-9)


def giou_loss(y_true: Any, y_pred: Any) -> Any:
    """1 − GIoU of each predicted box with its true one, (n, 4), (n, 4) → (n,) in 0–2 (Rezatofighi et al. 2019, eq. 1).

    The predicted box is the one between two corners, whichever comes first: a box turned inside out would have no
    gradient that turns it back.
    """
    from keras import ops

    y_true, y_pred = ops.cast(y_true, "float32"), _ordered(y_pred)
    intersection, union = _intersection_and_union(y_true, y_pred)
    enclosing = ops.maximum(ops.prod(_enclosing_sides(y_true, y_pred), axis=1), 1e-9)
    return 1 - intersection / ops.maximum(union, 1e-9) + (enclosing - union) / enclosing


def ciou_loss(y_true: Any, y_pred: Any) -> Any:
    """1 − CIoU of each predicted box with its true one, (n, 4), (n, 4) → (n,) from 0 (Zheng et al. 2020, eq. 10).

    CIoU takes from the IoU the squared distance of the centres, as a share of the enclosing box's squared diagonal, and
    a penalty for the difference of the aspects. The predicted box is as `giou_loss` has it.
    """
    from keras import ops

    y_true, y_pred = ops.cast(y_true, "float32"), _ordered(y_pred)
    intersection, union = _intersection_and_union(y_true, y_pred)
    overlap = intersection / ops.maximum(union, 1e-9)
    diagonal = ops.maximum(ops.sum(_enclosing_sides(y_true, y_pred) ** 2, axis=1), 1e-9)
    apart = (y_true[:, :2] + y_true[:, 2:] - y_pred[:, :2] - y_pred[:, 2:]) / 2
    distance = ops.sum(apart**2, axis=1) / diagonal
    shapes = [ops.arctan2(*ops.split(box[:, 2:] - box[:, :2] + 1e-9, 2, axis=1)) for box in (y_true, y_pred)]
    aspects = 4 / math.pi**2 * ops.squeeze(shapes[0] - shapes[1], 1) ** 2
    weight = ops.stop_gradient(aspects / ops.maximum(1 - overlap + aspects, 1e-9))
    return 1 - overlap + distance + weight * aspects


def _ordered(boxes: Any) -> Any:
    from keras import ops

    boxes = ops.cast(boxes, "float32")
    ends = boxes[:, :2], boxes[:, 2:]
    return ops.concatenate([ops.minimum(*ends), ops.maximum(*ends)], axis=1)


def _enclosing_sides(first: Any, second: Any) -> Any:
    """Width and height of the smallest box around both, (n, 2)."""
    from keras import ops

    return ops.maximum(first[:, 2:], second[:, 2:]) - ops.minimum(first[:, :2], second[:, :2])


def _intersection_and_union(first: Any, second: Any) -> tuple[Any, Any]:
    from keras import ops

    low, high = ops.maximum(first[:, :2], second[:, :2]), ops.minimum(first[:, 2:], second[:, 2:])
    intersection = ops.prod(ops.maximum(high - low, 0.0), axis=1)
    areas = sum(ops.prod(ops.maximum(box[:, 2:] - box[:, :2], 0.0), axis=1) for box in (first, second))
    return intersection, areas - intersection
