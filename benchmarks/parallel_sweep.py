"""A sweep of four jobs, two at a time (`hydra/launcher=joblib`), against one after the other.

    python benchmarks/parallel_sweep.py [ROUNDS] [KEY=VALUE …]

Whole commands, in turns. One after the other, a job has all cores; two at a time, each has half of them. Prints both
times and the median ratio.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from checkout import copy_checkout, run

SWEEP = ("data.sources.0.scenes=240", "train.epochs=10", "train.warmup_epochs=1", "tracking=off", "train.seed=0,1,2,3")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    command = ("python", "-m", "lpr", "experiment", "-m", *SWEEP, *sys.argv[2:])
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        run(copy, "python", "-m", "lpr", "experiment", *SWEEP[:-1], "train.epochs=2")  # prepares the images
        ratios = []
        for _ in range(rounds):
            alone = run(copy, *command)
            together = run(copy, *command, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
            ratios.append(together / alone)
            print(f"one after the other {alone:.1f} s, two at a time {together:.1f} s", flush=True)
    spread = f"{min(ratios):.2f}–{max(ratios):.2f}, n={rounds}"
    print(f"two at a time: {statistics.median(ratios):.2f} × the time of one after the other ({spread})")


if __name__ == "__main__":
    main()
