"""OCR engines on the same plates of an experiment's images.

    python benchmarks/ocr_engines.py score FOLDER ENGINE… [--splits train validation test] [--output FILE]
    python benchmarks/ocr_engines.py speed FOLDER DETECTOR.onnx ENGINE… [--rounds 5] [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr evaluate` has run; for `score` also the folder of a
sweep over folds. An ENGINE is an option of `conf/ocr`, with settings of its own if need be: `recognizer`,
`rapidocr:side_px=320`, `recognizer:weights=/…/recognizer.onnx,tta_margins=[0.1]`.

`score` prints a row for each engine and data set, in Markdown: exact texts, exact texts with O = 0 and I = 1, the
character error rate, each with a 95 % bootstrap interval, and milliseconds a plate. On true boxes, every plate of
`--splits` with a known text counts, by default of all, since no engine was trained on any; on predicted boxes, those of
the test split, or of the test splits of all folds. A plate that several folds have in their test splits counts once, by
the mean of its values. The grammars are those of `experiment=best`; where one changes a text, there is a row without
it. Dataturks' plates with two lines (boxes less than 2.2 times as wide as high) have a row of their own.

`speed` measures, in turns and on two threads, for each engine: a crop, against RapidOCR's recognition network alone;
and a whole image of the test split, from JPEG bytes to texts, by the detector and the engine, against the detector and
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
from typing import Any, TypeVar

import cv2
import numpy as np
import pandas as pd
from checkout import ROOT
from PIL import Image
from results import add_output, metric, write_results
from tabulate import tabulate

from lpr.boxes import BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.config import Ocr
from lpr.data.tables import read_table
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.metrics.base import RecognitionCases
from lpr.metrics.recognition_metrics import CER, PLATE_ACC, PLATE_ACC_FOLDED
from lpr.metrics.statistics import Score, ratio_score
from lpr.ocr import engines
from lpr.ocr.crops import crop
from lpr.ocr.engines import rapidocr
from lpr.ocr.engines.base import OcrEngine, PlateText
from lpr.ocr.recognition import recognize_plates
from lpr.paths import DETECTIONS, IMAGE_CACHE, SCRATCH

T = TypeVar("T")
TWO_LINES = 2.2  # ratio of a box's width to its height, below which a plate has two lines
THREADS = 2  # of the timings
SPLITS = ["train", "validation", "test"]
METRICS = (PLATE_ACC, PLATE_ACC_FOLDED, CER)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    score_parser, speed_parser = verbs.add_parser("score"), verbs.add_parser("speed")
    score_parser.add_argument("folder", type=Path)
    score_parser.add_argument("engines", nargs="+", metavar="ENGINE")
    score_parser.add_argument("--splits", nargs="+", choices=SPLITS, default=SPLITS)
    add_output(score_parser)
    speed_parser.add_argument("folder", type=Path)
    speed_parser.add_argument("detector", type=Path)
    speed_parser.add_argument("engines", nargs="+", metavar="ENGINE")
    speed_parser.add_argument("--rounds", type=int, default=5)
    add_output(speed_parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    if options.verb == "score":
        rows = score(options.engines, options.splits)
        title, data, interval = "OCR engines on the same plates", ", ".join(options.splits), "95 % bootstrap interval"
    else:
        rows = speed(here / options.detector, options.engines, options.rounds)
        title, data, interval = "OCR engines against RapidOCR", f"{THREADS} threads, test split", "quartiles"
    if options.output:
        write_results(here / options.output, title, data, rows, interval)


def engine_config(text: str, *more: str) -> Ocr:
    """The settings of `NAME[:KEY=VALUE,…]`."""
    name, _, settings = text.partition(":")
    own = [f"ocr.{setting}" for setting in re.split(r",(?![^\[]*\])", settings) if setting]  # no commas of lists
    return compose([f"ocr={name}", *own, *more], ROOT / "conf").ocr


def score(names: list[str], splits: list[str]) -> list[dict[str, Any]]:
    """Print the table of all engines; its rows as of a results file."""
    first, *others = sorted(path.parents[1] for path in Path().glob("*/reports/detections.csv")) or [Path()]
    detections = read_table(first / DETECTIONS)
    folds = [detections[(detections["text"] != "") & detections["split"].isin(splits)]]
    for other in others:
        found = read_table(other / DETECTIONS).drop(columns=BOX_COLUMNS)  # the true boxes are the first fold's
        folds.append(found[(found["text"] != "") & (found["split"] == "test")])
    printed, rows = [], []
    for name in names:
        config = engine_config(name, "experiment=best", f"ocr.splits=[{','.join(splits)}]")
        results = [recognize_plates(plates, first / IMAGE_CACHE, config, SCRATCH / config.name) for plates in folds]
        recognitions, timings = pd.concat([table for table, _ in results]), results[0][1]
        recognitions = recognitions.merge(_aspects(detections), on=["image", "plate"], validate="many_to_one")
        recognitions = recognitions[(recognitions["boxes"] == "true") | (recognitions["split"] == "test")]
        for (source, boxes), part in recognitions.groupby(["source", "boxes"]):
            grammar = (config.grammars or {}).get(str(source), "none")
            groups = [(str(source), grammar, part, timings.median_ms_per_plate)]
            if (part["text_before_grammar"] != part["predicted_text"]).any():
                without = part.assign(predicted_text=part["text_before_grammar"])
                groups.append((str(source), "none", without, None))
            if source == "dataturks":
                groups.append((f"{source}, two lines", grammar, part[part["aspect"] < TWO_LINES], None))
            for plates, of, group, milliseconds in groups:
                scores = {one.name: _score(group, one) for one in METRICS}
                count = next((found.n for found in scores.values() if found), 0)
                shown = [f"{found:.3f}" if found else "" for found in scores.values()]
                printed.append([name, f"{plates}, {boxes} boxes", of, count, *shown, round(milliseconds or 0) or ""])
                cells = {key: metric(**found.as_dict()) for key, found in scores.items() if found}  # type: ignore[arg-type]
                rows.append({"plates": plates, "boxes": f"{boxes} boxes", "grammar": of, "engine": f"`{name}`"} | cells)
    header = ["engine", "plates", "grammar", "n", "exact", "O=0, I=1", "CER", "ms"]
    print(tabulate(printed, header, tablefmt="github"))
    return rows


def _aspects(plates: pd.DataFrame) -> pd.DataFrame:
    corners = plates[BOX_COLUMNS].to_numpy(float)
    sizes = corners[:, 2:] - corners[:, :2]
    return plates[["image", "plate"]].assign(aspect=sizes[:, 0] / sizes[:, 1])


def _score(recognitions: pd.DataFrame, of: Any) -> Score | None:
    """A metric over plates, each with the mean of its values over the folds."""
    terms = of.terms(RecognitionCases(recognitions.reset_index(drop=True)))
    keys = [recognitions[key].to_numpy() for key in ("image", "plate")]
    plates = terms.groupby(keys).mean()
    return ratio_score(plates["numerator"].to_numpy(), plates["denominator"].to_numpy())


def speed(detector_path: Path, names: list[str], rounds: int) -> list[dict[str, Any]]:
    """Print times of crops and of images, measured in turns; the rows of a results file."""
    detections = read_table(DETECTIONS)
    tested = detections[(detections["split"] == "test") & (detections["text"] != "")]
    images = {name: Image.open(IMAGE_CACHE / name).convert("RGB") for name in tested["image"].unique()}
    boxes = [(row["image"], [float(row[column]) for column in BOX_COLUMNS]) for row in tested.to_dict("records")]
    detector = load_onnx_detector(detector_path, THREADS)

    def texts(jpeg: bytes, engine: OcrEngine, margin: float) -> list[PlateText]:
        pixels = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB))
        image = Image.fromarray(pixels)
        found = detector.detect(pixels)
        confident = found.boxes[found.confidences >= detector.metadata.inference.confidence_threshold]
        return [engine.read(crop(image, box, margin)) for box in confident.tolist()]

    jpegs = [(IMAGE_CACHE / name).read_bytes() for name in images]
    baseline_config = engine_config("rapidocr", f"ocr.threads={THREADS}")
    baseline = rapidocr.RapidOcr(rapidocr.Settings.model_validate(baseline_config.model_dump()))
    rows = []
    for name in names:
        config = engine_config(name, f"ocr.threads={THREADS}")
        engine, margin = engines.create(config, SCRATCH), config.margin
        crops = [
            (crop(images[image], box, margin), crop(images[image], box, baseline_config.margin)) for image, box in boxes
        ]
        time_of_crop = race(
            f"{name}: a crop",
            crops,
            partial(_read_first, engine),
            "RapidOCR's recognition alone",
            lambda pair: baseline.recognize(pair[1]),
            rounds,
        )
        time_of_image = race(
            f"{name}: an image, from JPEG to texts",
            jpegs,
            partial(texts, engine=engine, margin=margin),
            "the same detector and RapidOCR",
            partial(texts, engine=baseline, margin=baseline_config.margin),
            rounds,
        )
        rows.append({"what": "a crop", "engine": f"`{name}`"} | time_of_crop)
        rows.append({"what": "an image, detector and texts", "engine": f"`{name}`"} | time_of_image)
    return rows


def _read_first(engine: OcrEngine, crops: tuple[Image.Image, Image.Image]) -> PlateText:
    return engine.read(crops[0])


def race(
    what: str, items: Sequence[T], ours: Callable[[T], object], other: str, theirs: Callable[[T], object], rounds: int
) -> dict[str, Any]:
    """Print the medians of both, in milliseconds, and of their ratio item by item; `time` and `ratio` as metrics."""
    measured: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        for index, item in enumerate(items):
            times = [0.0, 0.0]
            for which in (0, 1) if (number + index) % 2 else (1, 0):
                started = time.perf_counter()
                (ours, theirs)[which](item)
                times[which] = (time.perf_counter() - started) * 1000
            if number:  # the first round warms up
                measured.append((times[0], times[1]))
    one, two = np.array(measured).T
    low, middle, high = np.percentile(one / two, [25, 50, 75])
    print(
        f"{what}: {np.median(one):.1f} ms; {other}: {np.median(two):.1f} ms; ratio {middle:.2f} "
        f"[{low:.2f}, {high:.2f}] (quartiles), n={len(items)}, {rounds} rounds"
    )
    return {
        "time": metric(float(np.median(one)), n=len(items), unit="ms"),
        "ratio": metric(float(middle), float(low), float(high), len(items), "×"),
    }


if __name__ == "__main__":
    main()
