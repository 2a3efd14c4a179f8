"""The centre detector: fully convolutional, several plates a image.

A residual backbone, a small feature pyramid, and at every cell of its finest level one score (is a plate's centre
here?) and the distances to the four sides. After CenterNet (Zhou et al. 2019, "Objects as Points") and TTFNet (Liu et
al. 2020, "Training-Time-Friendly Network for Real-Time Object Detection"), from which the targets and weights are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from lpr.boxes import BOX_COLUMNS, Detections
from lpr.config import Backbone, Config, Detector, Loss, RandomCrops
from lpr.data.input_pipeline import Examples, full_image_batches, random_crop_batches, source_weights
from lpr.detection.decoding import decode_heatmap
from lpr.nn.backbone import features, output
from lpr.nn.heatmap import PRIOR_LOGIT, box_targets, center_targets, focal_loss, output_boxes, weighted_mean

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_HEAT_WEIGHT, _BOX_WEIGHT = 1.0, 5.0  # TTFNet, section 4.3


AUGMENTS = ("random_crops",)
INFERENCES = ("multiscale",)
HAS_CONFIDENCE = True


class Settings(Backbone, Detector):
    """A fully convolutional detector of any number of plates."""

    name: Literal["centernet"]
    image_size_px: Annotated[int, Field(ge=64, le=2048, multiple_of=32, description="side of the square input, pixels")]
    output_stride: Literal[4, 8, 16] = Field(description="input pixels a cell of the output")


def build(settings: Settings, precision: str, seed: int) -> keras.Model:
    """Images, float (n, h, w, 3) in 0–1, h and w multiples of 32, to float32 (n, h / stride, w / stride, 5).

    The channels are the logit of a centre, then the distances from the cell's middle to the left, top, right and bottom
    side, in cells.

    Args:
        settings: `width` filters after the stem, doubled at every halving up to 8 ×; `depths` residual blocks a level.
        precision: Keras dtype policy of all layers but the last.
        seed: of the weights.
    """
    import keras
    from keras import layers

    from lpr.nn.layers import BoxSides

    seeds = iter(range(seed * 1000, seed * 1000 + 1000))
    inputs = keras.Input((None, None, 3), name="image")
    x = features(inputs, settings, precision, seeds)
    heat = output(x, 1, "heat", seeds, keras.initializers.Constant(PRIOR_LOGIT))
    typical = 48 / settings.output_stride, 16 / settings.output_stride  # of a plate, in cells
    cells = BoxSides(*typical, name="sides", dtype="float32")(output(x, 4, "box", seeds))
    outputs = layers.Concatenate(name="plates", dtype="float32")([heat, cells])
    return keras.Model(inputs, outputs, name=settings.name)


def load_examples(plates: pd.DataFrame, image_dir: Path, config: Config, scratch: Path) -> Examples:
    """Each image, letterboxed finer than the network's input so that views can zoom, with all its plates, or none."""
    from lpr.data.input_pipeline import letterbox_images

    assert isinstance(config.augment, RandomCrops)
    side = config.augment.stored_size_px
    names = plates["image"].drop_duplicates()
    images = letterbox_images([image_dir / name for name in names], side, config.train.max_memory_mb, scratch)
    # In a letterboxed image, a fraction of its longer side is a fraction of the square.
    longest = plates[["width", "height"]].max(axis=1).to_numpy(float)
    boxes = np.zeros((len(names), plates.groupby("image").size().max(), 4), np.float32)
    row = plates["image"].map({name: row for row, name in enumerate(names)}).to_numpy()
    fractions = plates[BOX_COLUMNS].to_numpy(float) / longest[:, None]
    boxes[row, plates.groupby("image").cumcount()] = np.nan_to_num(fractions)  # images without plates
    sizes = plates.drop_duplicates("image")[["height", "width"]].to_numpy(float)
    extents = np.maximum(1, (sizes * side / sizes.max(axis=1, keepdims=True)).round()).astype(int)
    return Examples(images, boxes, extents, source_weights(plates, config.train.source_weights))


def training_batches(examples: Examples, config: Config, steps_per_epoch: int, steps: range) -> tf.data.Dataset:
    """Random views; see `lpr.augment.random_crops`."""
    assert isinstance(config.augment, RandomCrops)
    size, train = config.detector.image_size_px, config.train
    return random_crop_batches(examples, size, config.augment, train.batch_size, steps_per_epoch, steps, train.seed)


def validation_batches(examples: Examples, config: Config) -> tf.data.Dataset:
    """All images once, whole."""
    return full_image_batches(examples, config.detector.image_size_px, config.train.batch_size)


def training_loss(config: Loss) -> Any:
    """Of centres and boxes together; `config` is the loss of the boxes."""
    from lpr.nn.losses import build_loss

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


def best_iou(y_true: Any, y_pred: Any) -> Any:
    """IoU of the most confident box of each image with the true plate that it fits best: (b,) in 0–1."""
    from keras import ops

    from lpr.nn.losses import mean_iou

    count, plates = ops.shape(y_pred)[0], y_true.shape[1]
    cells = ops.reshape(output_boxes(y_pred[..., 1:]), (count, -1, 4))
    best = ops.argmax(ops.reshape(y_pred[..., 0], (count, -1)), axis=1)
    chosen = ops.take_along_axis(cells, best[:, None, None], axis=1)  # (b, 1, 4)
    pairs = mean_iou(ops.reshape(y_true, (-1, 4)), ops.reshape(ops.repeat(chosen, plates, axis=1), (-1, 4)))
    return ops.max(ops.reshape(pairs, (count, plates)), axis=1)


def decode(outputs: np.ndarray, height: int, width: int) -> list[Detections]:
    """The peaks of the heatmap, each with the box that the cells around it name; overlapping ones suppressed."""
    return decode_heatmap(outputs, height // outputs.shape[1])


def all_boxes(outputs: np.ndarray, height: int, width: int) -> Detections:  # noqa: ARG001
    """The distances to the sides that every cell names, in pixels, and its confidence."""
    stride = height // outputs.shape[1]
    cells = outputs.reshape(-1, outputs.shape[-1]).astype(float)
    return Detections(cells[:, 1:] * stride, 1 / (1 + np.exp(-cells[:, 0])))
