"""Train the detector: `models/`, `reports/history.csv`."""

import time

import pandas as pd

from lpr.boxes import ORIGINAL_BOX_COLUMNS
from lpr.config import Config
from lpr.data.input_pipeline import Examples
from lpr.data.plates import read_split_and_ignored
from lpr.data.tables import write_json
from lpr.detection import families
from lpr.detection.training import train
from lpr.errors import UserError
from lpr.nn.runtime import choose_hardware
from lpr.nn.workers import Worker
from lpr.paths import DETECTOR, HISTORY, IMAGE_CACHE, METRICS, MODELS, SCRATCH
from lpr.tracking.provenance import write_timing


def run(config: Config) -> None:
    """Train on the training images, and keep the epoch that is best on the validation images.

    With `TF_CONFIG` in the environment, this is one of several processes that train together (`lpr.nn.workers`).

    Raises:
        UserError: `target` is the recognizer, which other stages train.
    """
    if config.target != "detector":
        raise UserError(
            f"target={config.target}: `dvc repro` trains the detector. To train the recognizer: "
            "`dvc repro recognizer/dvc.yaml` (make recognizer), or `lpr experiment experiment=recognizer`"
        )
    started, worker = time.monotonic(), Worker.of_environment()
    hardware = choose_hardware(config.train.precision, config.train.threads)
    plates, ignored = read_split_and_ignored()
    if config.train.only_override_boxes:
        plates = with_override_boxes(plates)
    family = families.load(config.detector.name)

    def load(split: str) -> Examples | None:
        part = plates[plates["split"] == split]
        return family.load_examples(part, ignored, IMAGE_CACHE, config, SCRATCH) if len(part) else None

    training, validation = load("train"), load("validation")
    assert training is not None, "the split stage refuses an empty training split"
    print(f"{len(training.images)} images; {hardware.precision}, {hardware.threads} threads")
    metrics = train(config, training, validation, hardware, MODELS, HISTORY, SCRATCH / "training", worker)
    if not worker.chief:
        return
    write_json({"images": len(training.images), **metrics}, METRICS / "training.json")
    seconds = time.monotonic() - started
    write_timing("train", seconds, DETECTOR, precision=hardware.precision, threads=hardware.threads)


def with_override_boxes(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without the training and validation images that have a plate without an override box.

    Only sources that have override boxes at all lose images. An image without plates stays.
    """
    overridden = rows[ORIGINAL_BOX_COLUMNS].notna().all(axis=1)
    lacking = overridden.groupby(rows["source"]).transform("any") & ~overridden & rows["top_x"].notna()
    left_out = rows.loc[lacking & (rows["split"] != "test"), "image"].unique()
    print(f"{len(left_out)} images are left out, as plates in them have no override box")
    return rows[~rows["image"].isin(left_out)]
