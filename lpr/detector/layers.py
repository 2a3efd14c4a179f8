"""Layers that Keras does not have, in `keras.ops`."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("lpr")
class ScaledConv2D(layers.Layer):
    """A convolution whose kernel is standardised, filter by filter, instead of its output (Brock et al. 2021,
    "Characterizing signal propagation to close the performance gap in unnormalized ResNets", equation 2).

    What normalising a batch costs in time and in memory traffic is saved, and a picture's output does not depend on
    the others of its batch.
    """

    def __init__(self, filters: int, kernel_size: int, strides: int = 1, seed: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.filters, self.kernel_size, self.strides, self.seed = filters, kernel_size, strides, seed

    def build(self, input_shape: Any) -> None:
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=keras.initializers.HeNormal(self.seed), name="kernel")
        self.gain = self.add_weight(shape=(self.filters,), initializer="ones", name="gain")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        kernel, gain, bias = (ops.cast(weight, "float32") for weight in (self.kernel, self.gain, self.bias))
        mean = ops.mean(kernel, axis=(0, 1, 2), keepdims=True)
        variance = ops.var(kernel, axis=(0, 1, 2), keepdims=True)
        fan_in = kernel.shape[0] * kernel.shape[1] * kernel.shape[2]
        kernel = (kernel - mean) * ops.rsqrt(ops.maximum(variance * fan_in, 1e-4)) * gain
        outputs = ops.conv(inputs, ops.cast(kernel, self.compute_dtype), self.strides, "same")
        return outputs + ops.cast(bias, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        ours = ("filters", "kernel_size", "strides", "seed")
        return super().get_config() | {name: getattr(self, name) for name in ours}


@keras.saving.register_keras_serializable("lpr")
class Gain(layers.Layer):
    """One learned factor for all (SkipInit: De & Smith 2020, arXiv:2002.10444)."""

    def __init__(self, start: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.start = start

    def build(self, input_shape: Any) -> None:  # noqa: ARG002
        self.gain = self.add_weight(name="gain", shape=(), initializer=keras.initializers.Constant(self.start))

    def call(self, inputs: Any) -> Any:
        return inputs * ops.cast(self.gain, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"start": self.start}


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
