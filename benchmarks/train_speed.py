"""Training images a second: in mixed_bfloat16 against float32, and with the input pipeline against batches in memory.

    python benchmarks/train_speed.py FOLDER [--steps 30] [--rounds 5]

FOLDER is a project or an experiment's folder in which `lpr split` has run; its params.yaml says what is trained, and in
which batches. All train on the same batches, in turns, in one process; compiling and the first batch are not counted.
Prints the medians of the rounds, by the clock and by the CPU, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr import config
from lpr.data.plates import read_split
from lpr.detection.families import family_of
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.paths import IMAGE_CACHE

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=30, help="batches a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.chdir(options.folder)
    with tempfile.TemporaryDirectory() as scratch:
        compare(config.load(), options.steps, options.rounds, Path(scratch) / "images.npy")


def compare(settings: config.Config, steps: int, rounds: int, scratch: Path) -> None:
    """Print the speeds and their ratios."""
    hardware = choose_hardware("float32", settings.train.threads)
    prepare_tensorflow(hardware, settings.train.seed)
    family, size = family_of(settings.detector), settings.train.batch_size
    plates = read_split()
    examples = family.load_examples(plates[plates["split"] == "train"], IMAGE_CACHE, settings, scratch)
    steps_per_epoch = settings.train.steps_per_epoch or -(-len(examples.images) // size)
    pipeline = family.training_batches(examples, settings, steps_per_epoch, range(steps))
    memory = pipeline.cache()
    plain, mixed = (_compiled(settings, precision, steps_per_epoch) for precision in ("float32", "mixed_bfloat16"))
    runs = {
        "float32, batches in memory": (plain, memory),
        "mixed_bfloat16, batches in memory": (mixed, memory),
        "mixed_bfloat16, input pipeline": (mixed, pipeline),
    }
    for run in runs.values():
        _spent(*run)
    spent = np.empty((rounds, len(runs), 2))
    for number in range(rounds):
        for turn in range(len(runs)):
            which = (number + turn) % len(runs)  # in each round another one goes first
            spent[number, which] = _spent(*list(runs.values())[which])
    print(f"{settings.detector.name}: n={rounds} rounds of {steps} batches of {size}, {hardware.threads} threads")
    for which, clock in enumerate(("wall", "CPU")):
        seconds = spent[..., which]
        for name, median in zip(runs, np.median(seconds, axis=0), strict=True):
            print(f"{clock}: {name}: {(steps - 1) * size / median:.1f} images/s")
        _print_ratio(f"{clock}: images/s in mixed_bfloat16 / in float32", seconds[:, 0] / seconds[:, 1])
        _print_ratio(f"{clock}: time with the input pipeline / from memory", seconds[:, 2] / seconds[:, 1])


def _compiled(settings: config.Config, precision: str, steps_per_epoch: int) -> keras.Model:
    from lpr.nn.optimizers import build_optimizer

    family = family_of(settings.detector)
    model: keras.Model = family.build(settings.detector, precision, settings.train.seed)
    optimizer = build_optimizer(settings.optimizer, settings.train, steps_per_epoch)
    model.compile(optimizer, family.training_loss(settings.loss), metrics=[family.metric()])
    return model


def _spent(model: keras.Model, batches: tf.data.Dataset) -> tuple[float, float]:
    """Seconds by the clock and by the CPU, from the end of the first batch to that of the last."""
    import keras

    ends: list[tuple[float, float]] = []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            ends.append((time.perf_counter(), time.process_time()))

    model.fit(batches, callbacks=[Clock()], shuffle=False, verbose=0)
    return ends[-1][0] - ends[0][0], ends[-1][1] - ends[0][1]


def _print_ratio(name: str, ratios: np.ndarray) -> None:
    print(f"{name}: {np.median(ratios):.2f} ({ratios.min():.2f}–{ratios.max():.2f})")


if __name__ == "__main__":
    main()
