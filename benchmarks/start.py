"""How long the light commands take to start, against a bare Python: in turns, whole processes.

    python benchmarks/start.py [ROUNDS]

Prints, for `lpr --help`, `lpr params` and `lpr compare` (which lists what can be compared), the median of the rounds'
differences to `python -c pass`, seconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from checkout import copy_checkout, run

COMMANDS = ("--help", "params", "compare")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        run(copy, "git", "add", "--all")
        run(copy, "git", "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "the checkout")
        found: dict[str, list[float]] = {command: [] for command in COMMANDS}
        for _ in range(rounds):
            bare = run(copy, "python", "-c", "pass")
            for command, differences in found.items():
                differences.append(run(copy, "python", "-m", "lpr", command) - bare)
    for command, differences in found.items():
        spread = f"{min(differences):.2f}–{max(differences):.2f}, n={rounds}"
        print(f"lpr {command}: {statistics.median(differences):.2f} s over a bare Python ({spread})")


if __name__ == "__main__":
    main()
