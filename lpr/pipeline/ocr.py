"""Read the plates, on true and predicted boxes: `reports/recognitions.csv`, `recognition_figures/`, `metrics/recognition.json`."""

import shutil
import time
from dataclasses import asdict

from lpr.config import Config
from lpr.data.tables import read_table, write_json, write_table
from lpr.metrics.recognition import score_recognitions
from lpr.metrics.statistics import print_scores
from lpr.ocr.recognition import crops_of, recognize_plates
from lpr.paths import DETECTIONS, IMAGE_CACHE, METRICS, RECOGNITION_FIGURES, RECOGNITIONS, SCRATCH
from lpr.report.recognition_figures import draw_confusions, draw_reliability, draw_worst, worst
from lpr.tracking.provenance import write_timing

_WORST = 24


def run(config: Config) -> None:
    """Read, and score where the texts are known."""
    started = time.monotonic()
    detections = read_table(DETECTIONS)
    readings, timings = recognize_plates(detections, IMAGE_CACHE, config.ocr, SCRATCH / config.ocr.name)
    write_table(readings, RECOGNITIONS)
    scores = score_recognitions(readings)
    write_json(scores, METRICS / "recognition.json")

    shutil.rmtree(RECOGNITION_FIGURES, ignore_errors=True)
    RECOGNITION_FIGURES.mkdir(parents=True)
    known = readings[(readings["boxes"] == "true") & (readings["text"] != "")]  # the reader alone
    if len(known):
        draw_confusions(known, RECOGNITION_FIGURES / "confusions.png")
        draw_reliability(known, RECOGNITION_FIGURES / "reliability.png")
        chosen = worst(known, _WORST)
        crops = crops_of(chosen, detections, IMAGE_CACHE, config.ocr.margin)
        draw_worst(crops, chosen, RECOGNITION_FIGURES / "worst.png", "the worst readings on true boxes")
    print_scores(scores)
    print(f"{readings['doubtful'].sum()} of {len(readings)} readings are doubtful: column `doubtful` of {RECOGNITIONS}")
    write_timing("read", time.monotonic() - started, RECOGNITIONS, **asdict(timings))
