"""How exact a box must be for its plate to be read.

    python benchmarks/moved_boxes.py FOLDER ENGINE… [--splits validation test] [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run, such as `experiment=open_recognizer`.
The engine gets each plate whose text is known in its true box and in three others: each side moved in or out at random
(normal, with a standard deviation of .05 of the box's width or height), and each side moved out at random by up to .3,
and up to .8, of the box's height. Sets of crops, which are plates as a whole, are left out. An ENGINE is as in
`ocr_engines.py`.

Prints a row for each engine, data set and kind of boxes, in Markdown: exact texts, without and with O = 0 and I = 1,
and the character error rate, without a grammar, each with a 95 % bootstrap interval. Dataturks' plates with two lines
have rows of their own.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
from ocr_engines import SPLITS, engine_config, fill_their_images, groups, known_plates, read_plates, text_scores
from results import add_output, write_results
from tables import markdown

from lpr.boxes import BOX_COLUMNS
from lpr.ocr import engines
from lpr.paths import SCRATCH

MOVED, OUTWARDS = 0.05, (0.3, 0.8)
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("engines", nargs="+", metavar="ENGINE")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=["test"])
    add_output(parser)
    options = parser.parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    rows = score(options.engines, options.splits)
    print(markdown(rows))
    if options.output:
        write_results(here / options.output, "Boxes that are not exact", ", ".join(options.splits), rows)


def score(names: list[str], splits: list[str]) -> list[dict[str, Any]]:
    """The rows of a results file."""
    plates = known_plates(splits)
    plates = plates[~fill_their_images(plates)].reset_index(drop=True)
    boxes = other_boxes(plates[BOX_COLUMNS].to_numpy(float))
    rows = []
    for name in names:
        config = engine_config(name)
        engine = engines.create(config, SCRATCH / config.name)
        for kind, these in boxes.items():
            boxed = plates.assign(**dict(zip(BOX_COLUMNS, these.T, strict=True)))
            found, _ = read_plates(engine, boxed, BOX_COLUMNS, config.margin, f"{name}, {kind}")
            for group, part in groups(plates).items():
                row = {"plates": group, "engine": f"`{name}`", "boxes": kind}
                rows.append(row | text_scores(part, [found[index].text for index in part.index]))
    return rows


def other_boxes(true: np.ndarray) -> dict[str, np.ndarray]:
    """Kind → boxes, as of true ones, float (n, 4), pixels, the same from the same."""
    random = np.random.default_rng(SEED)
    widths, heights = true[:, 2] - true[:, 0], true[:, 3] - true[:, 1]
    sides = np.column_stack([widths, heights] * 2)
    found = {"true": true, "moved": true + random.normal(0, MOVED, true.shape) * sides}
    for most in OUTWARDS:
        out = random.uniform(0, most, true.shape) * heights[:, None]
        found[f"up to {most:g} h around"] = true + out * [-1, -1, 1, 1]
    return found


if __name__ == "__main__":
    main()
