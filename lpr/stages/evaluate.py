"""Score the detector: `reports/detections.csv`, `metrics/detection.json`, `reports/figures/`."""

import shutil
import time

from lpr.config import Config
from lpr.data.batches import decode_pictures
from lpr.data.tables import read_table, write_table
from lpr.detector.scoring import detections, predict_boxes, score_detections
from lpr.detector.training import choose_hardware, prepare_tensorflow
from lpr.provenance import write_timing
from lpr.report.figures import choose_rows, draw_contact_sheet, draw_history, draw_iou_histogram
from lpr.stages.files import (
    DETECTIONS,
    DETECTOR,
    FIGURES,
    HISTORY,
    IMAGES,
    METRICS,
    SCRATCH,
    print_scores,
    read_split_plates,
    write_json,
)

_PICTURES_A_SHEET = 24


def run(config: Config) -> None:
    """Look for the plate in every picture of every side."""
    started = time.monotonic()
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    import keras

    plates = read_split_plates()
    model = keras.saving.load_model(DETECTOR, compile=False)
    images = plates["image"].drop_duplicates()
    paths, scratch = [IMAGES / name for name in images], SCRATCH / "pictures" / "all.npy"
    pictures = decode_pictures(paths, model.input_shape[1], config.train.max_memory_mb, scratch)
    table = detections(plates, images, predict_boxes(model, pictures))
    write_table(table, DETECTIONS)
    scores = score_detections(table, plates)
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
