"""Random geometric and photometric changes of a training batch; equal seeds give equal changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

    from lpr.config import StandardAugment


def augmented(
    images: tf.Tensor, boxes: tf.Tensor, config: StandardAugment, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Flip, scale, shift, rotate and recolour each image of a batch, and its box with it.

    Args:
        images: float32 (b, s, s, 3) in 0–1.
        boxes: float32 (b, 4), corners as fractions.
        config: probabilities and ranges.
        seed: two integers, (2,); every batch of a training has its own.

    Returns:
        Images and boxes of the same shapes; every box stays inside its image.
    """
    if config.p_flip or config.scale_jitter > 1 or config.max_shift or config.max_rotation_deg:
        images, boxes = _transformed(images, boxes, config, seed)
    if config.brightness or config.contrast or config.colour:
        images = _recoloured(images, config, seed)
    return images, boxes


def _uniform(seed: tf.Tensor, stream: int, shape: tuple[object, ...], low: float, high: float) -> tf.Tensor:
    """Random numbers that depend on the batch's seed and the number of the stream alone."""
    import tensorflow as tf

    stream_seed = tf.random.experimental.stateless_fold_in(seed, stream)
    return tf.random.stateless_uniform(shape, stream_seed, low, high)


def _transformed(
    images: tf.Tensor, boxes: tf.Tensor, config: StandardAugment, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Flipped, scaled, rotated and shifted; beyond its edge, an image repeats its border pixels."""
    import tensorflow as tf

    count, side = tf.shape(images)[0], images.shape[1]
    scale = tf.exp(_uniform(seed, 0, (count,), -math.log(config.scale_jitter), math.log(config.scale_jitter)))
    angle = _uniform(seed, 1, (count,), -math.radians(config.max_rotation_deg), math.radians(config.max_rotation_deg))
    flip = tf.where(_uniform(seed, 2, (count,), 0.0, 1.0) < config.p_flip, -1.0, 1.0)
    shift = _uniform(seed, 3, (count, 2), -config.max_shift, config.max_shift)

    # Forward, from old to new fractions around the centre: p' = A (p - ½) + ½ + shift.
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    forward = tf.stack([tf.stack([cosine * flip, -sine], -1), tf.stack([sine * flip, cosine], -1)], -2)
    corners = tf.gather(boxes, [[0, 1], [2, 1], [0, 3], [2, 3]], axis=1)
    transformed = tf.einsum("bij,bcj->bci", forward, corners - 0.5) + 0.5
    low, high = tf.reduce_min(transformed, 1), tf.reduce_max(transformed, 1)
    # A shift that would move the plate out of the image is made smaller.
    shift = tf.maximum(tf.minimum(shift, 1 - high), -low)
    new_boxes = tf.clip_by_value(tf.concat([low + shift, high + shift], -1), 0.0, 1.0)

    # Backward, for the sampling: p = A⁻¹ (p' - ½ - shift) + ½, in pixels whose middles are at + ½.
    backward = tf.linalg.inv(forward)
    middle = side / 2 - 0.5
    offset = middle - tf.einsum("bij,bj->bi", backward, middle + shift * side)
    rows = tf.concat([backward, offset[..., None]], -1)
    transforms = tf.concat([tf.reshape(rows, (-1, 6)), tf.zeros((count, 2))], -1)
    new_images = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=[side, side],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return new_images, new_boxes


def _recoloured(images: tf.Tensor, config: StandardAugment, seed: tf.Tensor) -> tf.Tensor:
    """With another contrast, brightness and tint, clipped to 0–1."""
    import tensorflow as tf

    count = tf.shape(images)[0]
    contrast = _uniform(seed, 4, (count, 1, 1, 1), 1 - config.contrast, 1 + config.contrast)
    brightness = _uniform(seed, 5, (count, 1, 1, 1), -config.brightness, config.brightness)
    tint = _uniform(seed, 6, (count, 1, 1, 3), 1 - config.colour, 1 + config.colour)
    mean = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    return tf.clip_by_value(((images - mean) * contrast + mean + brightness) * tint, 0.0, 1.0)
