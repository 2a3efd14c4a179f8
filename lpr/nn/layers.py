"""Layers that Keras lacks, in `keras.ops` where that has the operations."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("lpr")
class BoxSides(layers.Layer):
    """The distances from a cell's middle to the four sides of a box.

    From (…, 4): the offset (x, y) of the box's centre, in cells, and the logarithms of its width and height, clipped
    to ±4; to (…, 4): the distances to the left, top, right and bottom side, in cells.

    Args:
        width, height: those of the box whose logarithms are 0, in cells.
    """

    def __init__(self, width: float, height: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.width, self.height = width, height

    def call(self, inputs: Any) -> Any:
        offset, logarithms = inputs[..., :2], ops.clip(inputs[..., 2:], -4.0, 4.0)
        half = ops.exp(logarithms) * ops.convert_to_tensor([self.width / 2, self.height / 2], "float32")
        return ops.concatenate([half - offset, half + offset], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"width": self.width, "height": self.height}


@keras.saving.register_keras_serializable("lpr")
class FusedBatchNormalization(layers.BatchNormalization):
    """Keras's layer, trained by TensorFlow's fused operation: Keras composes it of many, a third of a training step.

    Statistics are over all axes but the last, in float32 at any precision. As in Keras, the moving variance is that of
    the batch; the operation's own is larger by n / (n - 1). Keras's own does it for `synchronized` workers.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        unused = tf.zeros([0], "float32")
        settings = {"mean": unused, "variance": unused, "epsilon": self.epsilon, "is_training": True}
        result = tf.raw_ops.FusedBatchNormV3(x=inputs, scale=self.gamma, offset=self.beta, **settings)
        count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
        variance = result.batch_variance * (count - 1) / count
        for moving, batch in ((self.moving_mean, result.batch_mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.stop_gradient(batch) * (1 - self.momentum))
        return result.y
