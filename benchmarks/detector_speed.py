"""How long detectors take for an image, from the bytes of the JPEG to boxes, against the first of them.

    python benchmarks/detector_speed.py FOLDER --detector FIRST.onnx OTHER.onnx … [--split test] [--rounds 3]

FOLDER is a project or the folder of an experiment in which `lpr split` has run. Each image is given to both in turns.
Prints the medians, and the ratios image by image, with all cores.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from held_out import build_parser, tested_rows
from ocr_engines import race
from results import write_results
from tables import markdown

from lpr.boxes import Detections
from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.inference.inputs import decode_image
from lpr.paths import IMAGE_CACHE


def main() -> None:
    parser = build_parser(__doc__, "test", several=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    here = Path.cwd()
    names = [file.name for file in options.detector]
    first, *others = (load_onnx_detector(here / file) for file in options.detector)
    os.chdir(options.folder)
    rows, _ = tested_rows(options.split)
    jpegs = [(IMAGE_CACHE / name).read_bytes() for name in rows["image"].unique()]
    table = []
    for name, detector in zip(names[1:], others, strict=True):
        measured = race(
            f"{name}: an image, from JPEG to boxes",
            jpegs,
            partial(detect, detector),
            names[0],
            partial(detect, first),
            options.rounds,
        )
        table.append({"detector": f"`{name}`", "against": f"`{names[0]}`"} | measured)
    print(markdown(table))
    if options.output:
        about = f"{options.split} images, {len(jpegs)}, all cores"
        write_results(here / options.output, "The time of detectors", about, table, "quartiles")


def detect(detector: OnnxDetector, jpeg: bytes) -> Detections:
    return detector.detect(decode_image(jpeg))


if __name__ == "__main__":
    main()
