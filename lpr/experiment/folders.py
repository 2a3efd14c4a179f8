"""The folders of runs and sweeps, as Hydra makes them, at any depth."""

from __future__ import annotations

import os
from pathlib import Path

RUN, SWEEP = ".hydra", "multirun.yaml"
"""What the folder of a run, and of a sweep, holds."""


def find_folders(place: Path) -> tuple[list[Path], list[Path]]:
    """The folders of runs and those of sweeps below a folder, sorted; what is inside of one is not looked into."""
    runs: list[Path] = []
    sweeps: list[Path] = []
    for folder, subfolders, files in os.walk(place):
        path = Path(folder)
        found = runs if RUN in subfolders else sweeps if SWEEP in files else None
        if path != place and found is not None:
            found.append(path)
            subfolders.clear()
    return sorted(runs), sorted(sweeps)
