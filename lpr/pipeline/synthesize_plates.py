"""Draw the plates that the recognizer is trained on: `data/synthetic_plates.npz`."""

import time

from lpr.config import Config
from lpr.paths import SYNTHETIC_PLATES
from lpr.synthesis.lettered_plates import draw_lettered_plates
from lpr.synthesis.plate_file import save_plates
from lpr.tracking.provenance import write_timing


def run(config: Config) -> None:
    """Draw `recognizer.synthetic_plates` plates."""
    started = time.monotonic()
    plates = draw_lettered_plates(config.recognizer.synthetic_plates, config.recognizer.train.seed)
    save_plates(plates, SYNTHETIC_PLATES)
    print(f"{len(plates)} plates with {sum(len(plate.text) for plate in plates)} characters")
    write_timing("synthesize-plates", time.monotonic() - started, SYNTHETIC_PLATES)
