"""Training against a plain Keras `fit` on arrays in memory: same network, batch, precision and steps, in turns.

    python benchmarks/train.py [--images 320] [--image-size 224] [--epochs 3] [--rounds 5]

Prints wall and CPU seconds of each, in a process of its own and compiling included, and the median ratios ours / plain,
pair by pair. Ours also has to make the batches of bytes, write history and checkpoint every epoch, and save the models.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from lpr.composition.compose import compose
from lpr.config import Config
from lpr.data.input_pipeline import Examples
from lpr.detection.families import build_detector
from lpr.detection.training import train
from lpr.nn.losses import build_loss, mean_iou
from lpr.nn.optimizers import build_optimizer
from lpr.nn.runtime import choose_hardware, prepare_tensorflow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    generator = np.random.default_rng(0)
    shape = (options.images, options.image_size_px, options.image_size_px, 3)
    boxes = generator.random((options.images, 4), np.float32)
    examples = Examples(generator.integers(0, 256, shape, dtype=np.uint8), boxes)
    size = f"detector.image_size_px={options.image_size_px}"
    config = compose(["experiment=original", size, f"train.epochs={options.epochs}"])

    ratios: dict[str, list[float]] = {"wall": [], "CPU": []}
    for number in range(options.rounds):
        order = (ours, plain) if number % 2 else (plain, ours)
        spent = {run: _spent(run, config, examples) for run in order}
        for kind, found in ratios.items():
            found.append(spent[ours][kind] / spent[plain][kind])
            seconds = f"ours {spent[ours][kind]:.1f} s, plain {spent[plain][kind]:.1f} s"
            print(f"{kind}: {seconds}, ratio {found[-1]:.3f}", flush=True)
    for kind, found in ratios.items():
        spread = f"{min(found):.3f}–{max(found):.3f} (n={len(found)})"
        print(f"{kind}: median ratio ours / plain {statistics.median(found):.3f}, {spread}")


def ours(config: Config, examples: Examples) -> None:
    """The project's training."""
    hardware = choose_hardware(config.train.precision, config.train.threads)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train(config, examples, None, hardware, place, place / "history.csv", place / "state")


def plain(config: Config, examples: Examples) -> None:
    """`model.fit` on float arrays in memory, as a notebook has it."""
    hardware = choose_hardware(config.train.precision, config.train.threads)
    images = examples.images.astype(np.float32) / 255
    model = build_detector(config.detector, hardware.precision, 0)
    steps = -(-len(images) // config.train.batch_size)
    model.compile(build_optimizer(config.optimizer, config.train, steps), build_loss(config.loss), metrics=[mean_iou])
    model.fit(images, examples.boxes, config.train.batch_size, config.train.epochs, verbose=0)


def _spent(run: Callable[[Config, Examples], None], config: Config, examples: Examples) -> dict[str, float]:
    """Seconds in a process of its own, as a stage has it; starting it is not counted."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_clocked, run, config, examples).result()


def _clocked(run: Callable[[Config, Examples], None], config: Config, examples: Examples) -> dict[str, float]:
    prepare_tensorflow(choose_hardware(config.train.precision, config.train.threads), 0)
    started = time.perf_counter(), time.process_time()
    run(config, examples)
    return {"wall": time.perf_counter() - started[0], "CPU": time.process_time() - started[1]}


if __name__ == "__main__":
    main()
