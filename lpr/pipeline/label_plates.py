"""Plates of the images that a reader may learn from, with their characters: `data/real_plates.npz`."""

import time

from tqdm import tqdm

from lpr.config import Config
from lpr.data.plates import read_split
from lpr.ocr.engines.recognizer import SHIPPED, RecognizerEngine
from lpr.ocr.recognition import crops_of
from lpr.ocr.recognizer.real_plates import labelled
from lpr.paths import IMAGE_CACHE, REAL_PLATES
from lpr.synthesis.plate_file import save_plates
from lpr.tracking.provenance import write_timing

_MARGIN = 0.08  # of the box's height, around it


def run(config: Config) -> None:
    """Label the training side's plates of `recognizer.real_sources`, as far as their texts are known."""
    started = time.monotonic()
    plates = read_split()
    wanted = plates["source"].isin(config.recognizer.real_sources or [])
    chosen = plates[wanted & (plates["split"] == "train") & (plates["text"] != "")]
    cutouts = zip(crops_of(chosen, chosen, IMAGE_CACHE, _MARGIN), chosen["text"], strict=True)
    network = RecognizerEngine(SHIPPED, config.recognizer.train.threads, _MARGIN, (_MARGIN, 0.0))
    found = labelled(tqdm(cutouts, "label", len(chosen), unit="plate"), network.find)
    save_plates(found, REAL_PLATES)
    print(
        f"{len(found)} of {len(chosen)} photographed plates, with {sum(len(plate.text) for plate in found)} characters"
    )
    write_timing("label-plates", time.monotonic() - started, REAL_PLATES)
