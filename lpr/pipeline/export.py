"""The detector for use: `models/detector.onnx`, `models/detector.tflite`. A verb alone, no stage of `dvc repro`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lpr.boxes import BOX_COLUMNS
from lpr.config import Config
from lpr.data.plates import read_split
from lpr.data.tables import read_table
from lpr.detection import families
from lpr.detection.confidence import ValidationDetections
from lpr.detection.export import INT8, ONNX, TOLERANCE_CONFIDENCE, TOLERANCE_PX, export, export_int8
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.files import megabytes
from lpr.metrics.matching import match_predictions
from lpr.paths import DETECTOR, IMAGE_CACHE, PREDICTIONS, SPLIT
from lpr.synthesis.scenes import draw_scene

_IMAGES = 24  # to compare on
_TRAINING_IMAGES = 64  # that the ranges of a network's values are found by


def run(config: Config, output: Path, *, int8: bool = False) -> None:
    """Export, and print the largest deviations of the exported detectors from the trained one, and the threshold.

    Args:
        output: a folder.
        int8: whether `detector.int8.onnx` is written, too.
    """
    compared, which = _images("test", _IMAGES)
    images = list(compared)
    validation = _validation(config)
    deviations = export(DETECTOR, config, images, output, validation)
    if validation is not None:
        threshold = load_onnx_detector(output / ONNX).metadata.inference.confidence_threshold
        print(
            f"confidences calibrated on {validation.plates} plates of validation images; threshold {threshold}, of the "
            f"largest F1; {int((~validation.correct).sum())} other detections"
        )
    print(
        f"the boxes of {DETECTOR} on {len(images)} {which} images, to (allowed are {TOLERANCE_PX} px, "
        f"{TOLERANCE_CONFIDENCE} of confidence):"
    )
    for name, deviation in deviations.items():
        print(f"  {output / name}: {deviation}, {megabytes(output / name)}")
    if int8:
        trained, _ = _images("train", _TRAINING_IMAGES)  # one at a time: they may be large
        deviation = export_int8(output, trained, images, config.train.threads)
        print(f"in 8-bit integers, whose boxes differ: {output / INT8}: {deviation}, {megabytes(output / INT8)}")


def _validation(config: Config) -> ValidationDetections | None:
    """What was found in the validation images; None where there are none, or confidences mean nothing.

    Raises:
        UserError: `reports/predictions.csv` is missing.
    """
    if not SPLIT.is_file() or not families.load(config.detector.name).HAS_CONFIDENCE:
        return None
    rows = read_split()
    rows = rows[rows["split"] == "validation"]
    plates, images = rows.dropna(subset=BOX_COLUMNS), rows["image"].drop_duplicates().tolist()
    if plates.empty:
        return None
    found = read_table(PREDICTIONS)
    found = found[found["image"].isin(images)]
    matches = match_predictions(plates, found, images)
    # `match_predictions` orders them by falling confidence, equal ones as they come, image by image.
    confidences = np.sort(found["confidence"].to_numpy(float))[::-1]
    return ValidationDetections(confidences, matches.hits[0], len(plates)) if len(found) else None


def _images(split: str, count: int) -> tuple[Iterator[np.ndarray], str]:
    """Cached images of a split, at most so many, evenly chosen, where there are any; else synthetic scenes."""
    if SPLIT.is_file():
        rows = read_split()
        names = rows.loc[rows["split"] == split, "image"].drop_duplicates()
        paths = [IMAGE_CACHE / name for name in names.iloc[:: -(-len(names) // count) or 1]]
        if paths and all(path.is_file() for path in paths):
            return map(load_image, paths), split
    return (np.asarray(draw_scene(np.random.default_rng(seed)).image) for seed in range(count)), "synthetic"
