"""Training images a second: mixed_bfloat16 against float32, the input pipeline against batches in memory, and images in
files against images in memory.

    python benchmarks/train_speed.py FOLDER [--steps 30] [--rounds 5]

FOLDER is a project or an experiment's folder in which `lpr split` has run; its params.yaml has the detector and the
batch size. All train on the same batches, in turns, in one process; compiling and the first batch are not counted.
Prints the medians of the rounds, of wall time and of CPU time, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import mmap
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from results import add_output, median_of, write_results
from tables import cell

from lpr import config
from lpr.data.plates import read_split_and_ignored
from lpr.detection import families
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.nn.training import steps_per_epoch
from lpr.paths import IMAGE_CACHE

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from lpr.data.input_pipeline import Examples

_MADV_PAGEOUT = 21  # of Linux; the module `mmap` has no name for it


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=30, help="batches a round")
    parser.add_argument("--rounds", type=int, default=5)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    output = options.output and options.output.resolve()
    os.chdir(options.folder)
    with tempfile.TemporaryDirectory() as scratch:
        settings = config.load()
        rows = compare(settings, options.steps, options.rounds, Path(scratch))
    if output:
        detector = settings.detector
        data = f"detector={detector.name}, batches of {settings.train.batch_size}, {detector.image_size_px} px"
        write_results(output, "Training the network of `experiment=best`", data, rows, "range")


def compare(settings: config.Config, steps: int, rounds: int, scratch: Path) -> list[dict[str, Any]]:
    """Print the speeds and their ratios; the latter are the rows of the results file."""
    hardware = choose_hardware("float32", settings.train.threads)
    prepare_tensorflow(hardware, settings.train.seed)
    family, size = families.load(settings.detector.name), settings.train.batch_size
    plates, ignored = read_split_and_ignored()
    training = plates[plates["split"] == "train"]

    def load(max_memory_mb: int) -> Examples:
        train = settings.train.model_copy(update={"max_memory_mb": max_memory_mb})
        changed = settings.model_copy(update={"train": train})
        return family.load_examples(training, ignored, IMAGE_CACHE, changed, scratch)

    in_memory, in_files = load(2**20), load(1)
    epoch_steps = steps_per_epoch(settings.train, in_memory.samples_per_epoch)
    pipeline, from_files = (
        family.training_batches(examples, settings, epoch_steps, range(steps)) for examples in (in_memory, in_files)
    )
    memory = pipeline.cache()
    plain, mixed = (_compiled(settings, precision, epoch_steps) for precision in ("float32", "mixed_bfloat16"))
    runs = {
        "float32, batches in memory": (plain, memory),
        "mixed_bfloat16, batches in memory": (mixed, memory),
        "mixed_bfloat16, input pipeline": (mixed, pipeline),
        "mixed_bfloat16, input pipeline, images in files": (mixed, from_files),
        "mixed_bfloat16, input pipeline, images in files that the system has not cached": (mixed, from_files),
    }
    for run in runs.values():
        _spent(*run)
    spent = np.empty((rounds, len(runs), 2))
    for number in range(rounds):
        for turn in range(len(runs)):
            which = (number + turn) % len(runs)  # in each round another one goes first
            if which == len(runs) - 1:
                _evict(getattr(in_files.images, "kept", in_files.images))
            spent[number, which] = _spent(*list(runs.values())[which])
    print(f"{settings.detector.name}: n={rounds} rounds of {steps} batches of {size}, {hardware.threads} threads")
    rows = []
    for which, clock in enumerate(("wall", "CPU")):
        seconds = spent[..., which]
        for name, median in zip(runs, np.median(seconds, axis=0), strict=True):
            print(f"{clock}: {name}: {(steps - 1) * size / median:.1f} images/s")
        ratios = {
            f"{clock}: images/s in `mixed_bfloat16`, against `float32`": seconds[:, 0] / seconds[:, 1],
            f"{clock}: time with the input pipeline, against batches in memory": seconds[:, 2] / seconds[:, 1],
            f"{clock}: time with images in files, against images in memory": seconds[:, 3] / seconds[:, 2],
            f"{clock}: time with images in files, none cached, against in memory": seconds[:, 4] / seconds[:, 2],
        }
        for what, values in ratios.items():
            ratio = median_of(values.tolist(), "×")
            rows.append({"what": what, "ratio": ratio})
            print(f"{what}: {cell(ratio, with_n=True)}")
    return rows


def _evict(images: Sequence[np.ndarray] | np.ndarray) -> None:
    """Have the system write mapped images to their files, and keep none of them in memory."""
    files = {}
    for image in images:
        while isinstance(image.base, np.ndarray):
            image = image.base
        assert isinstance(image.base, mmap.mmap), "the images are in memory"
        files[id(image.base)] = image.base
    for file in files.values():
        file.flush()
        file.madvise(_MADV_PAGEOUT)


def _compiled(settings: config.Config, precision: str, epoch_steps: int) -> keras.Model:
    from lpr.nn.optimizers import build_optimizer

    family = families.load(settings.detector.name)
    detector = family.Settings.model_validate(settings.detector.model_dump())
    model = family.build(detector, precision, settings.train.seed)
    optimizer = build_optimizer(settings.optimizer, settings.train, epoch_steps)
    model.compile(optimizer, family.training_loss(settings.loss), metrics=[family.metric()])
    return model


def _spent(model: keras.Model, batches: tf.data.Dataset) -> tuple[float, float]:
    """Wall and CPU seconds, from the end of the first batch to that of the last."""
    import keras

    ends: list[tuple[float, float]] = []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            ends.append((time.perf_counter(), time.process_time()))

    model.fit(batches, callbacks=[Clock()], shuffle=False, verbose=0)
    return ends[-1][0] - ends[0][0], ends[-1][1] - ends[0][1]


if __name__ == "__main__":
    main()
