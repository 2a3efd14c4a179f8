"""A sweep of four jobs, two at a time (`hydra/launcher=joblib`), compared with one after the other.

    python benchmarks/parallel_sweep.py [ROUNDS] [KEY=VALUE …] [--output docs/results/speed_parallel_sweep.json]

Whole commands, in turns. One after the other, a job has all cores; two at a time, each has half of them. Prints both
times and the median ratio.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from checkout import copy_checkout, run
from results import add_output, median_of, write_results
from tables import cell

SWEEP = ("data.sources.0.scenes=240", "train.epochs=10", "train.warmup_epochs=1", "tracking=off", "train.seed=0,1,2,3")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    command = ("python", "-m", "lpr", "experiment", "-m", *SWEEP, *options.overrides)
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        run(copy, "python", "-m", "lpr", "experiment", *SWEEP[:-1], "train.epochs=2")  # prepares the images
        ratios = []
        for _ in range(options.rounds):
            sequential = run(copy, *command)
            parallel = run(copy, *command, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
            ratios.append(parallel / sequential)
            print(f"one after the other {sequential:.1f} s, two at a time {parallel:.1f} s", flush=True)
    ratio = median_of(ratios, "×")
    print(f"two at a time: {cell(ratio, with_n=True)} the time of one after the other")
    if options.output:
        rows = [{"what": "time, against one after the other", "ratio": ratio}]
        write_results(options.output, "A sweep of four jobs, two at a time", "240 synthetic scenes", rows, "range")


if __name__ == "__main__":
    main()
