"""The centre detector: fully convolutional, several plates a picture.

A residual backbone, a small feature pyramid, and at every cell of its finest level one score (is a plate's centre
here?) and the distances to the four sides. After CenterNet (Zhou et al. 2019, "Objects as Points") and TTFNet (Liu et
al. 2020, "Training-Time-Friendly Network for Real-Time Object Detection"), from which the targets and weights are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.config import CenterDetector, Config, Loss, Recognizer, Views
from lpr.data.batches import Examples, source_weights, view_batches, whole_batches
from lpr.detector.decoding import LEAST_WEIGHT, spread_of_box

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_ALPHA = 0.54  # of the box's sides that the Gaussian of a centre covers (TTFNet, section 4.2)
PRIOR_LOGIT = -math.log((1 - 0.01) / 0.01)
"""Of a centre, before training: a rare thing (RetinaNet, Lin et al. 2017, section 4.1)."""
_HEAT_WEIGHT, _BOX_WEIGHT = 1.0, 5.0  # TTFNet, section 4.3


def build(config: CenterDetector, precision: str, seed: int) -> keras.Model:
    """Pictures, float (n, h, w, 3) in 0–1, h and w multiples of 32, to float32 (n, h / stride, w / stride, 5).

    The channels are the logit of a centre, then the distances from the cell's middle to the left, top, right and bottom
    side, in cells.

    Args:
        config: `width` filters after the stem, doubled at every halving up to 8 ×; `depths` residual blocks a level.
        precision: Keras dtype policy of all layers but the last.
        seed: of the weights.
    """
    import keras
    from keras import layers

    from lpr.detector.layers import BoxSides

    seeds = iter(range(seed * 1000, seed * 1000 + 1000))
    inputs = keras.Input((None, None, 3), name="picture")
    x = features(inputs, config, precision, seeds)
    heat = output(x, 1, "heat", seeds, keras.initializers.Constant(PRIOR_LOGIT))
    typical = 48 / config.stride, 16 / config.stride  # of a plate, in cells
    cells = BoxSides(*typical, name="sides", dtype="float32")(output(x, 4, "box", seeds))
    outputs = layers.Concatenate(name="plates", dtype="float32")([heat, cells])
    return keras.Model(inputs, outputs, name=config.name)


def features(inputs: Any, config: CenterDetector | Recognizer, precision: str, seeds: Iterator[int]) -> Any:
    """The trunk: pictures, float (n, h, w, 3) in 0–1, to (n, h / stride, w / stride, neck)."""
    import keras
    from keras import layers

    from lpr.detector.layers import FusedBatchNormalization

    def conv(x: Any, filters: int, name: str, size: int = 3, stride: int = 1) -> Any:
        start = keras.initializers.HeNormal(seed=next(seeds))
        x = layers.Conv2D(
            filters, size, stride, "same", use_bias=False, kernel_initializer=start, dtype=precision, name=name
        )(x)
        return FusedBatchNormalization(momentum=0.95, name=f"{name}_norm", dtype=precision)(x)

    def relu(x: Any, name: str) -> Any:
        return layers.Activation("relu", name=f"{name}_relu", dtype=precision)(x)

    def block(x: Any, filters: int, name: str, stride: int) -> Any:
        """A residual block, activated before its convolutions (He et al. 2016, arXiv:1603.05027)."""
        short = x
        x = relu(x, name)
        if stride > 1 or x.shape[-1] != filters:
            short = conv(x, filters, f"{name}_short", 1, stride)
        x = relu(conv(x, filters, f"{name}_a", 3, stride), f"{name}_a")
        x = conv(x, filters, f"{name}_b")
        return layers.Add(name=f"{name}_add", dtype=precision)([x, short])

    x = layers.Rescaling(4.0, -2.0, name="centred", dtype=precision)(inputs)  # about 0, with a spread of about 1
    x = conv(x, config.width, "stem", 3, 2)
    levels: dict[int, Any] = {}
    for number, (stride, depth) in enumerate(zip((4, 8, 16, 32), config.depths, strict=True)):
        filters = config.width * min(2 ** (number + 1), 8)
        for repeat in range(depth):
            x = block(x, filters, f"level{stride}_{repeat + 1}", 2 if repeat == 0 else 1)
        levels[stride] = relu(x, f"level{stride}")

    x = conv(levels[32], config.neck, "lateral32", 1)
    for stride in (16, 8, 4):
        if stride < config.stride:
            break
        x = layers.UpSampling2D(name=f"up{stride}", dtype=precision)(x)
        lateral = conv(levels[stride], config.neck, f"lateral{stride}", 1)
        x = layers.Add(name=f"merge{stride}", dtype=precision)([x, lateral])
        x = relu(conv(x, config.neck, f"smooth{stride}"), f"smooth{stride}")
    return relu(conv(x, config.neck, "head"), "head")


def output(x: Any, channels: int, name: str, seeds: Iterator[int], start: Any = "zeros") -> Any:
    """What is said of each cell, in float32; `start`: of the biases."""
    import keras

    spread = keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds))
    return keras.layers.Conv2D(
        channels, 1, dtype="float32", name=name, kernel_initializer=spread, bias_initializer=start
    )(x)


def load_examples(plates: pd.DataFrame, images: Path, config: Config, scratch: Path) -> Examples:
    """Each picture, letterboxed finer than the network's input so that views can zoom, with all its plates, or none."""
    from lpr.data.batches import letterbox_pictures

    assert isinstance(config.augment, Views)
    side = config.augment.stored_size
    names = plates["image"].drop_duplicates()
    pictures = letterbox_pictures([images / name for name in names], side, config.train.max_memory_mb, scratch)
    # In a letterboxed picture, a fraction of its longer side is a fraction of the square.
    longest = plates[["width", "height"]].max(axis=1).to_numpy(float)
    boxes = np.zeros((len(names), plates.groupby("image").size().max(), 4), np.float32)
    row = plates["image"].map({name: row for row, name in enumerate(names)}).to_numpy()
    fractions = plates[BOX_COLUMNS].to_numpy(float) / longest[:, None]
    boxes[row, plates.groupby("image").cumcount()] = np.nan_to_num(fractions)  # pictures without plates
    sizes = plates.drop_duplicates("image")[["height", "width"]].to_numpy(float)
    extents = np.maximum(1, (sizes * side / sizes.max(axis=1, keepdims=True)).round()).astype(int)
    return Examples(pictures, boxes, extents, source_weights(plates, config.train.source_weights))


def training_batches(examples: Examples, config: Config, steps_per_epoch: int, steps: range) -> tf.data.Dataset:
    """Random views; see `lpr.data.views`."""
    assert isinstance(config.augment, Views)
    size, train = config.detector.image_size, config.train
    return view_batches(examples, size, config.augment, train.batch_size, steps_per_epoch, steps, train.seed)


def validation_batches(examples: Examples, config: Config) -> tf.data.Dataset:
    """All pictures once, whole."""
    return whole_batches(examples, config.detector.image_size, config.train.batch_size)


def training_loss(config: Loss) -> Any:
    """Of centres and boxes together; `config` is the loss of the boxes."""
    from lpr.detector.losses import build_loss

    return center_loss(build_loss(config, reduction=None))


def metric() -> Any:
    """IoU of the most confident box with the true plate that it fits best."""
    import keras

    return keras.metrics.MeanMetricWrapper(best_iou, name="mean_iou")


def center_loss(box_loss: Any) -> Any:
    """Focal loss of the centres (CenterNet, equation 1) + the weighted loss of the boxes around them (TTFNet, eq. 7).

    Args:
        box_loss: (n, 4), (n, 4) → (n,), over corners as fractions.

    Returns:
        a function of true boxes, float (b, m, 4) as fractions, all zero where there are fewer than m plates, and
        outputs, (b, g, g, 5), to (b,).
    """

    def loss(y_true: Any, y_pred: Any) -> Any:
        from keras import ops

        grid = y_pred.shape[1:3]
        heat, near = center_targets(y_true, grid)
        weight, wanted = box_targets(near, y_true)
        predicted = output_boxes(y_pred[..., 1:])
        flat = box_loss(ops.reshape(wanted, (-1, 4)), ops.reshape(predicted, (-1, 4)))
        regression = weighted_mean(ops.reshape(flat, (-1, *grid)), weight)
        return _HEAT_WEIGHT * focal_loss(heat, y_pred[..., 0]) + _BOX_WEIGHT * regression

    return loss


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
    return heat, hills(spread_of_box(size * sides) / sides)


def box_targets(near: Any, boxes: Any) -> tuple[Any, Any]:
    """How much what each cell says of a box counts, (b, rows, columns), and what it is to say, (b, rows, columns, k).

    Args:
        near: as `center_targets` has it.
        boxes: of each centre, float (b, m, k), and what else is to be said there.
    """
    from keras import ops

    owned = ops.one_hot(ops.argmax(near, axis=1), near.shape[1], axis=1, dtype="float32")
    inside = near * ops.cast(near > LEAST_WEIGHT, "float32") * owned
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


def best_iou(y_true: Any, y_pred: Any) -> Any:
    """IoU of the most confident box of each picture with the true plate that it fits best: (b,) in 0–1."""
    from keras import ops

    from lpr.detector.losses import mean_iou

    count, plates = ops.shape(y_pred)[0], y_true.shape[1]
    cells = ops.reshape(output_boxes(y_pred[..., 1:]), (count, -1, 4))
    best = ops.argmax(ops.reshape(y_pred[..., 0], (count, -1)), axis=1)
    chosen = ops.take_along_axis(cells, best[:, None, None], axis=1)  # (b, 1, 4)
    pairs = mean_iou(ops.reshape(y_true, (-1, 4)), ops.reshape(ops.repeat(chosen, plates, axis=1), (-1, 4)))
    return ops.max(ops.reshape(pairs, (count, plates)), axis=1)
