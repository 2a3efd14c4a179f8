"""Layers of our own beside what they stand for."""

import numpy as np
import pytest


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_fused_batch_normalization_is_keras_own(precision: str) -> None:
    import keras
    import tensorflow as tf

    from lpr.nn.layers import FusedBatchNormalization

    images = np.random.default_rng(0).normal(2, 3, (4, 6, 5, 8)).astype(np.float32)
    kinds = (FusedBatchNormalization, keras.layers.BatchNormalization)
    fused, plain = (kind(momentum=0.9, dtype=precision) for kind in kinds)
    results = []
    for layer in (fused, plain):
        shown = tf.Variable(images)
        with tf.GradientTape() as tape:
            training = tf.cast(layer(shown, training=True), "float32")
            loss = tf.reduce_sum(training**3)
        gradients = tape.gradient(loss, [shown, *layer.trainable_variables])
        using = tf.cast(layer(shown, training=False), "float32")
        results.append([training, using, *gradients, *layer.variables])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    assert fused.moving_mean.numpy().any()
