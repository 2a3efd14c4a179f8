"""Train the recognizer: `models/recognizer.keras`, `reports/recognizer_history.csv`."""

import time

from lpr.config import Config
from lpr.data.tables import write_json
from lpr.nn.runtime import choose_hardware
from lpr.ocr.recognizer.training import train
from lpr.paths import METRICS, REAL_PLATES, RECOGNIZER, RECOGNIZER_HISTORY, SCRATCH, SYNTHETIC_PLATES
from lpr.synthesis.plate_file import load_plates
from lpr.tracking.provenance import write_timing


def run(config: Config) -> None:
    """Train on crops of the synthetic plates, and of the real ones where there are any."""
    started = time.monotonic()
    settings = config.recognizer
    hardware = choose_hardware(settings.train.precision, settings.train.threads)
    synthetic, real = load_plates(SYNTHETIC_PLATES), load_plates(REAL_PLATES)
    print(f"{len(synthetic)} synthetic and {len(real)} real plates; {hardware.precision}, {hardware.threads} threads")
    metrics = train(
        settings, synthetic, real, hardware, RECOGNIZER, RECOGNIZER_HISTORY, SCRATCH / "recognizer_training"
    )
    write_json(
        {"synthetic_plates": len(synthetic), "real_plates": len(real), **metrics}, METRICS / "recognizer_training.json"
    )
    seconds = time.monotonic() - started
    write_timing("train-recognizer", seconds, RECOGNIZER, precision=hardware.precision, threads=hardware.threads)
