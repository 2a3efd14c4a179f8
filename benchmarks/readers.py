"""Readers beside each other, on the same plates of an experiment's images.

    python benchmarks/readers.py score FOLDER RECOGNIZER… [--sides train validation test]
    python benchmarks/readers.py speed FOLDER DETECTOR.onnx RECOGNIZER… [--rounds 5]

FOLDER is a project or an experiment's folder in which `lpr evaluate` has run; for `score`, that of a sweep over folds,
too. A RECOGNIZER is an option of `conf/ocr`, and may have settings of its own: `network`, `rapidocr:side_px=320`,
`network:weights=/…/recognizer.onnx,looks=[0.1]`.

`score` prints a row a reader and data set, in Markdown: exact readings, the same with O = 0 and I = 1, the character
error rate, each with a 95 % bootstrap interval, and milliseconds a plate. On true boxes every plate of the `--sides`
with a known text counts, of all unless some are named, since no reader was trained on any; on predicted ones those of
the test side, or of all folds' test sides; a plate that several folds' detectors looked at counts once, by the mean of
what was read. The grammars are those of `experiment=best`, and where one changes a reading a row is without it;
Dataturks' plates with two lines (boxes less than 2.2 times as wide as high) have a row.

`speed` takes times in turns, on two threads, for each reader: a crop by it against RapidOCR's recognition alone, and a
whole image of the test side, from JPEG bytes to texts, by the detector and it against the detector and
`ocr=rapidocr`.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import pandas as pd
from checkout import ROOT
from PIL import Image
from tabulate import tabulate

from lpr.boxes import BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.config import Ocr as OcrConfig
from lpr.data.tables import read_table
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.metrics.recognition import figures
from lpr.metrics.statistics import mean_score, ratio_score
from lpr.ocr.engines.base import PlateText, Reader
from lpr.ocr.engines.rapidocr import RapidOcr, Settings
from lpr.ocr.recognition import create, crop, recognize_plates
from lpr.paths import DETECTIONS, IMAGE_CACHE, SCRATCH

T = TypeVar("T")
TWO_LINES = 2.2  # width over height of a box, below which a plate has two lines
THREADS = 2  # of the timings
SIDES = ["train", "validation", "test"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    score_of, speed_of = verbs.add_parser("score"), verbs.add_parser("speed")
    score_of.add_argument("folder", type=Path)
    score_of.add_argument("readers", nargs="+", metavar="RECOGNIZER")
    score_of.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    speed_of.add_argument("folder", type=Path)
    speed_of.add_argument("detector", type=Path)
    speed_of.add_argument("readers", nargs="+", metavar="RECOGNIZER")
    speed_of.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    if options.verb == "score":
        score(options.readers, options.sides)
    else:
        speed(here / options.detector, options.readers, options.rounds)


def reader_config(text: str, *more: str) -> OcrConfig:
    """The settings of `NAME[:KEY=VALUE,…]`."""
    name, _, settings = text.partition(":")
    own = [f"ocr.{setting}" for setting in re.split(r",(?![^\[]*\])", settings) if setting]  # not within lists
    return compose([f"ocr={name}", *own, *more], ROOT / "conf").ocr


def score(names: list[str], sides: list[str]) -> None:
    """The table of all readers."""
    first, *others = sorted(path.parents[1] for path in Path().glob("*/reports/detections.csv")) or [Path()]
    detections = read_table(first / DETECTIONS)
    known = [detections[(detections["text"] != "") & detections["split"].isin(sides)]]
    for other in others:
        found = read_table(other / DETECTIONS).drop(columns=BOX_COLUMNS)  # the true boxes are the first fold's
        known.append(found[(found["text"] != "") & (found["split"] == "test")])
    rows = []
    for name in names:
        config = reader_config(name, "experiment=best", f"ocr.splits=[{','.join(sides)}]")
        folds = [recognize_plates(plates, first / IMAGE_CACHE, config, SCRATCH / config.name) for plates in known]
        readings, timings = pd.concat([read for read, _ in folds]), folds[0][1]
        readings = readings.merge(_aspects(detections), on=["image", "plate"], validate="many_to_one")
        readings = readings[(readings["boxes"] == "true") | (readings["split"] == "test")]
        for (source, boxes), part in readings.groupby(["source", "boxes"]):
            about = name, f"{source}, {boxes} boxes"
            rows.append([*about, *_scores(part, "reading"), round(timings.median_ms_per_plate or 0)])
            if (part["text_before_grammar"] != part["reading"]).any():
                rows.append([name, f"{about[1]}, no grammar", *_scores(part, "text_before_grammar"), ""])
            if source == "dataturks":
                two = part[part["aspect"] < TWO_LINES]
                rows.append([name, f"{about[1]}, two lines", *_scores(two, "reading"), ""])
    print(tabulate(rows, ["reader", "plates", "n", "exact", "O=0, I=1", "CER", "ms"], tablefmt="github"))


def _aspects(plates: pd.DataFrame) -> pd.DataFrame:
    corners = plates[BOX_COLUMNS].to_numpy(float)
    sides = corners[:, 2:] - corners[:, :2]
    return plates[["image", "plate"]].assign(aspect=sides[:, 0] / sides[:, 1])


def _scores(readings: pd.DataFrame, column: str) -> list[object]:
    each = figures(readings["text"], readings[column]).groupby([readings["image"], readings["plate"]]).mean()
    exact, folded, edits, characters = each.to_numpy().T
    scores = mean_score(exact), mean_score(folded), ratio_score(edits, characters)
    return [len(each), *(f"{score:.3f}" for score in scores)]


def speed(detector: Path, names: list[str], rounds: int) -> None:
    """Times of crops and of images, in turns."""
    detections = read_table(DETECTIONS)
    tested = detections[(detections["split"] == "test") & (detections["text"] != "")]
    images = {name: Image.open(IMAGE_CACHE / name).convert("RGB") for name in tested["image"].unique()}
    boxes = [(row["image"], [float(row[column]) for column in BOX_COLUMNS]) for row in tested.to_dict("records")]
    finder = load_onnx_detector(detector, THREADS)

    def texts(jpeg: bytes, reader: Reader, margin: float) -> list[PlateText]:
        pixels = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB))
        image = Image.fromarray(pixels)
        found = look(pixels, finder.network, finder.facts.inference)
        sure = found.boxes[found.confidences >= finder.facts.inference.confidence_threshold]
        return [reader.read(crop(image, box, margin)) for box in sure.tolist()]

    jpegs = [(IMAGE_CACHE / name).read_bytes() for name in images]
    usual = reader_config("rapidocr", f"ocr.threads={THREADS}")
    assert isinstance(usual, Settings)
    rapid = RapidOcr(usual)
    for name in names:
        config = reader_config(name, f"ocr.threads={THREADS}")
        reader, margin = create(config, SCRATCH), config.margin
        crops = [(crop(images[name], box, margin), crop(images[name], box, usual.margin)) for name, box in boxes]
        race(
            f"{name}: a crop",
            crops,
            partial(_first, reader),
            "RapidOCR's recognition alone",
            lambda pair: rapid.recognize(pair[1]),
            rounds,
        )
        race(
            f"{name}: a image, from JPEG to texts",
            jpegs,
            partial(texts, reader=reader, margin=margin),
            "the same detector and RapidOCR",
            partial(texts, reader=rapid, margin=usual.margin),
            rounds,
        )


def _first(reader: Reader, crops: tuple[Image.Image, Image.Image]) -> PlateText:
    return reader.read(crops[0])


def race(
    what: str, items: Sequence[T], ours: Callable[[T], object], other: str, theirs: Callable[[T], object], rounds: int
) -> None:
    """Print the medians of both, in milliseconds, and of their ratio item by item."""
    spent: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        for place, item in enumerate(items):
            times = [0.0, 0.0]
            for side in (0, 1) if (number + place) % 2 else (1, 0):
                started = time.perf_counter()
                (ours, theirs)[side](item)
                times[side] = (time.perf_counter() - started) * 1000
            if number:  # the first round warms up
                spent.append((times[0], times[1]))
    one, two = np.array(spent).T
    low, middle, high = np.percentile(one / two, [25, 50, 75])
    print(
        f"{what}: {np.median(one):.1f} ms; {other}: {np.median(two):.1f} ms; ratio {middle:.2f} "
        f"[{low:.2f}, {high:.2f}] (quartiles), n={len(items)}, {rounds} rounds"
    )


if __name__ == "__main__":
    main()
