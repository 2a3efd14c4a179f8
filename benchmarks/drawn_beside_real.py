"""Whether drawn crops look like real ones: python benchmarks/drawn_beside_real.py DATATURKS IMAGE.png [SEED]

Draws a sheet of plates as a reader is shown them, each stretched to the shape most like it: a row cut out of
images, a row drawn, and so on. DATATURKS is the folder with `tight_boxes.csv` and the images in `mirror/`;
with `-` in its place all rows are drawn, with their characters' boxes. Prints plates and crops drawn a second, on one
core.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from checkout import ROOT
from numpy.random import Generator
from PIL import Image

from lpr.composition.compose import compose
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import draw_plates

COLUMNS, ROWS = 8, 8
SETTINGS = compose([], ROOT / "conf").recognizer


def main() -> None:
    source, target, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    rng = np.random.default_rng(seed)
    drawn = _drawn(ROWS * COLUMNS, seed, rng, with_boxes=source == "-")
    real = [] if source == "-" else _real(Path(source), ROWS * COLUMNS, rng)
    rows = []
    for row in range(ROWS):
        for crops in (real, drawn):
            if crops:
                rows.append(np.hstack(crops[row * COLUMNS : (row + 1) * COLUMNS]))
    Image.fromarray(np.vstack(rows)).save(target)


def _drawn(count: int, seed: int, rng: Generator, with_boxes: bool) -> list[np.ndarray]:
    draw_plates(20, seed + 1)  # so that the typefaces are loaded
    start = time.thread_time()
    plates = draw_plates(count, seed)
    middle = time.thread_time()
    looks = [
        draw_crop(plate, *nearest_shape(SETTINGS.input_shapes_px, *plate.size), rng, SETTINGS.crops) for plate in plates
    ]
    end = time.thread_time()
    print(f"n={count} plates_per_s={count / (middle - start):.0f} crops_per_s={count / (end - middle):.0f}")
    for crop, boxes in looks if with_boxes else []:
        for left, top, right, bottom in boxes.astype(int).tolist():
            cv2.rectangle(crop, (left, top), (right - 1, bottom - 1), (255, 0, 255), 1)
    return [_framed(crop) for crop, _ in looks]


def _real(folder: Path, count: int, rng: Generator) -> list[np.ndarray]:
    table = pd.read_csv(folder / "tight_boxes.csv").sample(count, random_state=rng)
    crops = []
    for name, *box in table[["image", "xmin", "ymin", "xmax", "ymax"]].itertuples(index=False):
        edges = np.array(box) + rng.uniform(0, 0.08, 4) * (-1, -1, 1, 1) * np.tile(
            [box[2] - box[0], box[3] - box[1]], 2
        )
        part = Image.open(folder / "mirror" / name).convert("RGB").crop(edges.round().astype(int).tolist())
        height, width = nearest_shape(SETTINGS.input_shapes_px, *part.size)
        crops.append(_framed(np.asarray(part.resize((width, height), Image.Resampling.BILINEAR))))
    return crops


def _framed(crop: np.ndarray) -> np.ndarray:
    """In the middle of a tile that is as large as the largest shape."""
    spare = np.max(SETTINGS.input_shapes_px, axis=0) + 4 - crop.shape[:2]
    return np.pad(crop, [*((side // 2, side - side // 2) for side in spare), (0, 0)])


if __name__ == "__main__":
    main()
