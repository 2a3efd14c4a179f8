"""Images a second of `lpr predict`: one image at a time by all cores, beside as many at a time as there are cores.

    python benchmarks/predict_overlap.py IMAGES [--detector FILE] [--ocr cascade] [--save csv,images] [--rounds 5]

IMAGES is a folder. Both process all of its images, in turns, from their files to written results, within one process:
loading networks is timed apart. Prints the images a second of each round and their medians; the median of the ratios,
round by round, with their quartiles; and whether both wrote the same bytes. Other work on the machine shows in both.
"""

from __future__ import annotations

import argparse
import io
import time
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import numpy as np

from lpr.cores import usable_cores
from lpr.inference.alpr import ALPR
from lpr.inference.inputs import find_inputs, is_video
from lpr.inference.predict import Images, choose_targets, map_by_threads, process_inputs
from lpr.inference.results import Results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--detector", type=Path, help="default: the shipped one")
    parser.add_argument("--ocr", default="cascade")
    parser.add_argument("--save", default="csv,images", help="as for `lpr predict`")
    parser.add_argument("--confidence", type=float)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    paths = [path for path in find_inputs([str(options.images)]).paths if isinstance(path, Path) and not is_video(path)]
    save = options.save.split(",")
    rates: dict[int, list[float]] = {1: [], usable_cores(): []}
    written: dict[int, dict[str, bytes]] = {}
    alprs = {}
    for workers in rates:
        started = time.perf_counter()
        alprs[workers] = ALPR(options.detector, options.ocr, confidence_threshold=options.confidence, workers=workers)
        print(f"workers={workers}: loaded in {time.perf_counter() - started:.1f} s")
        run(alprs[workers], paths[: 2 * workers], save)  # not counted: it loads the other workers' OCR engines
    for number in range(options.rounds):
        for workers in list(rates) if number % 2 else list(reversed(rates)):
            seconds, written[workers] = run(alprs[workers], paths, save)
            rates[workers].append(len(paths) / seconds)
    print(
        f"{len(paths)} images, {options.rounds} rounds, {usable_cores()} cores, ocr={options.ocr}, save={options.save}"
    )
    for workers, values in rates.items():
        each = ", ".join(f"{value:.2f}" for value in values)
        print(f"workers={workers}: {each}; median {np.median(values):.2f} images/s")
    low, middle, high = np.percentile(np.divide(rates[usable_cores()], rates[1]), [25, 50, 75])
    print(f"ratio {middle:.2f} ({low:.2f}–{high:.2f}, n={options.rounds})")
    print("the same bytes" if written[1] == written[usable_cores()] else "DIFFERENT BYTES")


def run(alpr: ALPR, paths: list[Path], save: list[str]) -> tuple[float, dict[str, bytes]]:
    """Seconds to process the images, and what was written."""
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        output = Path(folder)
        started = time.perf_counter()
        with Results(output, {}, "csv" in save, resume=False) as results:
            images = Images(output, save, choose_targets(paths, output, save))
            process_inputs(paths, alpr, images, partial(map_by_threads, alpr, images), results, Event())
        seconds = time.perf_counter() - started
        files = {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}
    return seconds, files


if __name__ == "__main__":
    main()
