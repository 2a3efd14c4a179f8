"""How many synthetic scenes a second `lpr.data.formats.synthetic` draws and stores.

    python benchmarks/draw_scenes.py [SCENES] [--output docs/results/speed_draw_scenes.json]

Prints the number of scenes, the workers (one a usable core; `taskset -c 0,1` gives two) and scenes/s, including the
start of the workers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from results import add_output, metric, write_results

from lpr.cores import usable_cores
from lpr.data.formats.synthetic import draw_scenes


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=int, nargs="?", default=300)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    scenes = options.scenes
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        draw_scenes(Path(folder), scenes, seed=0)
        seconds = time.perf_counter() - start
    print(f"n={scenes} workers={usable_cores()} scenes_per_s={scenes / seconds:.1f}")
    if options.output:
        rows = [{"what": "scenes drawn", "rate": metric(scenes / seconds, n=scenes, unit="scenes/s")}]
        write_results(options.output, "Drawing synthetic scenes", f"{scenes} synthetic scenes", rows)


if __name__ == "__main__":
    main()
