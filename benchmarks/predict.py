"""The time from an image's file to its boxes, by an exported detector, and by a peer beside it.

    python benchmarks/predict.py IMAGES [--model models/detector.onnx] [--peer PEER.onnx] [--size 256]
                                 [--threads 2] [--rounds 5]

IMAGES is a folder. Both detect plates in every image, in turns, from its file, which the system has in memory, to
boxes. Prints medians in milliseconds: of reading and decoding, of the network, of what is around it (resizing, boxes of
its outputs), and of all together; then of the networks alone, on one square of `--size` pixels; and the medians of the
ratios ours / peer, pair by pair, with their quartiles.

A peer is a detector as Ultralytics exports it: input float32 (1, 3, S, S) in 0–1, output (1, 5, N) of centre x, centre
y, width, height, in pixels of the input, and confidence. S is `--size` if the file leaves it open.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lpr.augment.random_crops import letterbox
from lpr.boxes import Detections
from lpr.detection.decoding import non_maximum_suppression
from lpr.detection.multiscale import Forward, detect
from lpr.detection.onnx_detector import load_onnx_detector
from lpr.inference.inputs import find_inputs, is_video, read_image

_PEER_CONFIDENCE = 0.25  # Ultralytics' own default
_WARM_UP = 3  # images that are not counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--model", type=Path, default=Path("models/detector.onnx"))
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    runners = {"ours": ours(options.model, options.threads)}
    if options.peer:
        runners["peer"] = peer(options.peer, options.threads, options.size)
    paths = [path for path in find_inputs([str(options.images)]).paths if isinstance(path, Path) and not is_video(path)]
    spent: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    for number in range(options.rounds):
        for place, path in enumerate(paths[: _WARM_UP if number == 0 else 0] + paths):
            order = list(runners) if (number + place) % 2 else list(reversed(runners))
            for name in order:
                times = runners[name].whole(path)
                if number or place >= _WARM_UP:
                    spent[name].append(times)
    print(f"{len(paths)} images, {options.rounds} rounds, {options.threads} threads; medians, ms")
    for name, rows in spent.items():
        parts = {part: np.median([row[part] for row in rows]) for part in rows[0]}
        print(f"{name}: " + ", ".join(f"{part} {value:.2f}" for part, value in parts.items()))
    alone: dict[str, list[float]] = defaultdict(list)
    for number in range(_WARM_UP + options.rounds * 20):
        for name in list(runners) if number % 2 else list(reversed(runners)):
            milliseconds = runners[name].alone(options.size)
            if number >= _WARM_UP:
                alone[name].append(milliseconds)
    print(f"network alone, 1 × {options.size} × {options.size}: " + _medians(alone))
    if options.peer:
        whole = {name: [row["whole"] for row in rows] for name, rows in spent.items()}
        print(f"ours / peer: whole {_ratio(whole)}, network alone {_ratio(alone)}")


class Runner:
    """A detector whose parts are timed.

    Args:
        network: images to outputs.
        find: an image, uint8 (h, w, 3) RGB, and the network to the plates.
        example: a size in pixels to an input of the network.
    """

    def __init__(
        self,
        network: Forward,
        find: Callable[[np.ndarray, Forward], Detections],
        example: Callable[[int], np.ndarray],
    ) -> None:
        self._network, self._find, self._example = network, find, example
        self._network_s = 0.0

    def whole(self, path: Path) -> dict[str, float]:
        """Milliseconds of each part."""
        self._network_s = 0.0
        started = time.perf_counter()
        image = read_image(path)
        decoded = time.perf_counter()
        self._find(image, self._timed)
        ended = time.perf_counter()
        around = ended - decoded - self._network_s
        times = {"decode": decoded - started, "network": self._network_s, "around it": around, "whole": ended - started}
        return {part: 1000 * seconds for part, seconds in times.items()}

    def alone(self, size: int) -> float:
        """Milliseconds of the network on one square."""
        self._network_s = 0.0
        self._timed(self._example(size))
        return 1000 * self._network_s

    def _timed(self, images: np.ndarray) -> np.ndarray:
        started = time.perf_counter()
        outputs = self._network(images)
        self._network_s += time.perf_counter() - started
        return outputs


def ours(model: Path, threads: int) -> Runner:
    """An exported detector, as `lpr predict` runs it."""
    detector = load_onnx_detector(model, threads)
    settings = detector.metadata.inference
    fixed = settings.image_size_px if settings.name == "stretch" else None

    def example(size: int) -> np.ndarray:
        return _noise((1, fixed or size, fixed or size, 3))

    def find(image: np.ndarray, network: Forward) -> Detections:
        return detect(image, network, detector.family, settings)

    return Runner(detector.network, find, example)


def peer(model: Path, threads: int, size: int) -> Runner:
    """A detector of Ultralytics, as its own prediction runs it: letterbox, floats, then non-maximum suppression."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    side = given.shape[2] if isinstance(given.shape[2], int) else size

    def find(image: np.ndarray, network: Forward) -> Detections:
        scale = side / max(image.shape[:2])
        images = np.ascontiguousarray(letterbox(image, side).transpose(2, 0, 1)[None], dtype=np.float32) / 255
        columns = network(images)[0]
        kept = columns[:, columns[4] >= _PEER_CONFIDENCE].astype(float)
        corners = np.concatenate([kept[:2] - kept[2:4] / 2, kept[:2] + kept[2:4] / 2]).T / scale
        return non_maximum_suppression(Detections(corners, kept[4]))

    def example(_: int) -> np.ndarray:
        return _noise((1, 3, side, side)) / np.float32(255)

    return Runner(lambda images: np.asarray(session.run(None, {given.name: images})[0]), find, example)


def _noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _medians(times: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} {np.median(values):.2f}" for name, values in times.items())


def _ratio(times: dict[str, list[float]]) -> str:
    low, middle, high = np.percentile(np.divide(times["ours"], times["peer"]), [25, 50, 75])
    return f"{middle:.2f} ({low:.2f}–{high:.2f}, n={len(times['ours'])})"


if __name__ == "__main__":
    main()
