"""Draw the plates that the reader's network learns from: `data/synthetic_plates.npz`."""

import time

from lpr.config import Config
from lpr.paths import SYNTHETIC_PLATES
from lpr.synthesis.lettered_plates import draw_plates
from lpr.synthesis.plate_file import save_plates
from lpr.tracking.provenance import write_timing


def run(config: Config) -> None:
    """Draw as many as `recognizer.synthetic_plates`."""
    started = time.monotonic()
    plates = draw_plates(config.recognizer.synthetic_plates, config.recognizer.train.seed)
    save_plates(plates, SYNTHETIC_PLATES)
    print(f"{len(plates)} plates with {sum(len(plate.text) for plate in plates)} characters")
    write_timing("synthesize-plates", time.monotonic() - started, SYNTHETIC_PLATES)
