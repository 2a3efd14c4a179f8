"""Whether an experiment's values are those that lpr 0.1 gave, under their new names.

    python benchmarks/unchanged.py OLD NEW

OLD is a folder in which lpr 0.1 (commit 1f5a461) ran an experiment, or the project's own root at that commit; NEW is
one in which this version ran the same. Every number and text of `metrics/` and `reports/*.csv` is compared, after 0.1's
names have been mapped to today's. Prints a row a file: values compared, values that differ, and the largest
difference of two numbers; exits with 1 where anything differs.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

# File of 0.1 → of today; and the names in them. Whole words alone are mapped, and the ends of sources' names.
FILES = {
    "metrics/annotate.json": "metrics/annotate.json",
    "metrics/download.json": "metrics/download.json",
    "metrics/split.json": "metrics/split.json",
    "metrics/training.json": "metrics/training.json",
    "metrics/detection.json": "metrics/detection.json",
    "metrics/reading.json": "metrics/recognition.json",
    "reports/history.csv": "reports/history.csv",
    "reports/predictions.csv": "reports/predictions.csv",
    "reports/detections.csv": "reports/detections.csv",
    "reports/readings.csv": "reports/recognitions.csv",
}
NAMES = {
    "pictures": "images",
    "test_pictures_leaked": "test_images_leaked",
    "false_plates": "false_positives_per_image",
    "seed_accuracy": "keras_accuracy",
    "plate_acc_as_read": "plate_acc_without_grammar",
    "as_read": "text_before_grammar",
    "reading": "predicted_text",
    "doubtful": "low_confidence",
}
ENDS = {"_joined_boxes": "_override_boxes", "_own_boxes": "_original_boxes"}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    old_root, new_root = map(Path, sys.argv[1:])
    rows = []
    for old, new in FILES.items():
        if not (old_root / old).is_file():
            continue
        if not (new_root / new).is_file():
            sys.exit(f"{new_root / new} is missing: run the experiment of {old_root} with this version, too")
        before, after = dict(values(old_root / old, renamed)), dict(values(new_root / new, str))
        keys = before.keys() | after.keys()
        differing = [key for key in keys if not equal(before.get(key), after.get(key))]
        numbers = [(before[key], after[key]) for key in before.keys() & after.keys() if isinstance(before[key], float)]
        largest = max((abs(a - b) for a, b in numbers if isinstance(b, float) and not math.isnan(a - b)), default=0.0)
        rows.append([old, new, len(keys), len(differing), f"{largest:.3g}", ", ".join(sorted(differing)[:3])])
    print(tabulate(rows, ["lpr 0.1", "now", "values", "differing", "largest difference", "for example"]))
    sys.exit(any(row[3] for row in rows))


def renamed(name: str) -> str:
    """A name of 0.1 as it is today."""
    for end, new in ENDS.items():
        if name.endswith(end):
            return name.removesuffix(end) + new
    return NAMES.get(name, name)


def values(path: Path, rename: Any) -> Iterator[tuple[str, Any]]:
    """Every value of a file, by the names that lead to it: keys of JSON; column and row of CSV."""
    if path.suffix == ".json":
        yield from _leaves(json.loads(path.read_text()), rename)
        return
    table = pd.read_csv(path, dtype={"text": str, "predicted_text": str, "reading": str}, keep_default_na=False)
    for column in table:
        for number, value in enumerate(table[column].tolist()):
            yield f"{rename(str(column))} of row {number + 1}", _plain(value)


def _leaves(content: Any, rename: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, rename, f"{prefix}/{rename(key)}")
    else:
        yield prefix, _plain(content)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same; not a number is itself."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


if __name__ == "__main__":
    main()
