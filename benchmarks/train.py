"""Training against a plain Keras `fit` on arrays in memory: same network, batch, precision and steps, in turns.

    python benchmarks/train.py [--pictures 320] [--image-size 224] [--epochs 2] [--rounds 5]

Prints seconds of each and the median ratio ours / plain, pair by pair. Ours includes the input pipeline, the history,
the checkpoint an epoch and the saved models; both have their first, compiling epoch taken off.
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
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    size = [f"detector.image_size={options.image_size}"]
    generator = np.random.default_rng(0)
    shape = (options.pictures, options.image_size, options.image_size, 3)
    boxes = generator.random((options.pictures, 4), np.float32)
    examples = Examples(generator.integers(0, 256, shape, dtype=np.uint8), boxes)
    ratios = []
    for number in range(options.rounds):
        seconds = {}
        for name, run in (("ours", ours), ("plain", plain)):
            # The difference of a long and a short training: what compiling and starting cost falls out.
            epochs = (1, 1 + options.epochs)
            configs = [compose(["experiment=seed", *size, f"train.epochs={count}"]) for count in epochs]
            short, long = (run(config, examples) for config in configs)
            seconds[name] = long - short
        ratios.append(seconds["ours"] / seconds["plain"])
        print(
            f"round {number + 1}: ours {seconds['ours']:.2f} s, plain {seconds['plain']:.2f} s, ratio {ratios[-1]:.3f}"
        )
    rate = options.pictures * options.epochs / seconds["ours"]
    print(f"median ratio ours / plain: {statistics.median(ratios):.3f} (n={len(ratios)}); ours {rate:.0f} pictures/s")


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
