"""OCR engines on the same plates.

    python benchmarks/ocr_engines.py score FOLDER ENGINE… [--splits validation test] [--output FILE]
    python benchmarks/ocr_engines.py speed FOLDER DETECTOR.onnx ENGINE… [--rounds 5] [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run, such as `experiment=open_recognizer`.
An ENGINE is an option of `conf/ocr`, with settings of its own if need be: `recognizer`, `rapidocr:side_px=320`,
`recognizer:weights=/…/recognizer.onnx,tta_margins=[0.1]`.

`score` prints a row for each engine, data set, kind of boxes and grammar, in Markdown: exact texts, exact texts with
O = 0 and I = 1, the character error rate, each with a 95 % bootstrap interval, and the median of milliseconds a plate.
Every plate of `--splits` counts whose text is known, of which the A–Z and 0–9 are to be read, in its true box and in
the one that the shipped detector predicts; of a set of crops, which are plates as a whole, there are no predicted
boxes. Grammars are none, that of the region that the recognizer tells (`auto`), and that of the country; where one
changes no text, its row is left out. Dataturks' plates with two lines (boxes less than 2.2 times as wide as high) have
rows of their own.

`speed` measures, in turns and on two threads (`--threads`), for each engine: a crop, against RapidOCR's recognition
network alone; and a whole image of the test split, from JPEG bytes to texts, by the detector and the engine, against
the detector and `ocr=rapidocr`.
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

import numpy as np
import pandas as pd
from checkout import ROOT
from PIL import Image
from results import add_output, metric, write_results
from tables import markdown
from tqdm import tqdm

from lpr.boxes import BOX_COLUMNS
from lpr.composition.compose import compose
from lpr.config import Ocr
from lpr.data.plates import read_split
from lpr.data.tables import read_table
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.inference.inputs import decode_image
from lpr.metrics.base import RecognitionCases
from lpr.metrics.detection import detections, predictions
from lpr.metrics.recognition_metrics import CER, PLATE_ACC, PLATE_ACC_FOLDED
from lpr.ocr import engines
from lpr.ocr.crops import MIN_CROP_PX, crop
from lpr.ocr.engines import rapidocr
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText
from lpr.ocr.grammar import apply_grammar_named
from lpr.ocr.recognition import BOXES
from lpr.paths import DETECTIONS, IMAGE_CACHE, SCRATCH, SHIPPED_DETECTOR
from lpr.plates.countries import AUTO
from lpr.plates.text import normalize_latin

T = TypeVar("T")
TWO_LINES = 2.2  # ratio of a box's width to its height, below which a plate has two lines
THREADS = 2  # of the timings, unless another number is asked for
SPLITS = ["train", "validation", "test"]
COUNTRIES = {"dataturks": "india", "openalpr_eu": "europe", "argentina_crops": "argentina"}
METRICS = (PLATE_ACC, PLATE_ACC_FOLDED, CER)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    score_parser, speed_parser = verbs.add_parser("score"), verbs.add_parser("speed")
    score_parser.add_argument("folder", type=Path)
    score_parser.add_argument("engines", nargs="+", metavar="ENGINE")
    score_parser.add_argument("--splits", nargs="+", choices=SPLITS, default=["test"])
    add_output(score_parser)
    speed_parser.add_argument("folder", type=Path)
    speed_parser.add_argument("detector", type=Path)
    speed_parser.add_argument("engines", nargs="+", metavar="ENGINE")
    speed_parser.add_argument("--rounds", type=int, default=5)
    speed_parser.add_argument("--threads", type=int, default=THREADS)
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
        rows = speed(here / options.detector, options.engines, options.rounds, options.threads)
        threads = f"{options.threads} thread{'s' if options.threads > 1 else ''}"
        title, data, interval = "OCR engines against RapidOCR", f"{threads}, test split", "quartiles"
    if options.output:
        write_results(here / options.output, title, data, rows, interval)


def engine_config(text: str, *more: str) -> Ocr:
    """The settings of `NAME[:KEY=VALUE,…]`."""
    name, _, settings = text.partition(":")
    own = [f"ocr.{setting}" for setting in re.split(r",(?![^\[]*\])", settings) if setting]  # no commas of lists
    return compose([f"ocr={name}", *own, *more], ROOT / "conf").ocr


def score(names: list[str], splits: list[str]) -> list[dict[str, Any]]:
    """Print the table of all engines; its rows as of a results file."""
    plates = with_predicted_boxes(known_plates(splits))
    rows = []
    for name in names:
        config = engine_config(name)
        engine = engines.create(config, SCRATCH / config.name)
        for boxes, columns in BOXES.items():
            found, milliseconds = read_plates(engine, plates, columns, config.margin, f"{name}, {boxes} boxes")
            for group, part in groups(plates).items():
                if part[columns].isna().to_numpy().all():
                    continue
                country = COUNTRIES.get(part["source"].iloc[0])
                time_ms = metric(float(np.median([milliseconds[row] for row in part.index])), n=len(part), unit="ms")
                for grammar, texts in by_grammar([found[row] for row in part.index], country).items():
                    row = {"plates": group, "boxes": f"{boxes} boxes", "grammar": grammar, "engine": f"`{name}`"}
                    rows.append(row | text_scores(part, texts) | {"time": time_ms})
    print(markdown(rows))
    return rows


def known_plates(splits: list[str]) -> pd.DataFrame:
    """The plates of these splits whose text is known, of which the A–Z and 0–9 are to be read."""
    plates = read_split()
    plates["text"] = plates["text"].map(normalize_latin)
    return plates[(plates["text"] != "") & plates["split"].isin(splits)].reset_index(drop=True)


def fill_their_images(plates: pd.DataFrame) -> np.ndarray:
    """Whether each plate's box is its whole image, as of a set of crops: bool (n,)."""
    sides = plates[["width", "height"]].to_numpy(float)
    whole: np.ndarray = (plates[BOX_COLUMNS].to_numpy(float)[:, 2:] == sides).all(axis=1)
    return whole


def groups(plates: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The plates of each source and split, and those of Dataturks that have two lines."""
    corners = plates[BOX_COLUMNS].to_numpy(float)
    two_lines = (corners[:, 2] - corners[:, 0]) / (corners[:, 3] - corners[:, 1]) < TWO_LINES
    found = {}
    for (source, split), part in plates.groupby(["source", "split"]):
        title = f"{source}, {split}" if split != "test" else str(source)
        found[title] = part
        if source == "dataturks":
            found[f"{title}, two lines"] = part[two_lines[part.index]]
    return found


def text_scores(plates: pd.DataFrame, texts: list[str]) -> dict[str, Any]:
    """The metrics of these texts of plates, as of a row of a results file."""
    cases = RecognitionCases(plates.assign(predicted_text=texts))
    return {one.name: metric(**scored.as_dict()) for one in METRICS if (scored := one.score(cases))}  # type: ignore[arg-type]


def with_predicted_boxes(plates: pd.DataFrame) -> pd.DataFrame:
    """The plates with the boxes that the detector that ships predicts; NaN where it finds none, and of crops."""
    detector = load_onnx_detector(SHIPPED_DETECTOR, THREADS)
    images = plates.drop_duplicates("image")
    images = images[~fill_their_images(images)]
    named = tqdm(images["image"], "detecting", unit="image")
    found = predictions(images, [detector.detect(load_image(IMAGE_CACHE / name)) for name in named])
    confident = found[found["confidence"] >= detector.metadata.inference.confidence_threshold]
    return detections(plates, confident)


def read_plates(
    engine: OcrEngine, plates: pd.DataFrame, columns: list[str], margin: float, title: str
) -> tuple[list[PlateText], list[float]]:
    """The text of each plate in the box of these columns, and the milliseconds that it took."""
    texts, milliseconds = [], []
    for plate in tqdm(plates.to_dict("records"), title, unit="plate"):
        box = [float(plate[column]) for column in columns]
        text, started = NO_TEXT, time.perf_counter()
        if np.isfinite(box).all():
            part = crop(Image.fromarray(load_image(IMAGE_CACHE / plate["image"])), box, margin)
            started = time.perf_counter()
            text = engine.read(part) if min(part.size) >= MIN_CROP_PX else NO_TEXT
        milliseconds.append((time.perf_counter() - started) * 1000)
        texts.append(text)
    return texts, milliseconds


def by_grammar(found: list[PlateText], country: str | None) -> dict[str, list[str]]:
    """Grammar → the texts that it makes of these; only those that change any."""
    texts = {"none": [text.text for text in found]}
    for grammar in (AUTO, country):
        if grammar:
            texts[grammar] = [apply_grammar_named(text, grammar).text for text in found]
    return {grammar: each for grammar, each in texts.items() if grammar == "none" or each != texts["none"]}


def speed(detector_path: Path, names: list[str], rounds: int, threads: int) -> list[dict[str, Any]]:
    """Print times of crops and of images, measured in turns; the rows of a results file."""
    detections = read_table(DETECTIONS)
    tested = detections[(detections["split"] == "test") & (detections["text"] != "")]
    images = {name: Image.open(IMAGE_CACHE / name).convert("RGB") for name in tested["image"].unique()}
    boxes = [(row["image"], [float(row[column]) for column in BOX_COLUMNS]) for row in tested.to_dict("records")]
    detector = load_onnx_detector(detector_path, threads)

    def texts(jpeg: bytes, engine: OcrEngine, margin: float) -> list[PlateText]:
        pixels = decode_image(jpeg)
        image = Image.fromarray(pixels)
        found = detector.detect(pixels)
        confident = found.boxes[found.confidences >= detector.metadata.inference.confidence_threshold]
        return [engine.read(crop(image, box, margin)) for box in confident.tolist()]

    jpegs = [(IMAGE_CACHE / name).read_bytes() for name in images]
    baseline_config = engine_config("rapidocr", f"ocr.threads={threads}")
    baseline = rapidocr.RapidOcr(rapidocr.Settings.model_validate(baseline_config.model_dump()))
    rows = []
    for name in names:
        config = engine_config(name, f"ocr.threads={threads}")
        engine, margin = engines.create(config, SCRATCH), config.margin
        crops = [
            (crop(images[image], box, margin), crop(images[image], box, baseline_config.margin)) for image, box in boxes
        ]
        time_of_crop = race(
            f"{name}: a crop",
            crops,
            partial(_read_first, engine),
            "RapidOCR's recognition alone",
            lambda pair: baseline.recognize(np.asarray(pair[1])),
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
