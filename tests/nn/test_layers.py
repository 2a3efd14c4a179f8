"""The package's layers beside those of Keras, and by hand."""

import numpy as np
import pytest

from lpr.nn.layers import BoxSides, FusedBatchNormalization


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_fused_batch_normalization_has_the_values_and_gradients_of_keras(precision: str) -> None:
    import keras
    import tensorflow as tf

    images = np.random.default_rng(0).normal(2, 3, (4, 6, 5, 8)).astype(np.float32)
    kinds = (FusedBatchNormalization, keras.layers.BatchNormalization)
    fused, plain = (kind(momentum=0.9, dtype=precision) for kind in kinds)
    results = []
    for layer in (fused, plain):
        inputs = tf.Variable(images)
        with tf.GradientTape() as tape:
            training = tf.cast(layer(inputs, training=True), "float32")
            loss = tf.reduce_sum(training**3)
        gradients = tape.gradient(loss, [inputs, *layer.trainable_variables])
        inference = tf.cast(layer(inputs, training=False), "float32")
        results.append([training, inference, *gradients, *layer.variables])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    assert fused.moving_mean.numpy().any()


def test_box_sides_are_distances_from_the_middle_of_a_cell() -> None:
    inputs = np.array([[0, 0, 0, 0], [0.5, -0.25, np.log(2), 9]], np.float32)
    distances = BoxSides(4, 2)(inputs)
    clipped = np.exp(4)
    np.testing.assert_allclose(distances, [[2, 1, 2, 1], [3.5, clipped + 0.25, 4.5, clipped - 0.25]], rtol=1e-6)
