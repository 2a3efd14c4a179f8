"""How long the light commands take to start, compared with a bare Python: whole processes, in turns.

    python benchmarks/start.py [ROUNDS] [--output docs/results/speed_start.json]

Prints, for `lpr --help`, `lpr params` and `lpr compare` (which lists what can be compared), the median over the rounds
of the difference to `python -c pass`, in seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from checkout import copy_checkout, run
from results import add_output, median_of, write_results
from tables import cell

COMMANDS = ("--help", "params", "compare")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=10)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        run(copy, "git", "add", "--all")
        run(copy, "git", "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "the checkout")
        measured: dict[str, list[float]] = {command: [] for command in COMMANDS}
        for _ in range(options.rounds):
            bare = run(copy, "python", "-c", "pass")
            for command, differences in measured.items():
                differences.append(run(copy, "python", "-m", "lpr", command) - bare)
    medians = {f"lpr {name}": median_of(differences, "s") for name, differences in measured.items()}
    for command, median in medians.items():
        print(f"{command}: {cell(median, with_n=True)} over a bare Python")
    if options.output:
        rows = [{"command": command, "over a bare Python": median} for command, median in medians.items()]
        data = f"medians of {options.rounds} rounds, less the start of a bare Python"
        write_results(options.output, "Starting a command", data, rows, "range")


if __name__ == "__main__":
    main()
