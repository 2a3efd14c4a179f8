"""Train the detector: `models/`, `reports/history.csv`."""

import time

import pandas as pd

from lpr.boxes import ORIGINAL_BOX_COLUMNS
from lpr.config import Config
from lpr.data.input_pipeline import Examples
from lpr.data.plates import read_split
from lpr.data.tables import write_json
from lpr.detection import families
from lpr.detection.training import train
from lpr.errors import UserError
from lpr.nn.runtime import choose_hardware
from lpr.paths import DETECTOR, HISTORY, IMAGE_CACHE, METRICS, MODELS, SCRATCH
from lpr.tracking.provenance import write_timing


def run(config: Config) -> None:
    """Train on the train side, choose the best epoch on the validation side.

    Raises:
        UserError: it is the recognizer that the configuration trains.
    """
    if config.target != "detector":
        raise UserError(
            f"target={config.target}: `dvc repro` trains the detector. To train the recognizer: "
            "`dvc repro recognizer/dvc.yaml` (make recognizer), or `lpr experiment experiment=recognizer`"
        )
    started = time.monotonic()
    hardware = choose_hardware(config.train.precision, config.train.threads)
    plates = with_override_boxes(read_split()) if config.train.only_override_boxes else read_split()
    family = families.load(config.detector.name)

    def load(side: str) -> Examples | None:
        part, scratch = plates[plates["split"] == side], SCRATCH / "images" / f"{side}.npy"
        return family.load_examples(part, IMAGE_CACHE, config, scratch) if len(part) else None

    training, validation = load("train"), load("validation")
    assert training is not None, "the split refuses an empty train side"
    print(f"{len(training.images)} images; {hardware.precision}, {hardware.threads} threads")
    metrics = train(config, training, validation, hardware, MODELS, HISTORY, SCRATCH / "training")
    write_json({"images": len(training.images), **metrics}, METRICS / "training.json")
    seconds = time.monotonic() - started
    write_timing("train", seconds, DETECTOR, precision=hardware.precision, threads=hardware.threads)


def with_override_boxes(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the images that show a plate whose box is no joined one, where others of its source are."""
    joined = rows[ORIGINAL_BOX_COLUMNS].notna().all(axis=1)
    doubtful = joined.groupby(rows["source"]).transform("any") & ~joined & rows["top_x"].notna()
    left_out = rows.loc[doubtful & (rows["split"] != "test"), "image"].unique()
    print(f"{len(left_out)} images are left out, as plates in them have no joined box")
    return rows[~rows["image"].isin(left_out)]
