"""The convolutional backbone and feature pyramid of the CenterNet detector and of the recognizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lpr.config import Backbone


def features(inputs: Any, config: Backbone, precision: str, seeds: Iterator[int]) -> Any:
    """A residual network and, on top of it, a feature pyramid (Lin et al. 2017, arXiv:1612.03144).

    Args:
        inputs: images, float (n, h, w, 3) in 0–1; h and w are multiples of 32.
        config: `stem_channels` filters at stride 2, doubled at every further halving, up to 8 times as many;
            `stage_depths` residual blocks at the strides 4, 8, 16 and 32; `fpn_channels` filters in the pyramid, which
            goes up again to `output_stride`.
        precision: Keras dtype policy of all layers.
        seeds: of the layers' weights, one a layer.

    Returns:
        (n, h / output_stride, w / output_stride, fpn_channels).
    """
    import keras
    from keras import layers

    from lpr.nn.layers import FusedBatchNormalization

    def conv(x: Any, filters: int, name: str, size: int = 3, stride: int = 1) -> Any:
        kernel = keras.initializers.HeNormal(seed=next(seeds))
        x = layers.Conv2D(
            filters, size, stride, "same", use_bias=False, kernel_initializer=kernel, dtype=precision, name=name
        )(x)
        return FusedBatchNormalization(momentum=0.95, name=f"{name}_norm", dtype=precision)(x)

    def relu(x: Any, name: str) -> Any:
        return layers.Activation("relu", name=f"{name}_relu", dtype=precision)(x)

    def block(x: Any, filters: int, name: str, stride: int) -> Any:
        """A residual block, activated before its convolutions (He et al. 2016, arXiv:1603.05027)."""
        shortcut = x
        x = relu(x, name)
        if stride > 1 or x.shape[-1] != filters:
            shortcut = conv(x, filters, f"{name}_short", 1, stride)
        x = relu(conv(x, filters, f"{name}_a", 3, stride), f"{name}_a")
        x = conv(x, filters, f"{name}_b")
        return layers.Add(name=f"{name}_add", dtype=precision)([x, shortcut])

    x = layers.Rescaling(4.0, -2.0, name="centred", dtype=precision)(inputs)  # to a mean of about 0, a deviation of 1
    x = conv(x, config.stem_channels, "stem", 3, 2)
    levels: dict[int, Any] = {}
    for number, (stride, depth) in enumerate(zip((4, 8, 16, 32), config.stage_depths, strict=True)):
        filters = config.stem_channels * min(2 ** (number + 1), 8)
        for repeat in range(depth):
            x = block(x, filters, f"level{stride}_{repeat + 1}", 2 if repeat == 0 else 1)
        levels[stride] = relu(x, f"level{stride}")

    x = conv(levels[32], config.fpn_channels, "lateral32", 1)
    for stride in (16, 8, 4):
        if stride < config.output_stride:
            break
        x = layers.UpSampling2D(name=f"up{stride}", dtype=precision)(x)
        lateral = conv(levels[stride], config.fpn_channels, f"lateral{stride}", 1)
        x = layers.Add(name=f"merge{stride}", dtype=precision)([x, lateral])
        x = relu(conv(x, config.fpn_channels, f"smooth{stride}"), f"smooth{stride}")
    return relu(conv(x, config.fpn_channels, "head"), "head")


def output(x: Any, channels: int, name: str, seeds: Iterator[int], bias_initializer: Any = "zeros") -> Any:
    """A prediction for each cell, by a 1 × 1 convolution: (n, h, w, k) → float32 (n, h, w, channels)."""
    import keras

    kernel = keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds))
    return keras.layers.Conv2D(
        channels, 1, dtype="float32", name=name, kernel_initializer=kernel, bias_initializer=bias_initializer
    )(x)
