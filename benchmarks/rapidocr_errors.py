"""How often RapidOCR takes one character for another, on synthetic plates: the table that the cascade judges it by.

    python benchmarks/rapidocr_errors.py [--plates 2500] [--output lpr/ocr/engines/rapidocr_errors.csv]

As in the cascade, the recognizer locates the lines, and RapidOCR's recognition network reads them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from checkout import ROOT
from tqdm import tqdm

from lpr.composition.compose import compose
from lpr.ocr import engines
from lpr.ocr.engines.cascade import ERRORS, recognize_lines
from lpr.ocr.engines.rapidocr import RapidOcr
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.reading_errors import ReadingErrors
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.paths import SCRATCH, SHIPPED_RECOGNIZER
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import draw_lettered_plates

SEED = 123457  # of plates that trained nothing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plates", type=int, default=2500)
    parser.add_argument("--output", type=Path, default=ERRORS)
    options = parser.parse_args()
    config = compose(["experiment=open_recognizer"], ROOT / "conf")
    recognizer = RecognizerEngine(SHIPPED_RECOGNIZER, threads=None)
    rapidocr = engines.create(compose(["ocr=rapidocr"], ROOT / "conf").ocr, SCRATCH)
    assert isinstance(rapidocr, RapidOcr)
    readings = []
    for number, drawn in enumerate(tqdm(draw_lettered_plates(options.plates, SEED), "reading", unit="plate")):
        shape = nearest_shape(config.recognizer.input_shapes_px, *drawn.size)
        crop, *_ = draw_crop(drawn, *shape, np.random.default_rng([SEED, number]), config.recognizer.crops)
        plate = recognizer.detect(crop)
        readings.append((drawn.text, recognize_lines(rapidocr, plate, recognizer.text(plate)).text))
    ReadingErrors.count(readings).save(options.output)
    exact = np.mean([true == read for true, read in readings])
    print(f"{exact:.3f} of {len(readings)} synthetic plates are read without error; {options.output}")


if __name__ == "__main__":
    main()
