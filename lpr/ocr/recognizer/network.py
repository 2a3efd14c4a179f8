"""The reader's network: at every cell of a crop, is a character's centre here, which is it, and where are its sides?

Built and taught as the centre detector is (`lpr.detection.families.centernet`), so that lines, tilt and layout need no notion of
their own: one line or three, upright or leaning, a character is found where it stands. Other lettering on a plate is
background, which the network learns to leave out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lpr.config import Recognizer
from lpr.nn.backbone import features, output
from lpr.nn.heatmap import PRIOR_LOGIT, box_targets, center_targets, focal_loss, output_boxes, weighted_mean
from lpr.plates.text import CHARACTERS

if TYPE_CHECKING:
    import keras

_HEAT_WEIGHT, _BOX_WEIGHT, _CLASS_WEIGHT = 1.0, 1.0, 1.0


def build(config: Recognizer, precision: str) -> keras.Model:
    """Crops of any of its shapes, float (n, h, w, 3) in 0–1, to float32 (n, h / stride, w / stride, 5 + 36).

    The channels are the logit of a centre; the distances from the cell's middle to the left, top, right and bottom side
    of the character, in cells; and a logit for each of `CHARACTERS`.

    Args:
        precision: Keras dtype policy of all layers but the last.
    """
    import keras

    from lpr.nn.layers import BoxSides

    seed = config.train.seed
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))
    inputs = keras.Input((None, None, 3), name="crop")
    x = features(inputs, config, precision, seeds)
    typical = 14 / config.output_stride, 32 / config.output_stride  # of a character, in cells
    heat = output(x, 1, "heat", seeds, keras.initializers.Constant(PRIOR_LOGIT))
    sides = BoxSides(*typical, name="sides", dtype="float32")(output(x, 4, "box", seeds))
    classes = output(x, len(CHARACTERS), "classes", seeds)
    outputs = keras.layers.Concatenate(name="characters", dtype="float32")([heat, sides, classes])
    return keras.Model(inputs, outputs, name=config.name)


def character_loss(y_true: Any, y_pred: Any) -> Any:
    """Focal loss of the centres + 1 − GIoU of the boxes + cross-entropy of the characters, the last two near centres.

    Args:
        y_true: float (b, m, 5): box as fractions and place in `CHARACTERS`; all zero where there are fewer than m.
        y_pred: (b, rows, columns, 41), as `build` has them.

    Returns:
        float (b,).
    """
    from keras import ops

    from lpr.nn.losses import giou_loss

    grid = ops.shape(y_pred)[1:3]
    heat, near = center_targets(y_true[..., :4], grid)
    weight, wanted = box_targets(near, y_true)
    predicted = output_boxes(y_pred[..., 1:5])
    apart = giou_loss(ops.reshape(wanted[..., :4], (-1, 4)), ops.reshape(predicted, (-1, 4)))
    right = ops.cast(wanted[..., 4] + 0.5, "int32")
    surprise = ops.sparse_categorical_crossentropy(right, y_pred[..., 5:], from_logits=True)
    return (
        _HEAT_WEIGHT * focal_loss(heat, y_pred[..., 0])
        + _BOX_WEIGHT * weighted_mean(ops.reshape(apart, (-1, *grid)), weight)
        + _CLASS_WEIGHT * weighted_mean(surprise, weight)
    )


def character_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Of each crop, the share of the cells near characters that name theirs: float (b,) in 0–1; 1 where none stand."""
    from keras import ops

    _, near = center_targets(y_true[..., :4], ops.shape(y_pred)[1:3])
    weight, wanted = box_targets(near, y_true)
    named = ops.cast(ops.argmax(y_pred[..., 5:], axis=-1), "float32")
    right = weighted_mean(ops.cast(ops.abs(named - wanted[..., 4]) < 0.5, "float32"), weight)
    return ops.where(ops.sum(weight, axis=(1, 2)) > 0, right, 1.0)
