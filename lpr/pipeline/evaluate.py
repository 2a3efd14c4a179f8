"""Score the detector: `reports/predictions.csv`, `reports/detections.csv` and figures, `metrics/detection.json`."""

import shutil
import time

from lpr.boxes import BOX_COLUMNS
from lpr.config import Config
from lpr.data.plates import read_split_and_ignored
from lpr.data.tables import read_table, write_json, write_table
from lpr.detection import families
from lpr.detection.prediction import detect_plates
from lpr.metrics import table as metric_table
from lpr.metrics.base import DetectionCases
from lpr.metrics.detection import (
    detections,
    predictions,
    score_detections,
    score_sources_by_boxes,
    without_ignored,
)
from lpr.metrics.statistics import print_scores
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.nn.saving import load_model
from lpr.paths import DETECTION_FIGURES, DETECTIONS, DETECTOR, HISTORY, IMAGE_CACHE, METRICS, PREDICTIONS
from lpr.report.detection_figures import choose_rows, draw_contact_sheet, draw_history, draw_iou_histogram
from lpr.tracking.provenance import write_timing

_IMAGES_A_SHEET = 24


def run(config: Config) -> None:
    """Detect plates in the images of all splits, and compare the boxes with the true ones."""
    started = time.monotonic()
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    rows, ignored = read_split_and_ignored()
    images, plates = rows.drop_duplicates("image"), rows.dropna(subset=BOX_COLUMNS)
    model = load_model(DETECTOR)
    paths = [IMAGE_CACHE / name for name in images["image"]]
    found = predictions(images, detect_plates(model, paths, families.load(config.detector.name), config.inference))
    found = without_ignored(found, plates, ignored)
    write_table(found, PREDICTIONS)
    confidence = config.inference.confidence_threshold
    table = detections(plates, found[found["confidence"] >= confidence])
    write_table(table, DETECTIONS)
    metrics = metric_table.load(config.metrics).detection
    scores = score_detections(DetectionCases(table, found, images, confidence), metrics)
    scores |= score_sources_by_boxes(plates, found, images, confidence, metrics)
    scores = dict(sorted(scores.items()))
    write_json(scores, METRICS / "detection.json")

    shutil.rmtree(DETECTION_FIGURES, ignore_errors=True)
    DETECTION_FIGURES.mkdir(parents=True)
    draw_history(read_table(HISTORY), DETECTION_FIGURES / "history.png")
    draw_iou_histogram(table, DETECTION_FIGURES / "iou_histogram.png")
    tested = table[table["split"] == "test"]
    for which in ("worst", "median", "best"):
        chosen = choose_rows(tested, which, _IMAGES_A_SHEET)
        draw_contact_sheet(
            chosen, IMAGE_CACHE, DETECTION_FIGURES / f"{which}.png", f"{which} detections of the test images"
        )
    print_scores(scores)
    write_timing("evaluate", time.monotonic() - started, DETECTIONS)
