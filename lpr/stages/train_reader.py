"""Train the reader's network: `models/reader.keras`, `reports/reader_history.csv`, `metrics/reader_training.json`."""

import time

from lpr.config import Config
from lpr.provenance import write_timing
from lpr.recognizer.plate_file import load_plates
from lpr.recognizer.training import train
from lpr.stages.files import DRAWN_PLATES, METRICS, PHOTOGRAPHED_PLATES, READER, READER_HISTORY, SCRATCH, write_json
from lpr.training import choose_hardware


def run(config: Config) -> None:
    """Train on crops of the drawn plates, and of photographed ones."""
    started = time.monotonic()
    settings = config.recognizer
    hardware = choose_hardware(settings.train.precision, settings.train.threads)
    plates, photographed = load_plates(DRAWN_PLATES), load_plates(PHOTOGRAPHED_PLATES)
    print(
        f"{len(plates)} drawn and {len(photographed)} photographed plates; "
        f"{hardware.precision}, {hardware.threads} threads"
    )
    metrics = train(settings, plates, photographed, hardware, READER, READER_HISTORY, SCRATCH / "reader_training")
    write_json({"plates": len(plates), "photographed": len(photographed), **metrics}, METRICS / "reader_training.json")
    seconds = time.monotonic() - started
    write_timing("train-reader", seconds, READER, precision=hardware.precision, threads=hardware.threads)
