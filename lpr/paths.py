"""Where the stages' files are, relative to the project's root or an experiment's folder."""

from __future__ import annotations

from pathlib import Path

DATA, METRICS, MODELS, REPORTS = Path("data"), Path("metrics"), Path("models"), Path("reports")
CHECKED = DATA / "checked.txt"
SOURCES, IMAGE_CACHE = DATA / "sources", DATA / "images"
PLATES, REJECTS = DATA / "plates.csv", DATA / "rejects.csv"
IMAGES_CSV, FAILURES = DATA / "images.csv", DATA / "failures.csv"
SPLIT = DATA / "split.csv"
PSEUDO_LABELS = DATA / "pseudo_labels"
DETECTOR, HISTORY = MODELS / "detector.keras", REPORTS / "history.csv"
DETECTOR_ONNX = MODELS / "detector.onnx"
SHIPPED_DETECTOR = Path(__file__).parent / "detection" / "weights" / "detector.onnx"
SHIPPED_RECOGNIZER = Path(__file__).parent / "ocr" / "recognizer" / "weights" / "recognizer.onnx"
SHIPPED = {"detector": SHIPPED_DETECTOR, "recognizer": SHIPPED_RECOGNIZER}
SYNTHETIC_PLATES, REAL_PLATES = DATA / "synthetic_plates.npz", DATA / "real_plates.npz"
RECOGNIZER, RECOGNIZER_ONNX = MODELS / "recognizer.keras", MODELS / "recognizer.onnx"
RECOGNIZER_INT8 = MODELS / "recognizer.int8.onnx"
RECOGNIZER_HISTORY = REPORTS / "recognizer_history.csv"
SYNTHETIC_SCORES = METRICS / "synthetic_recognition.json"
SYNTHETIC_RECOGNITIONS = REPORTS / "synthetic_recognitions.csv"
SYNTHETIC_FIGURES = REPORTS / "synthetic_recognition_figures"
PREDICTIONS = REPORTS / "predictions.csv"
DETECTIONS, RECOGNITIONS = REPORTS / "detections.csv", REPORTS / "recognitions.csv"
DETECTION_FIGURES, RECOGNITION_FIGURES = REPORTS / "detection_figures", REPORTS / "recognition_figures"
PAGE, PROVENANCE = REPORTS / "index.html", REPORTS / "provenance.json"
AUDIT = REPORTS / "audit"
DATA_CHECK = REPORTS / "data"
SCRATCH = Path(".lpr")  # what is neither versioned nor kept: timings, unfinished work, answers of remote OCR engines


def conf_folder() -> Path:
    """`conf/` of the project in the current folder; elsewhere the one in lpr's wheel, or that of lpr's checkout.

    A folder of that name without options of `ocr` is of something else.
    """
    package = Path(__file__).parent
    own = (folder for folder in (Path("conf"), package / "conf") if (folder / "ocr").is_dir())
    return next(own, package.parent / "conf")


UNLISTED_IMAGES = SCRATCH / "unlisted_images"  # from the network, of data sets that were used before
