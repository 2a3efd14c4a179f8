"""Training against a plain Keras `fit` on arrays in memory: same network, batch, precision and steps, in turns.

    python benchmarks/train.py [--pictures 320] [--image-size 224] [--epochs 6] [--rounds 5]

Prints seconds of each, compiling included, and the median ratio ours / plain, pair by pair. Ours also has to make the
batches of bytes, write the history and a checkpoint an epoch, and save the models.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from lpr.config import Config, compose
from lpr.detector.losses import build_loss, build_optimizer, mean_iou
from lpr.detector.networks import build_detector
from lpr.detector.training import Examples, Hardware, choose_hardware, prepare_tensorflow, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=320)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    generator = np.random.default_rng(0)
    shape = (options.pictures, options.image_size, options.image_size, 3)
    boxes = generator.random((options.pictures, 4), np.float32)
    examples = Examples(generator.integers(0, 256, shape, dtype=np.uint8), boxes)
    config = compose(["experiment=seed", f"detector.image_size={options.image_size}", f"train.epochs={options.epochs}"])
    ratios = []
    for number in range(options.rounds):
        order = (ours, plain) if number % 2 else (plain, ours)
        seconds = {run: run(config, examples) for run in order}
        ratios.append(seconds[ours] / seconds[plain])
        rate = options.pictures * options.epochs / seconds[ours]
        print(
            f"ours {seconds[ours]:.1f} s ({rate:.0f} pictures/s), plain {seconds[plain]:.1f} s, ratio {ratios[-1]:.3f}"
        )
    print(f"median ratio ours / plain: {statistics.median(ratios):.3f} (n={len(ratios)})")


def ours(config: Config, examples: Examples) -> float:
    """Seconds of the project's training."""
    hardware = choose_hardware(config.train.precision, config.train.threads)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        started = time.perf_counter()
        train(config, examples, None, hardware, place, place / "history.csv", place / "state")
        return time.perf_counter() - started


def plain(config: Config, examples: Examples) -> float:
    """Seconds of `model.fit` on float arrays in memory."""
    hardware: Hardware = choose_hardware(config.train.precision, config.train.threads)
    prepare_tensorflow(hardware, 0)
    pictures = examples.pictures.astype(np.float32) / 255
    started = time.perf_counter()
    model = build_detector(config.detector, hardware.precision, 0)
    steps = -(-len(pictures) // config.train.batch_size)
    model.compile(build_optimizer(config.optimizer, config.train, steps), build_loss(config.loss), metrics=[mean_iou])
    model.fit(pictures, examples.boxes, config.train.batch_size, config.train.epochs, verbose=0)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
