"""Train the reader's network: `models/recognizer.keras`, `reports/recognizer_history.csv`, `metrics/recognizer_training.json`."""

import time

from lpr.config import Config
from lpr.data.tables import write_json
from lpr.nn.runtime import choose_hardware
from lpr.ocr.recognizer.training import train
from lpr.paths import METRICS, REAL_PLATES, RECOGNIZER, RECOGNIZER_HISTORY, SCRATCH, SYNTHETIC_PLATES
from lpr.synthesis.plate_file import load_plates
from lpr.tracking.provenance import write_timing


def run(config: Config) -> None:
    """Train on crops of the drawn plates, and of photographed ones."""
    started = time.monotonic()
    settings = config.recognizer
    hardware = choose_hardware(settings.train.precision, settings.train.threads)
    plates, photographed = load_plates(SYNTHETIC_PLATES), load_plates(REAL_PLATES)
    print(
        f"{len(plates)} drawn and {len(photographed)} photographed plates; "
        f"{hardware.precision}, {hardware.threads} threads"
    )
    metrics = train(
        settings, plates, photographed, hardware, RECOGNIZER, RECOGNIZER_HISTORY, SCRATCH / "recognizer_training"
    )
    write_json(
        {"plates": len(plates), "photographed": len(photographed), **metrics}, METRICS / "recognizer_training.json"
    )
    seconds = time.monotonic() - started
    write_timing("train-recognizer", seconds, RECOGNIZER, precision=hardware.precision, threads=hardware.threads)
