"""Heatmap targets and losses of CenterNet and TTFNet, in `keras.ops`.

Imports nothing heavy at the top: decoding without TensorFlow uses `box_sigma`.
"""

from __future__ import annotations

import math
from typing import Any

_ALPHA = 0.54  # of the box's sides that the Gaussian of a centre covers (TTFNet, section 4.2)


PRIOR_LOGIT = -math.log((1 - 0.01) / 0.01)
"""Of a centre, before training: a rare thing (RetinaNet, Lin et al. 2017, section 4.1)."""


def focal_loss(heat: Any, logits: Any) -> Any:
    """Of the centres (CenterNet, equation 1): heat in 0–1 and logits, (b, rows, columns) each, to (b,)."""
    from keras import ops

    found = ops.clip(ops.sigmoid(logits), 1e-6, 1 - 1e-6)
    centre = ops.cast(heat >= 1 - 1e-4, "float32")
    hit = -ops.log(found) * (1 - found) ** 2 * centre
    miss = -ops.log(1 - found) * found**2 * (1 - heat) ** 4 * (1 - centre)
    return ops.sum(hit + miss, axis=(1, 2)) / ops.maximum(ops.sum(centre, axis=(1, 2)), 1.0)


def weighted_mean(values: Any, weights: Any) -> Any:
    """Over the cells: (b, rows, columns) each, to (b,); 0 where nothing weighs."""
    from keras import ops

    return ops.sum(values * weights, axis=(1, 2)) / ops.maximum(ops.sum(weights, axis=(1, 2)), 1e-6)


def center_targets(boxes: Any, grid: tuple[int, int]) -> tuple[Any, Any]:
    """Where centres are.

    Args:
        boxes: float (b, m, 4) as fractions; all zero where there is none.
        grid: rows and columns of cells.

    Returns:
        heat (b, rows, columns) in 0–1, 1 at the cell of a box's centre, falling off as a Gaussian over the box; and how
        near each cell is to each centre, (b, m, rows, columns) in 0–1.
    """
    from keras import ops

    rows, columns = grid
    sides = ops.cast(ops.stack([columns, rows]), "float32")
    middles = [(ops.arange(cells, dtype="float32") + 0.5) / ops.cast(cells, "float32") for cells in (columns, rows)]
    low, high = boxes[..., :2], boxes[..., 2:]
    size = ops.maximum(high - low, 0.0)
    there = ops.cast(ops.min(size, axis=-1) > 0, "float32")  # (b, m)
    cell = (ops.floor((low + high) / 2 * sides) + 0.5) / sides  # the middle of the centre's cell

    def hills(sigma: Any) -> Any:  # (b, m, rows, columns)
        across, down = (
            ops.exp(-((middle - cell[..., axis, None]) ** 2) / (2 * sigma[..., axis, None] ** 2))
            for axis, middle in enumerate(middles)
        )
        return down[..., :, None] * across[..., None, :] * there[..., None, None]

    heat = ops.max(hills(ops.maximum(size * _ALPHA / 6, 0.35 / sides)), axis=1)
    return heat, hills(box_sigma(size * sides) / sides)


def box_targets(near: Any, boxes: Any) -> tuple[Any, Any]:
    """How much what each cell says of a box counts, (b, rows, columns), and what it is to say, (b, rows, columns, k).

    Args:
        near: as `center_targets` has it.
        boxes: of each centre, float (b, m, k), and what else is to be said there.
    """
    from keras import ops

    owned = ops.one_hot(ops.argmax(near, axis=1), near.shape[1], axis=1, dtype="float32")
    inside = near * ops.cast(near > MIN_BOX_WEIGHT, "float32") * owned
    share = inside / ops.maximum(ops.sum(inside, axis=(2, 3), keepdims=True), 1e-6)
    return ops.sum(share, axis=1), ops.einsum("bmrc,bmk->brck", owned, boxes)


def output_boxes(sides: Any) -> Any:
    """Distances to the sides, in cells, (b, rows, columns, 4) → corners as fractions."""
    from keras import ops

    rows, columns = ops.shape(sides)[1:3]
    middles = ops.stack(
        ops.meshgrid(ops.arange(columns, dtype="float32") + 0.5, ops.arange(rows, dtype="float32") + 0.5), axis=-1
    )[None]
    corners = ops.concatenate([middles - sides[..., :2], middles + sides[..., 2:]], axis=-1)
    return corners / ops.cast(ops.stack([columns, rows, columns, rows]), "float32")


MIN_BOX_WEIGHT = 0.1  # of a cell that says a plate's box


def box_sigma(sides: Any) -> Any:
    """Standard deviation, around a plate's centre, of the weight of the cells that say its box; all in cells."""
    return (sides**2 * 0.15**2 + 0.6**2) ** 0.5
