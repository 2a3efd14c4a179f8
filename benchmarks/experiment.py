"""What an experiment costs beyond its training, evaluation and reading.

    python benchmarks/experiment.py [ROUNDS] [KEY=VALUE …]

Runs, in turns, the whole of `lpr experiment` and a bare script that loads the same images into memory and calls
Keras's `fit` with the same network, batch, precision and epochs; both are whole processes. The overhead is the
experiment's time less the script's, and less what its evaluation and reading took by its own clock: composition, split,
linking, tables, page, wandb.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from checkout import copy_checkout, run

SHORT = ("train.epochs=3", "train.warmup_epochs=1", "augment=none")

BARE = """
import sys
import numpy as np
from PIL import Image
from lpr import config
from lpr.nn.losses import build_loss, build_optimizer, mean_iou
from lpr.nn.saving import build_detector
from lpr.nn.training import choose_hardware, prepare_tensorflow
from lpr.data.input_pipeline import box_fractions, largest_plates
from lpr.paths import IMAGE_CACHE, read_split

settings = config.load()
plates = read_split()
hardware = choose_hardware(settings.train.precision, settings.train.threads)
prepare_tensorflow(hardware, 0)

def load(side):
    chosen, size = largest_plates(plates[plates["split"] == side]), settings.detector.image_size_px
    images = [np.asarray(Image.open(IMAGE_CACHE / name).resize((size, size))) for name in chosen["image"]]
    return np.stack(images).astype(np.float32) / 255, box_fractions(chosen)

images, boxes = load("train")
steps = -(-len(images) // settings.train.batch_size)
model = build_detector(settings.detector, hardware.precision, 0)
model.compile(build_optimizer(settings.optimizer, settings.train, steps), build_loss(settings.loss), metrics=[mean_iou])
train = settings.train
model.fit(images, boxes, train.batch_size, train.epochs, validation_data=load("validation"), verbose=0)
"""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    overheads = []
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        command = ("python", "-m", "lpr", "experiment", *SHORT, *sys.argv[2:], "hydra.run.dir=experiments/one")
        run(copy, *command)  # prepares the images
        folder = copy / "experiments" / "one"
        for _ in range(rounds):
            whole = run(copy, *command)
            timings = folder / ".lpr" / "timings"
            own = {
                stage: json.loads((timings / f"{stage}.json").read_text())["seconds"] for stage in ("evaluate", "read")
            }
            bare = run(folder, "python", "-c", BARE, PYTHONPATH=str(copy))
            overheads.append(whole - bare - sum(own.values()))
            print(
                f"lpr experiment {whole:.1f} s, bare script {bare:.1f} s, evaluation {own['evaluate']:.1f} s, reading "
                f"{own['read']:.1f} s: {overheads[-1]:.1f} s over",
                flush=True,
            )
    spread = f"{min(overheads):.1f}–{max(overheads):.1f}, n={rounds}"
    print(f"overhead of an experiment: {statistics.median(overheads):.1f} s ({spread})")


if __name__ == "__main__":
    main()
