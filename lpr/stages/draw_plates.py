"""Draw the plates that the reader's network learns from: `data/drawn_plates.npz`."""

import time

from lpr.config import Config
from lpr.provenance import write_timing
from lpr.recognizer.plate_file import save_plates
from lpr.recognizer.plates import draw_plates
from lpr.stages.files import DRAWN_PLATES


def run(config: Config) -> None:
    """Draw as many as `recognizer.plates`."""
    started = time.monotonic()
    plates = draw_plates(config.recognizer.plates, config.recognizer.train.seed)
    save_plates(plates, DRAWN_PLATES)
    print(f"{len(plates)} plates with {sum(len(plate.text) for plate in plates)} characters")
    write_timing("draw-plates", time.monotonic() - started, DRAWN_PLATES)
