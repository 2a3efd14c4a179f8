"""Train the detector: `models/`, `reports/history.csv`."""

import time

import pandas as pd

from lpr.boxes import OWN_BOX_COLUMNS
from lpr.config import Config
from lpr.data.batches import Examples
from lpr.detector.networks import family_of
from lpr.detector.training import train
from lpr.provenance import write_timing
from lpr.stages.files import DETECTOR, HISTORY, IMAGES, METRICS, MODELS, SCRATCH, read_split, write_json
from lpr.training import choose_hardware


def run(config: Config) -> None:
    """Train on the train side, choose the best epoch on the validation side."""
    started = time.monotonic()
    hardware = choose_hardware(config.train.precision, config.train.threads)
    plates = with_joined_boxes(read_split()) if config.train.only_joined_boxes else read_split()
    family = family_of(config.detector)

    def load(side: str) -> Examples | None:
        part, scratch = plates[plates["split"] == side], SCRATCH / "pictures" / f"{side}.npy"
        return family.load_examples(part, IMAGES, config, scratch) if len(part) else None

    training, validation = load("train"), load("validation")
    assert training is not None, "the split refuses an empty train side"
    print(f"{len(training.pictures)} pictures; {hardware.precision}, {hardware.threads} threads")
    metrics = train(config, training, validation, hardware, MODELS, HISTORY, SCRATCH / "training")
    write_json({"pictures": len(training.pictures), **metrics}, METRICS / "training.json")
    seconds = time.monotonic() - started
    write_timing("train", seconds, DETECTOR, precision=hardware.precision, threads=hardware.threads)


def with_joined_boxes(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the pictures that show a plate whose box is no joined one, where others of its source are."""
    joined = rows[OWN_BOX_COLUMNS].notna().all(axis=1)
    doubtful = joined.groupby(rows["source"]).transform("any") & ~joined & rows["top_x"].notna()
    left_out = rows.loc[doubtful & (rows["split"] != "test"), "image"].unique()
    print(f"{len(left_out)} pictures are left out, as plates in them have no joined box")
    return rows[~rows["image"].isin(left_out)]
