"""CenterNet's kind of detector: fully convolutional, of any number of plates in images of any size.

A residual backbone and a feature pyramid; at every cell of the output, a logit (is the centre of a plate here?) and the
distances to the plate's four sides. Heatmap and losses are those of CenterNet (Zhou et al. 2019, "Objects as Points",
arXiv:1904.07850) and of TTFNet (Liu et al. 2020, "Training-Time-Friendly Network for Real-Time Object Detection",
arXiv:1909.00700).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from lpr.boxes import BOX_COLUMNS, Detections
from lpr.config import Backbone, Config, Detector, Loss, RandomCrops
from lpr.detection.decoding import decode_heatmap
from lpr.nn.backbone import features, output
from lpr.nn.heatmap import PRIOR_LOGIT, box_targets, center_targets, distances_to_boxes, focal_loss, weighted_mean

if TYPE_CHECKING:
    import keras
    import pandas as pd
    import tensorflow as tf

    from lpr.data.input_pipeline import Examples

AUGMENTS = ("random_crops",)
INFERENCES = ("multiscale",)
HAS_CONFIDENCE = True

_HEATMAP_WEIGHT, _BOX_WEIGHT = 1.0, 5.0  # of the losses (TTFNet, section 4.3)


class Settings(Backbone, Detector):
    """A fully convolutional detector of any number of plates."""

    name: Literal["centernet"]
    image_size_px: Annotated[int, Field(ge=64, le=2048, multiple_of=32)]
    output_stride: Literal[4, 8, 16]


def build(settings: Settings, precision: str, seed: int) -> keras.Model:
    """Images, float (n, h, w, 3) in 0–1, h and w multiples of 32, to float32 (n, h / stride, w / stride, 5).

    The channels are the logit of a plate's centre, and the distances from the cell's middle to the left, top, right and
    bottom side, in cells.
    """
    import keras
    from keras import layers

    from lpr.nn.layers import BoxSides

    seeds = iter(range(seed * 1000, seed * 1000 + 1000))
    inputs = keras.Input((None, None, 3), name="image")
    x = features(inputs, settings, precision, seeds)
    logits = output(x, 1, "heatmap", seeds, keras.initializers.Constant(PRIOR_LOGIT))
    typical = 48 / settings.output_stride, 16 / settings.output_stride  # width and height of a plate, in cells
    distances = BoxSides(*typical, name="sides", dtype="float32")(output(x, 4, "box", seeds))
    outputs = layers.Concatenate(name="plates", dtype="float32")([logits, distances])
    return keras.Model(inputs, outputs, name=settings.name)


def load_examples(
    plates: pd.DataFrame, ignored: pd.DataFrame, image_dir: Path, config: Config, scratch: Path
) -> Examples:
    """Each image with all its plates, resized to `augment.stored_size_px`, from which random crops can zoom in.

    What is ignored is covered.
    """
    from lpr.data.input_pipeline import Examples, FittedImages, cover_boxes, source_weights

    assert isinstance(config.augment, RandomCrops)
    size = config.augment.stored_size_px
    names = plates["image"].drop_duplicates()
    sides = plates.drop_duplicates("image")[["height", "width"]].to_numpy(int)
    paths = [image_dir / name for name in names]
    images = FittedImages(paths, sides, size, config.train.max_memory_mb, scratch)
    longest = plates[["width", "height"]].max(axis=1).to_numpy(float)
    boxes = np.zeros((len(names), plates.groupby("image").size().max(), 4), np.float32)
    place = {name: row for row, name in enumerate(names)}
    row = plates["image"].map(place).to_numpy()
    fractions = plates[BOX_COLUMNS].to_numpy(float) / longest[:, None]
    boxes[row, plates.groupby("image").cumcount()] = np.nan_to_num(fractions)  # zeros for images without plates
    ignored = ignored[ignored["image"].isin(names)]
    rows = ignored["image"].map(place).to_numpy(int)
    scales = np.array([max(image.shape[:2]) for image in images.kept]) / sides.max(axis=1)
    cover_boxes(images.kept, rows, ignored[BOX_COLUMNS].to_numpy(float) * scales[rows, None])
    weights = (source_weights(plates, of) for of in (config.train.source_weights, config.train.box_weights))
    return Examples(images, boxes, *weights)


def training_batches(
    examples: Examples, config: Config, steps_per_epoch: int, steps: range, share: slice = slice(None)
) -> tf.data.Dataset:
    """Random crops, and their plates, float32 (n, m, 5); see `lpr.data.input_pipeline.random_crop_batches`."""
    from lpr.data.input_pipeline import random_crop_batches

    assert isinstance(config.augment, RandomCrops)
    size, train = config.detector.image_size_px, config.train
    return random_crop_batches(
        examples, size, config.augment, train.batch_size, steps_per_epoch, steps, train.seed, share
    )


def validation_batches(examples: Examples, config: Config) -> tf.data.Dataset:
    """All images once, letterboxed."""
    from lpr.data.input_pipeline import full_image_batches

    return full_image_batches(examples, config.detector.image_size_px, config.train.batch_size)


def training_loss(config: Loss) -> Any:
    """See `centernet_loss`."""
    from lpr.nn.losses import build_loss

    return centernet_loss(build_loss(config, reduction=None))


def metric() -> keras.metrics.Metric:
    """Mean of `best_iou`."""
    import keras

    return keras.metrics.MeanMetricWrapper(best_iou, name="mean_iou")


def centernet_loss(box_loss: Any) -> Any:
    """Focal loss of the heatmap (CenterNet, equation 1) + weighted loss of the boxes around centres (TTFNet, eq. 7).

    Args:
        box_loss: corners as fractions, (k, 4) true and (k, 4) predicted → (k,).

    Returns:
        A function of true boxes, float (n, m, 5), as fractions and with the weight of the sides, all zero where an
        image has fewer than m, or (n, m, 4) where all weigh 1; and outputs, (n, rows, columns, 5); to (n,).
    """

    def loss(y_true: Any, y_pred: Any) -> Any:
        from keras import ops

        grid = y_pred.shape[1:3]
        heatmap, box_weights = center_targets(y_true[..., :4], grid)
        weights, targets = box_targets(box_weights, y_true)
        predicted = distances_to_boxes(y_pred[..., 1:])
        losses = ops.reshape(
            box_loss(ops.reshape(targets[..., :4], (-1, 4)), ops.reshape(predicted, (-1, 4))), (-1, *grid)
        )
        if y_true.shape[2] == 5:
            losses = losses * targets[..., 4]
        boxes = weighted_mean(losses, weights)
        return _HEATMAP_WEIGHT * focal_loss(heatmap, y_pred[..., 0]) + _BOX_WEIGHT * boxes

    return loss


def best_iou(y_true: Any, y_pred: Any) -> Any:
    """IoU of each image's most confident box with the true plate that it overlaps most: (n,) in 0–1."""
    from keras import ops

    from lpr.nn.losses import mean_iou

    count, plates = ops.shape(y_pred)[0], y_true.shape[1]
    y_true, boxes = y_true[..., :4], ops.reshape(distances_to_boxes(y_pred[..., 1:]), (count, -1, 4))
    best = ops.argmax(ops.reshape(y_pred[..., 0], (count, -1)), axis=1)
    chosen = ops.take_along_axis(boxes, best[:, None, None], axis=1)  # (n, 1, 4)
    pairs = mean_iou(ops.reshape(y_true, (-1, 4)), ops.reshape(ops.repeat(chosen, plates, axis=1), (-1, 4)))
    return ops.max(ops.reshape(pairs, (count, plates)), axis=1)


def decode(outputs: np.ndarray, height: int, width: int) -> list[Detections]:  # noqa: ARG001
    """The peaks of the heatmap, each with the box that the cells around it predict; see `decode_heatmap`."""
    return decode_heatmap(outputs, height // outputs.shape[1])


def all_boxes(outputs: np.ndarray, height: int, width: int) -> Detections:  # noqa: ARG001
    """Of every cell, the distances to the sides, in pixels, and the confidence."""
    stride = height // outputs.shape[1]
    cells = outputs.reshape(-1, outputs.shape[-1]).astype(float)
    return Detections(cells[:, 1:] * stride, 1 / (1 + np.exp(-cells[:, 0])))
