"""Layers that Keras does not have, in `keras.ops`."""

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
