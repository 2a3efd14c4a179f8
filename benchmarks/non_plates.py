"""How well the confidence of a text tells plates from what is no plate.

    python benchmarks/non_plates.py FOLDER IMAGES ENGINE… [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run: its test plates with a known text are
the plates, in their true boxes. IMAGES is a folder of photographs from which what is no plate is taken, away from all
boxes in which the shipped detector suspects a plate (confidence 0.05): lettering of signs, badges and stickers, in the
boxes of RapidOCR's line detection; and background, in boxes of a plate's shape at random. An ENGINE is as in
`ocr_engines.py`.

Prints a row for each engine, data set and kind of non-plate, in Markdown: the area under the ROC curve (AUROC), the
probability that a plate's text has a higher confidence than that of a non-plate, with a 95 % bootstrap interval; and
the share of non-plates whose text has a confidence of 0.5 or more.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ocr_engines import engine_config, read_plates
from rapidocr import RapidOCR
from results import add_output, metric, write_results
from tables import markdown
from tqdm import tqdm

from lpr.boxes import BOX_COLUMNS, pairwise_coverage
from lpr.data.plates import read_split
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.ocr import engines
from lpr.ocr.crops import MIN_CROP_PX
from lpr.paths import SCRATCH, SHIPPED_DETECTOR

KINDS = ("lettering", "background")
SUSPECTED = 0.05  # confidence of a detection from which there may be a plate
SHOWN = 0.5  # confidence of a text from which a non-plate would be shown
BACKGROUNDS = 3  # boxes of an image
RESAMPLES = 1000


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("engines", nargs="+", metavar="ENGINE")
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    here, images = Path.cwd(), sorted(options.images.resolve().iterdir())
    os.chdir(options.folder)
    plates = read_split()
    plates = plates[(plates["text"] != "") & (plates["split"] == "test")]
    found = tqdm(find_non_plates(images), "non-plates", unit="box")
    non_plates = pd.DataFrame(
        [{"image": path, "kind": kind} | dict(zip(BOX_COLUMNS, box, strict=True)) for path, box, kind in found]
    )
    rows = []
    for name in options.engines:
        config = engine_config(name)
        engine = engines.create(config, SCRATCH / config.name)
        of_plates, of_others = (
            np.array([text.confidence for text in read_plates(engine, boxes, BOX_COLUMNS, config.margin, name)[0]])
            for boxes in (plates, non_plates)
        )
        for source in plates["source"].unique():
            for kind in KINDS:
                own = of_plates[(plates["source"] == source).to_numpy()]
                others = of_others[(non_plates["kind"] == kind).to_numpy()]
                row = {"engine": f"`{name}`", "plates": source, "non-plates": kind, "AUROC": auroc(own, others)}
                rows.append(row | {"non-plates shown": metric(float(np.mean(others >= SHOWN)), n=len(others))})
    print(markdown(rows))
    if options.output:
        title = "The confidence of a text, of plates and of what is no plate"
        write_results(here / options.output, title, f"non-plates of {images[0].parents[1].name}", rows)


def find_non_plates(images: list[Path]) -> Iterator[tuple[Path, list[float], str]]:
    """The image, box (pixels) and kind of each."""
    detector, lines = load_onnx_detector(SHIPPED_DETECTOR), RapidOCR(params={"Global.log_level": "critical"})
    rng = np.random.default_rng(0)
    for path in images:
        pixels = load_image(path)
        found = detector.detect(pixels)
        suspected = found.boxes[found.confidences >= SUSPECTED]
        corners = lines(pixels, use_det=True, use_cls=False, use_rec=False).boxes
        lettering = [] if corners is None else [[*each.min(axis=0), *each.max(axis=0)] for each in np.asarray(corners)]
        height, width = pixels.shape[:2]
        wide = rng.uniform(0.08, 0.3, BACKGROUNDS) * width
        high = wide / rng.uniform(1.5, 5, BACKGROUNDS)
        left, top = rng.uniform(0, 1, BACKGROUNDS) * (width - wide), rng.uniform(0, 1, BACKGROUNDS) * (height - high)
        background = np.stack([left, top, left + wide, top + high], axis=1).tolist()
        for kind, boxes in zip(KINDS, (lettering, background), strict=True):
            for box in boxes:
                apart = not len(suspected) or pairwise_coverage(suspected, np.array([box], float)).max() == 0
                if apart and min(box[2] - box[0], box[3] - box[1]) >= MIN_CROP_PX:
                    yield path, [float(side) for side in box], kind


def auroc(positives: np.ndarray, negatives: np.ndarray) -> dict[str, Any]:
    """That a positive is above a negative, equal ones half (Mann–Whitney U over the number of pairs)."""
    above = (np.sign(positives[:, None] - negatives) + 1) / 2
    rng = np.random.default_rng(0)
    resampled = [
        above[rng.integers(len(positives), size=len(positives))]
        .mean(axis=0)[rng.integers(len(negatives), size=len(negatives))]
        .mean()
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(resampled, [2.5, 97.5]).tolist()
    return metric(float(above.mean()), low, high, len(positives))


if __name__ == "__main__":
    main()
