"""A `dvc repro` that has nothing to do, against a pipeline of the same shape whose commands are `true`.

    python benchmarks/idle_repro.py [ROUNDS]

Both have run: one by this project's commands, on few drawn scenes; the other has the same stages, dependencies,
parameters and outputs in a copy, with no Hydra configured. Prints the median ratio of the rounds.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from checkout import copy_checkout, run


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
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
        ratios = [run(ours, "dvc", "repro") / run(same, "dvc", "repro") for _ in range(rounds)]
    spread = f"{min(ratios):.2f}–{max(ratios):.2f}, n={rounds}"
    print(f"dvc repro with nothing to do: {statistics.median(ratios):.2f} × the same shape of `true` ({spread})")


if __name__ == "__main__":
    main()
