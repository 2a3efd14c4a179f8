"""The recognizer's network: a fully convolutional detector of characters.

It predicts for every cell of a crop whether the centre of a character is there, which character, and the distances to
its sides. It is built and trained like the CenterNet detector (`lpr.detection.families.centernet`), so it needs no
model of lines, tilt or layout: every character is found by itself. Other lettering on a plate is background to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lpr.config import Recognizer
from lpr.nn.backbone import features, output
from lpr.nn.heatmap import PRIOR_LOGIT, box_targets, center_targets, distances_to_boxes, focal_loss, weighted_mean
from lpr.ocr.recognizer.channels import FIRST_CHARACTER, characters_and_regions
from lpr.plates.countries import REGIONS

if TYPE_CHECKING:
    import keras

CLASSES = "classes"
"""The layer with a logit for each character of the alphabet."""

_HEATMAP_WEIGHT, _BOX_WEIGHT, _LABEL_WEIGHT, _REGION_WEIGHT = 1.0, 1.0, 1.0, 1.0


def build(config: Recognizer, precision: str) -> keras.Model:
    """The network: from crops, float (n, h, w, 3) in 0–1, to float32 (n, h / stride, w / stride, channels).

    The channels are the logit of a centre; the distances from the cell's middle to the left, top, right and bottom side
    of the character, in cells; a logit for each character of `config.alphabet`; and one for each of `REGIONS`, of the
    whole plate.

    Args:
        config: of the network; h and w may be those of any of its input shapes.
        precision: Keras dtype policy of all layers but the last.
    """
    import keras

    from lpr.nn.layers import BoxSides

    seed = config.train.seed
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))
    inputs = keras.Input((None, None, 3), name="crop")
    x = features(inputs, config, precision, seeds)
    typical = 14 / config.output_stride, 32 / config.output_stride  # of a character, in cells
    heatmap = output(x, 1, "heatmap", seeds, keras.initializers.Constant(PRIOR_LOGIT))
    distances = BoxSides(*typical, name="sides", dtype="float32")(output(x, 4, "box", seeds))
    labels = output(x, len(config.alphabet), CLASSES, seeds)
    regions = output(x, len(REGIONS), "regions", seeds)
    outputs = keras.layers.Concatenate(name="characters", dtype="float32")([heatmap, distances, labels, regions])
    return keras.Model(inputs, outputs, name=config.name)


def character_loss(y_true: Any, y_pred: Any) -> Any:
    """The sum of four losses: of the centres a focal loss; near centres, of boxes, labels and regions.

    Of boxes it is 1 − GIoU, of labels and regions the cross-entropy.

    Args:
        y_true: float (b, m, 6): box as fractions of the crop, index in the alphabet, index in `REGIONS` or -1; all zero
            where a crop has fewer than m characters.
        y_pred: float (b, rows, columns, channels), the output of the network.

    Returns:
        float (b,).
    """
    from keras import ops

    from lpr.nn.losses import giou_loss

    grid = ops.shape(y_pred)[1:3]
    heatmap, box_weights = center_targets(y_true[..., :4], grid)
    weights, targets = box_targets(box_weights, y_true)
    boxes = distances_to_boxes(y_pred[..., 1:5])
    box_loss = giou_loss(ops.reshape(targets[..., :4], (-1, 4)), ops.reshape(boxes, (-1, 4)))
    labels = ops.cast(targets[..., 4] + 0.5, "int32")
    label_logits, region_logits = _label_and_region_logits(y_pred)
    label_loss = ops.sparse_categorical_crossentropy(labels, label_logits, from_logits=True)
    regions = ops.cast(ops.round(targets[..., 5]), "int32")
    region_loss = ops.sparse_categorical_crossentropy(ops.maximum(regions, 0), region_logits, from_logits=True)
    return (
        _HEATMAP_WEIGHT * focal_loss(heatmap, y_pred[..., 0])
        + _BOX_WEIGHT * weighted_mean(ops.reshape(box_loss, (-1, *grid)), weights)
        + _LABEL_WEIGHT * weighted_mean(label_loss, weights)
        + _REGION_WEIGHT * weighted_mean(region_loss, weights * ops.cast(regions >= 0, "float32"))
    )


def character_accuracy(y_true: Any, y_pred: Any) -> Any:
    """For each crop, the weighted fraction of the cells near characters that have the right label.

    Args:
        y_true: as of `character_loss`.
        y_pred: as of `character_loss`.

    Returns:
        float (b,) in 0–1; 1 where a crop has no characters.
    """
    from keras import ops

    _, box_weights = center_targets(y_true[..., :4], ops.shape(y_pred)[1:3])
    weights, targets = box_targets(box_weights, y_true)
    label_logits, _ = _label_and_region_logits(y_pred)
    labels = ops.cast(ops.argmax(label_logits, axis=-1), "float32")
    accuracy = weighted_mean(ops.cast(ops.abs(labels - targets[..., 4]) < 0.5, "float32"), weights)
    return ops.where(ops.sum(weights, axis=(1, 2)) > 0, accuracy, 1.0)


def _label_and_region_logits(y_pred: Any) -> tuple[Any, Any]:
    return characters_and_regions(y_pred, y_pred.shape[-1] - FIRST_CHARACTER - len(REGIONS))
