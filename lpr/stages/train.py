"""Train the detector: `models/`, `reports/history.csv`."""

import time

import pandas as pd

from lpr.config import Config
from lpr.data.batches import box_fractions, decode_pictures, largest_plates
from lpr.detector.training import Examples, choose_hardware, train
from lpr.provenance import write_timing
from lpr.stages.files import DETECTOR, HISTORY, IMAGES, METRICS, MODELS, SCRATCH, read_split_plates, write_json


def run(config: Config) -> None:
    """Train on the train side, choose the best epoch on the validation side."""
    started = time.monotonic()
    hardware = choose_hardware(config.train.precision, config.train.threads)
    plates = read_split_plates()
    several = int(((plates["split"] == "train") & (plates["plate"] == 1)).sum())
    if several:
        print(f"{several} training pictures have several plates: the largest of each is the one to find")
    training, validation = (_examples(plates, side, config) for side in ("train", "validation"))
    assert training is not None, "the split refuses an empty train side"
    print(f"{len(training.pictures)} pictures; {hardware.precision}, {hardware.threads} threads")
    metrics = train(config, training, validation, hardware, MODELS, HISTORY, SCRATCH / "training")
    write_json({"pictures": len(training.pictures), **metrics}, METRICS / "training.json")
    seconds = time.monotonic() - started
    write_timing("train", seconds, DETECTOR, precision=hardware.precision, threads=hardware.threads)


def _examples(plates: pd.DataFrame, side: str, config: Config) -> Examples | None:
    chosen = largest_plates(plates[plates["split"] == side])
    if chosen.empty:
        return None
    paths = [IMAGES / name for name in chosen["image"]]
    scratch = SCRATCH / "pictures" / f"{side}.npy"
    pictures = decode_pictures(paths, config.detector.image_size, config.train.max_memory_mb, scratch)
    return Examples(pictures, box_fractions(chosen))
