"""Keras optimizers and learning-rate schedules of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lpr.config import Optimizer, Training

if TYPE_CHECKING:
    import keras


def build_optimizer(config: Optimizer, train: Training, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Adam (Kingma & Ba 2015) or SGD with Nesterov momentum, with a constant or cosine-decaying learning rate.

    The cosine falls from `learning_rate` to zero over the training (Loshchilov & Hutter 2017), after a warm-up that
    rises linearly from zero.
    """
    import keras

    rate: Any = config.learning_rate
    warmup = train.warmup_epochs * steps_per_epoch
    if train.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup else rate,
            decay_steps=max(train.epochs * steps_per_epoch - warmup, 1),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    if config.name == "sgd":
        return keras.optimizers.SGD(rate, momentum=config.beta_1, nesterov=True, global_clipnorm=config.clip_norm)
    return keras.optimizers.Adam(rate, config.beta_1, config.beta_2, config.epsilon, global_clipnorm=config.clip_norm)
