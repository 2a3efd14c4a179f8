"""Score the detector: `reports/predictions.csv`, `detections.csv` and `figures/`, `metrics/detection.json`."""

import shutil
import time

from lpr.boxes import BOX_COLUMNS
from lpr.config import Config
from lpr.data.tables import read_table, write_table
from lpr.detector.networks import load_detector
from lpr.detector.prediction import find_plates
from lpr.detector.scoring import detections, predictions, score_detections, score_labels
from lpr.provenance import write_timing
from lpr.report.figures import choose_rows, draw_contact_sheet, draw_history, draw_iou_histogram
from lpr.stages.files import (
    DETECTIONS,
    DETECTOR,
    FIGURES,
    HISTORY,
    IMAGES,
    METRICS,
    PREDICTIONS,
    print_scores,
    read_split,
    write_json,
)
from lpr.training import choose_hardware, prepare_tensorflow

_PICTURES_A_SHEET = 24


def run(config: Config) -> None:
    """Look for plates in every picture of every side."""
    started = time.monotonic()
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    rows = read_split()
    pictures, plates = rows.drop_duplicates("image"), rows.dropna(subset=BOX_COLUMNS)
    model = load_detector(DETECTOR)
    found = predictions(pictures, find_plates(model, [IMAGES / name for name in pictures["image"]], config.inference))
    write_table(found, PREDICTIONS)
    confidence = config.inference.confidence
    table = detections(plates, found[found["confidence"] >= confidence])
    write_table(table, DETECTIONS)
    plain = score_detections(table, found, pictures, confidence)
    scores = dict(sorted((plain | score_labels(plates, found, pictures, confidence)).items()))
    write_json(scores, METRICS / "detection.json")

    shutil.rmtree(FIGURES, ignore_errors=True)
    FIGURES.mkdir(parents=True)
    draw_history(read_table(HISTORY), FIGURES / "history.png")
    draw_iou_histogram(table, FIGURES / "iou_histogram.png")
    tested = table[table["split"] == "test"]
    for which in ("worst", "median", "best"):
        chosen = choose_rows(tested, which, _PICTURES_A_SHEET)
        draw_contact_sheet(chosen, IMAGES, FIGURES / f"{which}.png", f"{which} detections of the test pictures")
    print_scores(scores)
    write_timing("evaluate", time.monotonic() - started, DETECTIONS)
