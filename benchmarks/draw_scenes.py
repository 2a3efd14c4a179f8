"""How many street scenes a second `lpr.data.formats.synthetic` draws and stores: python benchmarks/draw_scenes.py [SCENES]

Prints the number of scenes, the workers (one a usable core; `taskset -c 0,1` gives two) and scenes/s, start of the
workers included.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from lpr.cores import usable_cores
from lpr.data.formats.synthetic import draw_scenes


def main() -> None:
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        draw_scenes(Path(folder), scenes, seed=0)
        seconds = time.perf_counter() - start
    print(f"n={scenes} workers={usable_cores()} scenes_per_s={scenes / seconds:.1f}")


if __name__ == "__main__":
    main()
