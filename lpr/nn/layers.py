"""Layers that Keras does not have, in `keras.ops` where that has what they need."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("lpr")
class BoxSides(layers.Layer):
    """Offset of a box's centre and logarithm of its sides, (…, 4), to the distances of its four sides, in cells.

    Args:
        width, height: of the box whose logarithms are 0, in cells.
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
    """Keras's, trained by TensorFlow's one operation for it: Keras composes it of many, a third of a training step.

    Statistics are over all axes but the last, in float32 whatever the precision. As in Keras, the moving variance is
    of the batch as it is; the operation's own has n / (n - 1) of it.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        nothing = tf.zeros([0], "float32")
        settings = {"mean": nothing, "variance": nothing, "epsilon": self.epsilon, "is_training": True}
        result = tf.raw_ops.FusedBatchNormV3(x=inputs, scale=self.gamma, offset=self.beta, **settings)
        count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
        variance = result.batch_variance * (count - 1) / count
        for moving, now in ((self.moving_mean, result.batch_mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.stop_gradient(now) * (1 - self.momentum))
        return result.y
