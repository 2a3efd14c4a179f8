"""A `dvc repro` that has nothing to do, compared with a pipeline of the same shape whose commands are `true`.

    python benchmarks/idle_repro.py [ROUNDS] [--output docs/results/speed_idle_repro.json]

Both have run before: one by this project's commands, on few synthetic scenes; the other is a copy with the same stages,
dependencies, parameters and outputs, and no Hydra configured. Prints the median over the rounds of the ratio of the
two times.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

from checkout import copy_checkout, run
from results import add_output, median_of, write_results
from tables import cell


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=10)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    with tempfile.TemporaryDirectory() as place:
        ours = copy_checkout(Path(place) / "ours")
        run(ours, "python", "-m", "lpr", "params", "experiment=smoke", "tracking=off")
        run(ours, "dvc", "repro")
        same = Path(place) / "same"
        shutil.copytree(ours, same, symlinks=True)
        (same / ".dvc" / "config").write_text("[core]\n    analytics = false\n    check_update = false\n")
        pipeline = same / "dvc.yaml"
        pipeline.write_text(re.sub(r"cmd: .*", "cmd: 'true'", pipeline.read_text()))
        run(same, "dvc", "commit", "--force", "dvc.yaml")
        ratio = median_of([run(ours, "dvc", "repro") / run(same, "dvc", "repro") for _ in range(options.rounds)], "×")
    what = "time, against a pipeline of the same shape of `true`"
    print(f"{what}: {cell(ratio, with_n=True)}")
    if options.output:
        rows = [{"what": what, "ratio": ratio}]
        write_results(options.output, "A `dvc repro` with nothing to do", "experiment=smoke", rows, "range")


if __name__ == "__main__":
    main()
