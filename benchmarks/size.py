"""How time and memory of each stage grow with the number of images: made JPEGs of 320 × 240 pixels.

    python benchmarks/size.py [COUNT ...] [--output docs/results/size.json]

Each stage is a process of its own, in a copy of the checkout, on a folder of COUNT images with a plate each. Prints its
wall time and its largest resident memory at each COUNT, and the exponents of both: the slopes of lines through their
logarithms, 1 where they are proportional to the number of images. The network is a tiny one, trained for one batch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from checkout import copy_checkout
from PIL import Image, ImageDraw
from results import add_output, metric, write_results
from tables import markdown

from lpr.data.annotations import PlateLabel, annotation_line

WIDTH, HEIGHT = 320, 240
STAGES = {
    "source": ["source", "annotated"],
    "annotate": ["annotate"],
    "download": ["download"],
    "split=grouped": ["split"],
    "train": ["train"],
    "evaluate": ["evaluate"],
    "report": ["report"],
}
OVERRIDES = ["experiment=smoke", "data=annotated", "split=grouped", "train.epochs=1", "train.steps_per_epoch=1"]


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=int, nargs="*", default=[1000, 3000, 10_000], metavar="COUNT")
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    measured = {}
    for count in options.counts:
        measured[count] = measure(count)
        listed = ", ".join(
            f"{stage} {seconds:.1f} s {megabytes:.0f} MB" for stage, (seconds, megabytes) in measured[count].items()
        )
        print(f"{count} images: {listed}", flush=True)
    table = rows(measured)
    print(markdown(table))
    if options.output:
        data = f"{', '.join(map(str, options.counts))} made JPEGs of {WIDTH} × {HEIGHT} px, each stage a process"
        notes = [
            "Exponents are the slopes of lines through the logarithms: 1 where a figure grows as the number of images. "
            "What a stage needs for no image at all, such as the start of TensorFlow, makes them smaller.",
        ]
        write_results(options.output, "Size", data, table, notes=notes)


def measure(count: int) -> dict[str, tuple[float, float]]:
    """Wall time in seconds and largest resident memory in MB of each stage."""
    with tempfile.TemporaryDirectory() as place:
        folder = copy_checkout(Path(place) / "copy")
        make_images(count, Path(place) / "images")
        annotations, images = Path(place) / "images.json", Path(place) / "images"
        run(folder, "params", *OVERRIDES, f"data.annotations={annotations}", f"data.image_root={images}")
        return {stage: run(folder, *arguments) for stage, arguments in STAGES.items()}


def make_images(count: int, folder: Path) -> None:
    """JPEGs of coarse noise, no two alike, with a plate each; every tenth plate is in two of them."""
    folder.mkdir()
    random = np.random.default_rng(0)
    with folder.with_suffix(".json").open("w") as annotations:
        for number in range(count):
            coarse = random.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            image = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
            left, top = int(random.integers(WIDTH - 90)), int(random.integers(HEIGHT - 30))
            box = (left, top, left + 80, top + 20)
            text = f"AB{number - (number % 10 == 1):06d}"
            draw = ImageDraw.Draw(image)
            draw.rectangle(box, "white", "black")
            draw.text((left + 10, top + 5), text, "black")
            image.save(folder / f"{number:06d}.jpg", quality=85)
            annotations.write(annotation_line(f"{number:06d}.jpg", WIDTH, HEIGHT, [PlateLabel(box, text)]) + "\n")


def run(folder: Path, *arguments: str) -> tuple[float, float]:
    """Run `lpr` in a process of its own: its wall time in seconds, and its largest resident memory in MB."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    started = time.perf_counter()
    with (folder.parent / "log").open("w+") as log:
        command = [sys.executable, "-m", "lpr", *arguments]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # else Popen waits for it, too
        if process.returncode:
            log.seek(0)
            sys.exit(f"lpr {' '.join(arguments)} exited {process.returncode}\n{log.read()[-3000:]}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def rows(measured: dict[int, dict[str, tuple[float, float]]]) -> list[dict[str, Any]]:
    """A row a stage: both figures at each count, and their exponents."""
    table = []
    for stage in STAGES:
        row: dict[str, Any] = {"stage": stage}
        for which, (what, unit, digits) in enumerate([("time", "s", 1), ("memory", "MB", 0)]):
            values = [figures[stage][which] for figures in measured.values()]
            row |= {
                f"{what}, {count}": metric(value, unit=unit) | {"digits": digits}
                for count, value in zip(measured, values, strict=True)
            }
            if len(measured) > 1:
                row[f"{what}, exponent"] = metric(exponent([*measured], values)) | {"digits": 2}
        table.append(row)
    return table


def exponent(counts: Sequence[int], values: Sequence[float]) -> float:
    """The slope of the line through the logarithms, by least squares."""
    return float(np.polyfit(np.log(counts), np.log(values), 1)[0])


if __name__ == "__main__":
    main()
