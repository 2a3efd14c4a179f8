"""The detector for use: `models/detector.onnx`, `models/detector.tflite`. A verb alone, no stage of `dvc repro`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lpr.config import Config
from lpr.data.scenes import draw_scene
from lpr.detector.export import TOLERANCE_CONFIDENCE, TOLERANCE_PX, export
from lpr.detector.prediction import load_picture
from lpr.stages.files import DETECTOR, IMAGES, SPLIT, read_split

_PICTURES = 24  # to compare on


def run(config: Config, output: Path) -> None:
    """Export, and say how close the exported detectors are to the trained one."""
    pictures, which = _pictures()
    deviations = export(DETECTOR, config, pictures, output)
    print(
        f"the boxes of {DETECTOR} on {len(pictures)} {which} pictures, to (allowed are {TOLERANCE_PX} px, "
        f"{TOLERANCE_CONFIDENCE} of confidence):"
    )
    for name, deviation in deviations.items():
        print(f"  {output / name}: {deviation}, {(output / name).stat().st_size / 1e6:.1f} MB")


def _pictures() -> tuple[Sequence[np.ndarray], str]:
    """Cached test pictures, evenly chosen, where there are any; else drawn ones."""
    if SPLIT.is_file():
        rows = read_split()
        tested = rows.loc[rows["split"] == "test", "image"].drop_duplicates()
        paths = [IMAGES / name for name in tested.iloc[:: -(-len(tested) // _PICTURES) or 1]]
        if paths and all(path.is_file() for path in paths):
            return [load_picture(path) for path in paths], "test"
    return [np.asarray(draw_scene(np.random.default_rng(seed)).picture) for seed in range(_PICTURES)], "drawn"
