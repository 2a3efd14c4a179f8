"""How far a plate may be turned in the image and still be read.

    python benchmarks/tilted_plates.py FOLDER ENGINE… [--output FILE]

FOLDER is a project or the folder of an experiment in which `lpr split` has run. Every test image is turned about the
middle of each plate whose text is known, by 0, 10, 20 and 30 degrees, every other plate the other way round. The engine
gets the upright hull of the turned true box, as a detector would box the plate. Sets of crops, which are plates as a
whole, are left out. An ENGINE is as in `ocr_engines.py`.

Prints a row for each engine, data set and angle, in Markdown: exact texts, without and with O = 0 and I = 1, and the
character error rate, by the grammar of the region that the recognizer tells (`auto`), each with a 95 % bootstrap
interval. Dataturks' plates with two lines have rows of their own.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ocr_engines import engine_config, fill_their_images, groups, known_plates, text_scores
from PIL import Image
from results import add_output, write_results
from tables import markdown
from tqdm import tqdm
from turned_images import hulls

from lpr.boxes import BOX_COLUMNS
from lpr.detection.prediction import load_image
from lpr.ocr import engines
from lpr.ocr.crops import crop
from lpr.ocr.grammar import apply_grammar_named
from lpr.paths import IMAGE_CACHE, SCRATCH
from lpr.plates.countries import AUTO

ANGLES_DEG = (0, 10, 20, 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("engines", nargs="+", metavar="ENGINE")
    add_output(parser)
    options = parser.parse_args()
    here = Path.cwd()
    os.chdir(options.folder)
    rows = score(options.engines)
    print(markdown(rows))
    if options.output:
        write_results(here / options.output, "Plates that are turned", "test, true boxes, grammar auto", rows)


def score(names: list[str]) -> list[dict[str, Any]]:
    """The rows of a results file."""
    plates = known_plates(["test"])
    plates = plates[~fill_their_images(plates)].reset_index(drop=True)
    rows = []
    for name in names:
        config = engine_config(name)
        engine = engines.create(config, SCRATCH / config.name)
        for angle_deg in ANGLES_DEG:
            texts = []
            for number, plate in enumerate(tqdm(plates.to_dict("records"), f"{name}, {angle_deg}°", unit="plate")):
                box = np.array([float(plate[column]) for column in BOX_COLUMNS])
                image = load_image(IMAGE_CACHE / plate["image"])
                turned, hull = turn(image, box, angle_deg if number % 2 else -angle_deg)
                found = engine.read(crop(Image.fromarray(turned), hull, config.margin))
                texts.append(apply_grammar_named(found, AUTO).text)
            for group, part in groups(plates).items():
                row = {"plates": group, "engine": f"`{name}`", "turned by": f"{angle_deg}°"}
                rows.append(row | text_scores(part, [texts[index] for index in part.index]))
    return rows


def turn(image: np.ndarray, box: np.ndarray, angle_deg: float) -> tuple[np.ndarray, list[float]]:
    """What is around a box, turned about its middle, and the upright hull of the turned box.

    Args:
        image: uint8 (h, w, 3).
        box: left, top, right, bottom, pixels.
        angle_deg: counterclockwise.
    """
    left, top, right, bottom = box
    reach = float(np.hypot(right - left, bottom - top))  # each way from the middle; the margin around the box is less
    middle = (left + right) / 2, (top + bottom) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle_deg, 1), float)
    matrix[:, 2] = matrix[:, 2] + reach - np.array(middle)
    side = round(2 * reach)
    turned = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return turned, hulls(box[None], matrix)[0].tolist()


if __name__ == "__main__":
    main()
