"""Recognize the texts in true and predicted boxes: `reports/recognitions.csv`, `metrics/recognition.json`, figures."""

import shutil
import time
from dataclasses import asdict

from lpr.config import Config
from lpr.data.tables import read_table, write_json, write_table
from lpr.metrics import table as metric_table
from lpr.metrics.recognition import score_recognitions
from lpr.metrics.statistics import print_scores
from lpr.ocr.recognition import recognize_plates, true_crops
from lpr.paths import DETECTIONS, IMAGE_CACHE, METRICS, RECOGNITION_FIGURES, RECOGNITIONS, SCRATCH
from lpr.report.recognition_figures import choose_worst, draw_confusions, draw_reliability, draw_worst
from lpr.tracking.provenance import write_timing

_WORST = 24


def run(config: Config) -> None:
    """Run the OCR engine over the plates, and score its texts where the true ones are known."""
    started = time.monotonic()
    detections = read_table(DETECTIONS)
    recognitions, timings = recognize_plates(detections, IMAGE_CACHE, config.ocr, SCRATCH / config.ocr.name)
    write_table(recognitions, RECOGNITIONS)
    scores = score_recognitions(recognitions, metric_table.load(config.metrics).recognition)
    write_json(scores, METRICS / "recognition.json")

    shutil.rmtree(RECOGNITION_FIGURES, ignore_errors=True)
    RECOGNITION_FIGURES.mkdir(parents=True)
    known = recognitions[(recognitions["boxes"] == "true") & (recognitions["text"] != "")]  # the OCR engine alone
    if len(known):
        draw_confusions(known, RECOGNITION_FIGURES / "confusions.png")
        draw_reliability(known, RECOGNITION_FIGURES / "reliability.png")
        chosen = choose_worst(known, _WORST)
        crops = true_crops(chosen, detections, IMAGE_CACHE, config.ocr.margin)
        draw_worst(crops, chosen, RECOGNITION_FIGURES / "worst.png", "the worst recognitions on true boxes")
    print_scores(scores)
    print(
        f"{recognitions['low_confidence'].sum()} of {len(recognitions)} texts have a low confidence: column "
        f"`low_confidence` of {RECOGNITIONS}"
    )
    write_timing("ocr", time.monotonic() - started, RECOGNITIONS, **asdict(timings))
