"""This project's detector beside two peers: Ultralytics' nano model (yolo11n) and OpenCV's plate cascades.

    python benchmarks/peers.py train FOLDER --minutes 45 [--size 256]
    python benchmarks/peers.py cascade FOLDER
    python benchmarks/peers.py score FOLDER yolo11n=peers/yolo11n/predictions.csv@0.25 …
    python benchmarks/peers.py speed FOLDER OURS.onnx

FOLDER is a project or an experiment's folder in which `lpr split` has run. `train` trains yolo11n from random weights
on its train split for so many minutes, validates on its validation split, and exports it; `cascade` runs OpenCV's
cascades. Both write what they find in all its images below `FOLDER/peers/`, in the columns of
`reports/predictions.csv`. `score` scores such files on the test split by the code that scores ours, and ours with them,
if there is `reports/predictions.csv`; the number after @ is the confidence from which a prediction counts as a plate
(by default 0.25, as Ultralytics has it). `speed` times an exported detector of ours against the exported yolo11n, in
turns, on two threads: the network alone (ours from bytes, the peer's from the floats that it takes), and whole images
of the test split, from JPEG bytes to boxes, the peer's once in squares and once in rectangles.

The peers have an environment of their own (`--environment`), made from peers.txt when it is first needed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from checkout import ROOT
from results import add_output, median_of, write_results
from tabulate import tabulate
from tqdm import tqdm

from lpr import config
from lpr.boxes import BOX_COLUMNS, MAX_BOXES_PER_IMAGE, Detections
from lpr.cores import usable_cores
from lpr.data.plates import read_split
from lpr.data.tables import read_table, write_json, write_table
from lpr.detection.decoding import MIN_CONFIDENCE
from lpr.detection.multiscale import detect
from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.inference.inputs import decode_image
from lpr.metrics.base import DetectionCases
from lpr.metrics.comparison import compare, detection_case_scores
from lpr.metrics.detection import detections, predictions, score_detections
from lpr.metrics.statistics import Score
from lpr.paths import IMAGE_CACHE, PREDICTIONS
from lpr.pipeline.train import with_override_boxes
from lpr.resampling import BORDER

HERE = Path(__file__).resolve().parent
PEERS = Path("peers")
YOLO = PEERS / "yolo11n"
CASCADES = ("haarcascade_russian_plate_number", "haarcascade_license_plate_rus_16stages")
SIZES = (192, 256, 320, 384, 512)
SCORES = ("mean_iou", "recall@0.5", "recall@0.7", "AP50", "AP50:95", "false_positives_per_image")
THREADS = 2  # of the timings
CALLS = 20  # of a network, a round
IMAGES = 40  # of the test split, a round
_MIN_SCORED = 0.001  # confidence of yolo11n's boxes that are scored, as in its own validation
_NMS_IOU = 0.4  # as in `lpr.detection.decoding`


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = {name: verbs.add_parser(name) for name in ("train", "cascade", "score", "speed")}
    for name, each in verb.items():
        each.add_argument("folder", type=Path)
        if name in ("train", "cascade"):
            each.add_argument("--environment", type=Path, default=ROOT / ".venv-peers")
    verb["train"].add_argument("--minutes", type=float, required=True)
    verb["train"].add_argument("--size", type=int, default=256, help="side of the network's input, pixels")
    verb["score"].add_argument("systems", nargs="*", type=_system, metavar="NAME=FILE[@CONFIDENCE]")
    verb["speed"].add_argument("ours", type=Path, metavar="OURS.onnx")
    verb["speed"].add_argument("--rounds", type=int, default=9)
    for name in ("score", "speed"):
        add_output(verb[name])
    return parser


def main() -> None:
    options = build_parser().parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    if "environment" in options:
        make(here / options.environment)
    if options.verb == "train":
        train(here / options.environment, options.size, options.minutes)
    elif options.verb == "cascade":
        cascade(here / options.environment)
    elif options.verb == "score":
        rows = score(options.systems)
        if options.output:
            write_results(here / options.output, "Beside other detectors", "test split", rows)
    else:
        rows = speed(here / options.ours, options.rounds)
        if options.output:
            data = f"{THREADS} threads; ratio: ours / the faster yolo11n"
            write_results(here / options.output, "The exported detector against yolo11n", data, rows, "range")


def _system(text: str) -> tuple[str, Path, float]:
    name, _, file = text.partition("=")
    file, _, confidence = file.partition("@")
    return name, Path(file), float(confidence or 0.25)


def train(environment: Path, size: int, minutes: float) -> None:
    """Train yolo11n, export it, and find plates by the exported one, which is the one that is timed, too."""
    rows = read_split()
    used = with_override_boxes(rows) if config.load().train.only_override_boxes else rows  # the same images as ours
    shutil.rmtree(YOLO, ignore_errors=True)
    splits = ("train", "validation")
    counts = {split: write_dataset(used[used["split"] == split], YOLO / "dataset" / split) for split in splits}
    validated = "validation" if counts["validation"] else "train"  # Ultralytics needs some, used or not
    dataset = {"path": str((YOLO / "dataset").resolve()), "train": "train", "val": validated, "names": ["plate"]}
    write_json(dataset, YOLO / "dataset.yaml")  # JSON is YAML
    started = time.monotonic()
    choice = "validate" if counts["validation"] else "last"  # as ours is chosen
    run_in(environment, "train", YOLO / "dataset.yaml", YOLO.resolve(), size, minutes, choice)
    seconds = round(time.monotonic() - started)
    run_in(environment, "export", YOLO, *sorted({size, *SIZES}))
    epochs = len(pd.read_csv(YOLO / "training" / "results.csv"))
    training = {"images": counts, "size": size, "minutes": minutes, "epochs": epochs, "seconds_with_start": seconds}
    write_json(training, YOLO / "training.json")
    print(training)
    network = open_network(YOLO / f"{size}.onnx", usable_cores())
    images = rows.drop_duplicates("image")
    names = tqdm(images["image"], "detecting", unit="image")
    found = [detect_by_yolo(load_image(IMAGE_CACHE / name), network, size, _MIN_SCORED) for name in names]
    write_predictions(images, found, YOLO)


def write_dataset(rows: pd.DataFrame, folder: Path) -> int:
    """Write images (links) and labels of one split in Ultralytics' layout; returns how many images."""
    images, labels = folder / "images", folder / "labels"
    for part in (images, labels):
        part.mkdir(parents=True)
    for name, plates in rows.groupby("image"):
        image = Path(str(name))
        (images / image).symlink_to((IMAGE_CACHE / image).resolve())
        boxes = plates.dropna(subset=BOX_COLUMNS)
        corners = boxes[BOX_COLUMNS].to_numpy(float) / boxes[["width", "height"] * 2].to_numpy(float)
        middles, sides = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
        labelled = np.concatenate([np.zeros((len(boxes), 1)), middles, sides], axis=1)
        np.savetxt(labels / f"{image.stem}.txt", labelled, "%.6g")
    return rows["image"].nunique()


def cascade(environment: Path) -> None:
    """Find plates by each cascade; confidences are its weights through the logistic function, in the same order."""
    images = read_split().drop_duplicates("image")
    listed = PEERS / "images.txt"
    PEERS.mkdir(exist_ok=True)
    listed.write_text("".join(f"{(IMAGE_CACHE / name).resolve()}\n" for name in images["image"]))
    for name in CASCADES:
        (PEERS / name).mkdir(exist_ok=True)
        run_in(environment, "cascade", name, listed, PEERS / name / "found.jsonl")
        found = []
        for line in (PEERS / name / "found.jsonl").read_text().splitlines():
            rows = np.array(json.loads(line), float).reshape(-1, 5)
            rows = rows[np.argsort(-rows[:, 4], kind="stable")][:MAX_BOXES_PER_IMAGE]
            boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
            found.append(Detections(boxes, 1 / (1 + np.exp(-rows[:, 4]))))
        write_predictions(images, found, PEERS / name)


def make(environment: Path) -> None:
    """Make the peers' environment, unless it is there and peers.txt has not changed since."""
    stamp, wanted = environment / ".ready", (HERE / "peers.txt").read_text()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"making {environment}", flush=True)
    venv.create(environment, with_pip=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "peers.txt")]
    subprocess.run([str(environment / "bin" / "python"), *install], check=True)
    stamp.write_text(wanted)


def run_in(environment: Path, *command: object) -> None:
    """Run peer_models.py there, with a thread a core and without network access."""
    offline = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(environment)}
    variables = {**os.environ, **offline, "OMP_NUM_THREADS": str(usable_cores())}
    python = environment / "bin" / "python"
    subprocess.run([python, HERE / "peer_models.py", *map(str, command)], env=variables, check=True)


def write_predictions(images: pd.DataFrame, found: Sequence[Detections], folder: Path) -> None:
    """Write `predictions.csv`, in the columns of `reports/predictions.csv`."""
    path = folder / "predictions.csv"
    write_table(predictions(images, found), path)
    print(f"{path.resolve()}: {sum(len(plates.confidences) for plates in found)} predictions")


def open_network(path: Path, threads: int) -> Any:
    """An exported network, as a session of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Between calls the threads of a session leave the cores to the next one.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def detect_by_yolo(
    image: np.ndarray, network: Any, size: int, min_confidence: float, square: bool = True
) -> Detections:
    """The plates of an image by an exported yolo11n, with Ultralytics' own letterbox and decoding.

    Args:
        image: uint8 (h, w, 3) RGB.
        size: its longer side in the network's input, pixels.
        square: the image in the middle of a square; else of the smallest rectangle of whole strides.
    """
    height, width = image.shape[:2]
    columns, rows = (max(1, round(side * size / max(height, width))) for side in (width, height))
    across, down = (size - columns, size - rows) if square else (-columns % 32, -rows % 32)
    left, top = round(across / 2 - 0.1), round(down / 2 - 0.1)
    resized = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    edges = (top, down - top, left, across - left)
    padded = cv2.copyMakeBorder(resized, *edges, borderType=cv2.BORDER_CONSTANT, value=BORDER)
    (output,) = network.run(None, {"images": cv2.dnn.blobFromImage(padded, 1 / 255)})
    middle_x, middle_y, wide, high, confidences = output[0][:, output[0, 4] >= min_confidence]
    corners = np.stack([middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2], axis=1)
    boxes = np.stack([*corners.T[:2], wide, high], axis=1)
    kept = np.array(cv2.dnn.NMSBoxes(boxes.tolist(), confidences.tolist(), min_confidence, _NMS_IOU), int)
    kept = kept[:MAX_BOXES_PER_IMAGE]
    placed = (corners[kept] - [left, top, left, top]) * ([width / columns, height / rows] * 2)
    return Detections(placed.clip(0, [width, height, width, height]), confidences[kept])


def score(systems: Sequence[tuple[str, Path, float]]) -> list[dict[str, Any]]:
    """Print every score of the test split, a row a system, and how each of the others differs from the first.

    Returns:
        Rows of a results file: data set, detector, its scores, and the difference of its mean IoU from the first's.
    """
    rows = read_split()
    rows = rows[rows["split"] == "test"]
    images, plates = rows.drop_duplicates("image"), rows.dropna(subset=BOX_COLUMNS)
    if PREDICTIONS.is_file():
        systems = [("ours", PREDICTIONS, config.load().inference.confidence_threshold), *systems]
    if not systems:
        sys.exit(f"there is no {PREDICTIONS} and no NAME=FILE to score")
    scores: dict[str, Any] = {}
    tables = {}
    for name, file, confidence in systems:
        found = read_table(file)
        table = detections(plates, found[found["confidence"] >= confidence])
        cases = DetectionCases(table, found, images, confidence)
        scores[name], tables[name] = score_detections(cases), detection_case_scores(cases)

    sources = sorted(images["source"].unique())
    count = {source: [(one["source"] == source).sum() for one in (plates, images)] for source in sources}
    heads = ["score", "system", *("{}: {} plates in {} images".format(source, *count[source]) for source in sources)]
    cells = [
        [which, name, *(_in_words(tested[source]["test"].get(which)) for source in sources)]
        for which in SCORES
        for name, tested in scores.items()
    ]
    print(tabulate(cells, heads, "github", disable_numparse=True))

    (first, baseline), *others = tables.items()
    compared = compare(baseline, [table for _, table in others])
    lines = [
        [
            *[f"{name} − {first}", one.metric, one.source],
            *[f"{one.difference:+.3f}", f"{one.p_corrected:.2g}", one.verdict],
        ]
        for (name, _), part in zip(others, compared, strict=True)
        for one in part
    ]
    print("\n" + tabulate(lines, ["", "score", "data set", "difference", "p", ""], "github", disable_numparse=True))
    differences = {
        (one.source, name): {"difference of mean_iou": {**one.difference.as_dict(), "signed": True}}
        for (name, _), part in zip(others, compared, strict=True)
        for one in part
        if one.metric == "mean_iou"
    }
    return [
        {"test images": source, "detector": name, **tested[source]["test"], **differences.get((source, name), {})}
        for source in sources
        for name, tested in scores.items()
    ]


def _in_words(score: dict[str, Any] | None) -> str:
    return f"{Score(**score):.3f}" if score else ""


def speed(exported: Path, rounds: int) -> list[dict[str, Any]]:
    """Print the times of a network alone, and of a whole image from its JPEG bytes on: medians of the rounds.

    Returns:
        Rows of a results file: what, and the ratio of the times.
    """
    detector = load_onnx_detector(exported, THREADS)
    tested = read_split().query("split == 'test'")["image"].drop_duplicates().sample(frac=1, random_state=0)
    jpegs = [(IMAGE_CACHE / name).read_bytes() for name in tested[:IMAGES]]
    spent = [_race(size, detector, jpegs, rounds) for size in SIZES]
    rows = [
        [str(size), *_compared(alone), *_compared(whole)] for size, (alone, whole) in zip(SIZES, spent, strict=True)
    ]
    heads = ["px", "network: ours", "yolo11n", "ratio", "image: ours", "yolo11n", "yolo11n, rectangle", "ratio"]
    print(f"ms, {THREADS} threads, n={rounds} rounds; ratio: ours / the faster yolo11n, and its range over the rounds")
    print(tabulate(rows, heads, "github", disable_numparse=True))
    return [
        {"what": f"{what}, {size} px", "time ratio": median_of(_ratios(times).tolist(), "×")}
        for size, both in zip(SIZES, spent, strict=True)
        for what, times in zip(("the network alone", "a whole image"), both, strict=True)
    ]


def _race(size: int, detector: OnnxDetector, jpegs: list[bytes], rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Times at one size, of the networks alone and of whole images; ours with the number of scales of its metadata."""
    square, rectangle = (open_network(YOLO / f"{name}.onnx", THREADS) for name in (size, "any"))
    network, family = detector.network, detector.family
    settings = detector.metadata.inference.model_copy(update={"image_size_px": size})
    resized = cv2.resize(decode_image(jpegs[0]), (size, size))
    blob = cv2.dnn.blobFromImage(resized, 1 / 255)
    alone = in_turns(
        [lambda _: network(resized[None]), lambda _: square.run(None, {"images": blob})], range(CALLS), rounds
    )
    whole = in_turns(
        [
            lambda jpeg: detect(decode_image(jpeg), network, family, settings),
            lambda jpeg: detect_by_yolo(decode_image(jpeg), square, size, MIN_CONFIDENCE),
            lambda jpeg: detect_by_yolo(decode_image(jpeg), rectangle, size, MIN_CONFIDENCE, square=False),
        ],
        jpegs,
        rounds,
    )
    return alone, whole


def in_turns(runners: Sequence[Callable[[Any], object]], cases: Sequence[Any], rounds: int) -> np.ndarray:
    """Milliseconds that each of the runners takes for a case, one after the other: (rounds, cases, runners)."""
    for run in runners:  # to warm up
        run(cases[0])
    spent = np.empty((rounds, len(cases), len(runners)))
    for number, (place, case) in product(range(rounds), enumerate(cases)):
        for turn in range(len(runners)):
            which = (number + turn) % len(runners)  # in each round another one goes first
            started = time.perf_counter()
            runners[which](case)
            spent[number, place, which] = (time.perf_counter() - started) * 1000
    return spent


def _compared(spent: np.ndarray) -> list[str]:
    """The medians of all cases, and the ratio of the first to the fastest of the others."""
    ratios = _ratios(spent)
    return [
        *(f"{median:.1f}" for median in np.median(spent, axis=(0, 1))),
        f"{np.median(ratios):.2f} ({ratios.min():.2f}–{ratios.max():.2f})",
    ]


def _ratios(spent: np.ndarray) -> np.ndarray:
    """Of each round: the first's median over the cases, divided by that of the fastest of the others."""
    medians = np.median(spent, axis=1)
    ratios: np.ndarray = medians[:, 0] / medians[:, 1:].min(axis=1)
    return ratios


if __name__ == "__main__":
    main()
