"""Images that trained nothing, on which `shipped.py` and others run detectors: the arguments, and the images' rows."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from results import add_output

from lpr.config import load
from lpr.data.plates import read_split_and_ignored
from lpr.paths import SHIPPED_DETECTOR

SPLITS = ("validation", "test")


def build_parser(description: str | None, split: str, *, several: bool = False) -> argparse.ArgumentParser:
    """The arguments FOLDER, --detector, --split and --output.

    Args:
        description: the benchmark's module docstring, which explains them.
        split: the default of `--split`.
        several: whether `--detector` takes more than one file; it is a list, then.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    if several:
        parser.add_argument("--detector", type=Path, nargs="+", default=[SHIPPED_DETECTOR], metavar="FILE.onnx")
    else:
        parser.add_argument("--detector", type=Path, default=SHIPPED_DETECTOR, metavar="FILE.onnx")
    parser.add_argument("--split", choices=SPLITS, default=split)
    add_output(parser)
    return parser


def tested_rows(split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the test images of sources of role test, or of all validation images; and all ignored boxes."""
    rows, ignored = read_split_and_ignored()
    tested = [source.name for source in load().data.sources if split == "validation" or source.role == "test"]
    return rows[(rows["split"] == split) & rows["source"].isin(tested)].reset_index(drop=True), ignored
