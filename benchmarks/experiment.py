"""What an experiment costs beyond its training, evaluation and OCR.

    python benchmarks/experiment.py [ROUNDS] [KEY=VALUE …] [--output docs/results/speed_experiment.json]

Runs, in turns, the whole of `lpr experiment` and a bare script that loads the same images into memory and calls
Keras's `fit` with the same network, batch size, precision and epochs; both are whole processes. The overhead is the
experiment's time less the script's, and less what its evaluation and OCR took by its own clock: composition, split,
links, tables, page, wandb.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from checkout import copy_checkout, run
from results import add_output, median_of, write_results
from tables import cell

from lpr.paths import SCRATCH

SHORT = ("train.epochs=3", "train.warmup_epochs=1", "augment=none")

BARE = """
import numpy as np
from PIL import Image
from lpr import config
from lpr.data.input_pipeline import box_fractions
from lpr.data.plates import largest_plates, read_split
from lpr.detection.families import regression
from lpr.nn.losses import build_loss, mean_iou
from lpr.nn.optimizers import build_optimizer
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.paths import IMAGE_CACHE

settings = config.load()
train = settings.train
plates = read_split()
hardware = choose_hardware(train.precision, train.threads)
prepare_tensorflow(hardware, 0)

def load(split):
    chosen, size = largest_plates(plates[plates["split"] == split]), settings.detector.image_size_px
    images = [np.asarray(Image.open(IMAGE_CACHE / name).resize((size, size))) for name in chosen["image"]]
    return np.stack(images).astype(np.float32) / 255, box_fractions(chosen)

images, boxes = load("train")
steps = -(-len(images) // train.batch_size)
model = regression.build(regression.Settings(**settings.detector.model_dump()), hardware.precision, 0)
model.compile(build_optimizer(settings.optimizer, train, steps), build_loss(settings.loss), metrics=[mean_iou])
model.fit(images, boxes, train.batch_size, train.epochs, validation_data=load("validation"), verbose=0)
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    overheads = []
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        command = ("python", "-m", "lpr", "experiment", *SHORT, *options.overrides, "hydra.run.dir=experiments/one")
        run(copy, *command)  # prepares the images
        folder = copy / "experiments" / "one"
        for _ in range(options.rounds):
            whole = run(copy, *command)
            evaluation, ocr = (seconds(folder, stage) for stage in ("evaluate", "ocr"))
            bare = run(folder, "python", "-c", BARE, PYTHONPATH=str(copy))
            overheads.append(whole - bare - evaluation - ocr)
            parts = f"bare script {bare:.1f} s, evaluation {evaluation:.1f} s, OCR {ocr:.1f} s"
            print(f"lpr experiment {whole:.1f} s, {parts}: overhead {overheads[-1]:.1f} s", flush=True)
    overhead = median_of(overheads, "s")
    print(f"overhead of an experiment: {cell(overhead, with_n=True)}")
    if options.output:
        rows = [{"what": "beyond its training, evaluation and OCR", "overhead": overhead}]
        write_results(options.output, "Overhead of an experiment", " ".join(options.overrides), rows, "range")


def seconds(folder: Path, stage: str) -> float:
    """What a stage of an experiment took by its own clock."""
    timing: float = json.loads((folder / SCRATCH / "timings" / f"{stage}.json").read_text())["seconds"]
    return timing


if __name__ == "__main__":
    main()
