"""The detector for use: `models/detector.onnx`, `models/detector.tflite`. A verb alone, no stage of `dvc repro`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lpr.config import Config
from lpr.data.plates import read_split
from lpr.detection.export import TOLERANCE_CONFIDENCE, TOLERANCE_PX, export
from lpr.detection.prediction import load_image
from lpr.paths import DETECTOR, IMAGE_CACHE, SPLIT
from lpr.synthesis.scenes import draw_scene

_IMAGES = 24  # to compare on


def run(config: Config, output: Path) -> None:
    """Export, and print the largest deviations of the exported detectors from the trained one."""
    images, which = _images()
    deviations = export(DETECTOR, config, images, output)
    print(
        f"the boxes of {DETECTOR} on {len(images)} {which} images, to (allowed are {TOLERANCE_PX} px, "
        f"{TOLERANCE_CONFIDENCE} of confidence):"
    )
    for name, deviation in deviations.items():
        print(f"  {output / name}: {deviation}, {(output / name).stat().st_size / 1e6:.1f} MB")


def _images() -> tuple[Sequence[np.ndarray], str]:
    """Cached test images, evenly chosen, where there are any; else synthetic scenes."""
    if SPLIT.is_file():
        rows = read_split()
        tested = rows.loc[rows["split"] == "test", "image"].drop_duplicates()
        paths = [IMAGE_CACHE / name for name in tested.iloc[:: -(-len(tested) // _IMAGES) or 1]]
        if paths and all(path.is_file() for path in paths):
            return [load_image(path) for path in paths], "test"
    return [np.asarray(draw_scene(np.random.default_rng(seed)).image) for seed in range(_IMAGES)], "synthetic"
