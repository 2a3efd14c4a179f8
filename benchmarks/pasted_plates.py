"""How many drawn plates a detector finds that are pasted into images: in the place of real plates, and anywhere.

    python benchmarks/pasted_plates.py FOLDER [--detector FILE.onnx …] [--split validation] [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run. The plates are of a seed that no
training has; those pasted anywhere are on no vehicle, for the most part, as plates in a hand, on a wall or in an
unusual vehicle are. Prints the share that is found (IoU of at least 0.5) at the exported threshold, in Markdown, for
each detector and place: of all plates at least 30 px wide, of dark ones (median below 80), and of the others.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from held_out import build_parser, tested_rows
from results import write_results
from shipped import of
from tables import markdown
from tqdm import tqdm

from lpr.augment.pasting import PastePool, paste
from lpr.boxes import BOX_COLUMNS, pairwise_iou
from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.detection.prediction import load_image
from lpr.metrics.statistics import ratio_score
from lpr.paths import IMAGE_CACHE

SEED = 987654  # of the plates
ROUNDS = 3  # over the images
DARK = 80  # median of 0–255
NARROWEST_PX = 30
PLACES = {"in the place of plates": (1.0, 0.0), "anywhere": (0.0, 1.0)}  # probabilities over plates, and elsewhere


def main() -> None:
    options = build_parser(__doc__, "validation", several=True).parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    pool = PastePool.synthesize(600, SEED)
    table = []
    for file in options.detector:
        detector = load_onnx_detector(here / file)
        for place in PLACES:
            dark, found = find_pasted(detector, pool, options.split, place)
            shares = {"all": np.ones(len(dark), bool), "dark": dark, "others": ~dark}
            scores = {name: of(ratio_score(found[which], np.ones(which.sum()))) for name, which in shares.items()}
            table.append({"detector": f"`{file.name}`", "place": place} | scores)
    print(markdown(table))
    if options.output:
        write_results(here / options.output, "Drawn plates in photographs", f"{options.split} images", table)


def find_pasted(detector: OnnxDetector, pool: PastePool, split: str, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Of each pasted plate: whether it is dark, and whether it is found; bool (k,) each."""
    threshold = detector.metadata.inference.confidence_threshold
    over, extra = PLACES[place]
    rows, _ = tested_rows(split)
    results = []
    for number, (name, part) in enumerate(tqdm(rows.groupby("image"), place, unit="image")):
        image = load_image(IMAGE_CACHE / str(name))
        boxes = part.dropna(subset=BOX_COLUMNS)[BOX_COLUMNS].to_numpy(float)
        for turn in range(ROUNDS):
            random = np.random.default_rng([number, turn])
            pasted, after = paste(image, boxes, pool, random, p_over=over, p_extra=extra, p_hard_negative=0.0)
            new = after[(after[:, None] != boxes).any(axis=2).all(axis=1)] if len(boxes) else after
            found = detector.detect(pasted)
            sure = found.boxes[found.confidences >= threshold]
            for box in new[new[:, 2] - new[:, 0] >= NARROWEST_PX]:
                left, top, right, bottom = box.round().astype(int).tolist()
                dark = np.median(pasted[top:bottom, left:right]) < DARK
                results.append((dark, bool(len(sure)) and pairwise_iou(box[None], sure).max() >= 0.5))
    dark, hit = np.array(results, bool).T
    return dark, hit


if __name__ == "__main__":
    main()
