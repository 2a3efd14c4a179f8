"""The detector's training beside Keras's `fit` on arrays in memory: same network, batch, precision and steps, in turns.

    python benchmarks/train.py [--images 320] [--image-size 224] [--epochs 3] [--rounds 5] [--output FILE]

Prints wall and CPU seconds of each, in a process of its own and with compiling, and the medians of the ratios
ours / plain, pair by pair. Ours also converts the batches from bytes, writes history and checkpoint every epoch, and
saves the models.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from results import add_output, median_of, write_results
from tables import cell

from lpr.composition.compose import compose
from lpr.config import Config
from lpr.data.input_pipeline import Examples
from lpr.detection import families
from lpr.detection.training import train
from lpr.nn.losses import build_loss, mean_iou
from lpr.nn.optimizers import build_optimizer
from lpr.nn.runtime import choose_hardware, prepare_tensorflow


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    generator = np.random.default_rng(0)
    shape = (options.images, options.image_size, options.image_size, 3)
    boxes = generator.random((options.images, 4), np.float32)
    examples = Examples(generator.integers(0, 256, shape, dtype=np.uint8), boxes)
    size = f"detector.image_size_px={options.image_size}"
    config = compose(["experiment=original", size, f"train.epochs={options.epochs}"])

    ratios: dict[str, list[float]] = {"wall": [], "CPU": []}
    for number in range(options.rounds):
        order = (ours, plain) if number % 2 else (plain, ours)
        spent = {run: _spent(run, config, examples) for run in order}
        for kind, found in ratios.items():
            found.append(spent[ours][kind] / spent[plain][kind])
            seconds = f"ours {spent[ours][kind]:.1f} s, plain {spent[plain][kind]:.1f} s"
            print(f"{kind}: {seconds}, ratio {found[-1]:.3f}", flush=True)
    medians = {f"{kind} time, against a plain Keras `fit`": median_of(found, "×") for kind, found in ratios.items()}
    for what, ratio in medians.items():
        print(f"{what}: {cell(ratio, with_n=True)}")
    if options.output:
        rows = [{"what": what, "ratio": ratio} for what, ratio in medians.items()]
        data = f"experiment=original, {options.images} images of {options.image_size} px, {options.epochs} epochs"
        write_results(options.output, "Training the original's network", data, rows, "range")


def ours(config: Config, examples: Examples) -> None:
    """`lpr.detection.training.train`."""
    hardware = choose_hardware(config.train.precision, config.train.threads)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        train(config, examples, None, hardware, models, models / "history.csv", models / "state")


def plain(config: Config, examples: Examples) -> None:
    """`model.fit` on float arrays in memory, as in a notebook."""
    hardware = choose_hardware(config.train.precision, config.train.threads)
    images = np.asarray(examples.images, np.float32) / 255
    family = families.load(config.detector.name)
    settings = family.Settings.model_validate(config.detector.model_dump())
    model = family.build(settings, hardware.precision, 0)
    steps = -(-len(images) // config.train.batch_size)
    model.compile(build_optimizer(config.optimizer, config.train, steps), build_loss(config.loss), metrics=[mean_iou])
    model.fit(images, examples.boxes, config.train.batch_size, config.train.epochs, verbose=0)


def _spent(run: Callable[[Config, Examples], None], config: Config, examples: Examples) -> dict[str, float]:
    """Seconds in a process of its own, as in a stage; its start is not counted."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_timed, run, config, examples).result()


def _timed(run: Callable[[Config, Examples], None], config: Config, examples: Examples) -> dict[str, float]:
    prepare_tensorflow(choose_hardware(config.train.precision, config.train.threads), 0)
    started = time.perf_counter(), time.process_time()
    run(config, examples)
    return {"wall": time.perf_counter() - started[0], "CPU": time.process_time() - started[1]}


if __name__ == "__main__":
    main()
