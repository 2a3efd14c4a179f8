"""Results files, docs/results/NAME.json: what a benchmark measured, and how. `tables.py` makes tables of them."""

from __future__ import annotations

import argparse
import json
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from checkout import ROOT

from lpr.cores import usable_cores
from lpr.git import git_output

INTERVALS = ("95 % bootstrap interval", "range", "quartiles", "standard deviation")
"""What `low` and `high` of a metric are."""


def metric(
    value: float,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
    unit: str | None = None,
    interval: str | None = None,
) -> dict[str, Any]:
    """One measured figure.

    Args:
        value: the mean, median or share.
        low, high: ends of its interval; None: none was measured.
        n: cases that it is over: plates, images, rounds.
        unit: such as `s`; None: a score without a unit.
        interval: one of `INTERVALS`, where it is not the file's own.

    Returns:
        These fields, without those that are None; numbers are rounded to six digits.
    """
    fields = {"value": value, "low": low, "high": high, "n": n, "unit": unit, "interval": interval}
    return {
        key: round(field, 6) if isinstance(field, float) else field
        for key, field in fields.items()
        if field is not None
    }


def median_of(values: Sequence[float], unit: str) -> dict[str, Any]:
    """The median of some rounds as a `metric`, with their range."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return metric(median, ordered[0], ordered[-1], len(ordered), unit)


def write_results(
    path: Path,
    title: str,
    data: str,
    rows: Sequence[dict[str, Any]],
    interval: str = "95 % bootstrap interval",
    notes: Sequence[str] = (),
    command: str | None = None,
) -> None:
    """Write a results file with the command that runs now, the commit of the checkout, the date and the machine.

    Args:
        path: docs/results/NAME.json.
        title: what was measured, as a heading of the pages has it.
        data: what it was measured on.
        rows: a row of the table each: labels (text) and metrics (see `metric`) by column.
        interval: one of `INTERVALS`: what `low` and `high` are where a metric does not say.
        notes: what a reader must know besides.
        command: what measured it, where that is not the command that runs now.
    """
    document = {
        "title": title,
        "command": command or command_line(sys.argv),
        "commit": (git_output(ROOT, "describe", "--always", "--dirty", "--abbrev=7") or "").strip() or None,
        "date": date.today().isoformat(),
        "machine": machine(),
        "data": data,
        "interval": interval,
        "rows": list(rows),
        "notes": list(notes),
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def command_line(arguments: Sequence[str]) -> str:
    """The command line without `--output`; of absolute paths, the last part alone."""
    kept, rest = [], iter(arguments)
    for argument in rest:
        if argument == "--output":
            next(rest, None)
        elif not argument.startswith("--output="):
            kept.append(re.sub(r"(^|=)/(?:[^/=]+/)*([^/=]+)/?", r"\1\2", argument))
    return shlex.join(["python", f"benchmarks/{Path(arguments[0]).name}", *kept[1:]])


def machine() -> dict[str, Any]:
    """Model of the CPU, how many cores this process may use, and whether they multiply in bfloat16."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", "").split())
    return {
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": usable_cores(),
        "bf16": bool(flags & {"avx512_bf16", "amx_bf16"}),
    }


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add `--output FILE` to a benchmark's command line."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="write a results file, docs/results/NAME.json")
