"""Read the plates, on true and predicted boxes: `reports/readings.csv`, `reading_figures/`, `metrics/reading.json`."""

import shutil
import time
from dataclasses import asdict

from lpr.config import Config
from lpr.data.tables import read_table, write_table
from lpr.provenance import write_timing
from lpr.reader.reading import crops_of, read_plates
from lpr.reader.scoring import score_readings
from lpr.report.reading_figures import draw_confusions, draw_reliability, draw_worst, worst
from lpr.stages.files import DETECTIONS, IMAGES, METRICS, READING_FIGURES, READINGS, SCRATCH, print_scores, write_json

_WORST = 24


def run(config: Config) -> None:
    """Read, and score where the texts are known."""
    started = time.monotonic()
    detections = read_table(DETECTIONS)
    readings, timings = read_plates(detections, IMAGES, config.reader, SCRATCH / config.reader.name)
    write_table(readings, READINGS)
    scores = score_readings(readings)
    write_json(scores, METRICS / "reading.json")

    shutil.rmtree(READING_FIGURES, ignore_errors=True)
    READING_FIGURES.mkdir(parents=True)
    known = readings[(readings["boxes"] == "true") & (readings["text"] != "")]  # the reader alone
    if len(known):
        draw_confusions(known, READING_FIGURES / "confusions.png")
        draw_reliability(known, READING_FIGURES / "reliability.png")
        chosen = worst(known, _WORST)
        crops = crops_of(chosen, detections, IMAGES, config.reader.margin)
        draw_worst(crops, chosen, READING_FIGURES / "worst.png", "the worst readings on true boxes")
    print_scores(scores)
    print(f"{readings['doubtful'].sum()} of {len(readings)} readings are doubtful: column `doubtful` of {READINGS}")
    write_timing("read", time.monotonic() - started, READINGS, **asdict(timings))
