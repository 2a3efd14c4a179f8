"""Read the plates, on their true and on their predicted boxes: `reports/readings.csv`, `metrics/reading.json`."""

import time
from dataclasses import asdict

from lpr.config import Config
from lpr.data.tables import read_table, write_table
from lpr.provenance import write_timing
from lpr.reader.reading import read_plates
from lpr.reader.scoring import score_readings
from lpr.stages.files import DETECTIONS, IMAGES, METRICS, READINGS, SCRATCH, print_scores, write_json


def run(config: Config) -> None:
    """Read, and score where the texts are known."""
    started = time.monotonic()
    readings, timings = read_plates(read_table(DETECTIONS), IMAGES, config.reader, SCRATCH / config.reader.name)
    write_table(readings, READINGS)
    scores = score_readings(readings)
    write_json(scores, METRICS / "reading.json")
    print_scores(scores)
    write_timing("read", time.monotonic() - started, READINGS, **asdict(timings))
