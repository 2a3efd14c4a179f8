"""A sheet of synthetic and real crops, to compare by eye.

    python benchmarks/synthetic_beside_real.py DATATURKS IMAGE.png [SEED]

Draws plates as the recognizer is trained on them, each resized to the input shape of the nearest aspect ratio: a row of
real crops, a row of synthetic ones, and so on. DATATURKS is the folder with `tight_boxes.csv` and the images in
`mirror/`; with `-` in its place, all rows are synthetic, with the boxes of their characters. Prints how many plates and
crops are made a second, on one core.
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
from lpr.synthesis.lettered_plates import draw_lettered_plates

COLUMNS, ROWS = 8, 8
SETTINGS = compose([], ROOT / "conf").recognizer


def main() -> None:
    source, target, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    rng = np.random.default_rng(seed)
    synthetic = _synthetic(ROWS * COLUMNS, seed, rng, with_boxes=source == "-")
    real = [] if source == "-" else _real(Path(source), ROWS * COLUMNS, rng)
    rows = []
    for row in range(ROWS):
        for crops in (real, synthetic):
            if crops:
                rows.append(np.hstack(crops[row * COLUMNS : (row + 1) * COLUMNS]))
    Image.fromarray(np.vstack(rows)).save(target)


def _synthetic(count: int, seed: int, rng: Generator, with_boxes: bool) -> list[np.ndarray]:
    draw_lettered_plates(20, seed + 1)  # loads the typefaces
    start = time.thread_time()
    plates = draw_lettered_plates(count, seed)
    middle = time.thread_time()
    samples = [
        draw_crop(plate, *nearest_shape(SETTINGS.input_shapes_px, *plate.size), rng, SETTINGS.crops) for plate in plates
    ]
    end = time.thread_time()
    print(f"n={count} plates_per_s={count / (middle - start):.0f} crops_per_s={count / (end - middle):.0f}")
    for crop, boxes in samples if with_boxes else []:
        for left, top, right, bottom in boxes.astype(int).tolist():
            cv2.rectangle(crop, (left, top), (right - 1, bottom - 1), (255, 0, 255), 1)
    return [_padded(crop) for crop, _ in samples]


def _real(folder: Path, count: int, rng: Generator) -> list[np.ndarray]:
    table = pd.read_csv(folder / "tight_boxes.csv").sample(count, random_state=rng)
    crops = []
    for name, *box in table[["image", "xmin", "ymin", "xmax", "ymax"]].itertuples(index=False):
        edges = np.array(box) + rng.uniform(0, 0.08, 4) * (-1, -1, 1, 1) * np.tile(
            [box[2] - box[0], box[3] - box[1]], 2
        )
        part = Image.open(folder / "mirror" / name).convert("RGB").crop(edges.round().astype(int).tolist())
        height, width = nearest_shape(SETTINGS.input_shapes_px, *part.size)
        crops.append(_padded(np.asarray(part.resize((width, height), Image.Resampling.BILINEAR))))
    return crops


def _padded(crop: np.ndarray) -> np.ndarray:
    """The crop centred in a tile as large as the largest input shape."""
    padding = np.max(SETTINGS.input_shapes_px, axis=0) + 4 - crop.shape[:2]
    return np.pad(crop, [*((size // 2, size - size // 2) for size in padding), (0, 0)])


if __name__ == "__main__":
    main()
