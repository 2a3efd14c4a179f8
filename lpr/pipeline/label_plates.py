"""Plates of the training images with the boxes of their characters, for the recognizer: `data/real_plates.npz`."""

import time

from tqdm import tqdm

from lpr.config import Config
from lpr.data.plates import read_split
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognition import true_crops
from lpr.ocr.recognizer.real_plates import label_characters
from lpr.paths import IMAGE_CACHE, REAL_PLATES, SHIPPED_RECOGNIZER
from lpr.plates.text import other_characters
from lpr.synthesis.plate_file import save_plates
from lpr.tracking.provenance import write_timing

_MARGIN = 0.08  # of the box's height, around it


def run(config: Config) -> None:
    """Locate the characters in the training plates of `recognizer.real_sources` whose texts are known and A–Z, 0–9."""
    started = time.monotonic()
    plates = read_split()
    wanted = plates["source"].isin(config.recognizer.real_sources or [])
    known = plates[wanted & (plates["split"] == "train") & (plates["text"] != "")]
    chosen = known[known["text"].map(other_characters) == ""]
    if left_out := len(known) - len(chosen):
        print(
            f"{left_out} of {len(known)} real plates are left out: their texts have characters other than A–Z and 0–9"
        )
    crops = zip(true_crops(chosen, chosen, IMAGE_CACHE, _MARGIN), chosen["text"], strict=True)
    network = RecognizerEngine(SHIPPED_RECOGNIZER, config.recognizer.train.threads, _MARGIN, (_MARGIN, 0.0))
    found = label_characters(tqdm(crops, "label", len(chosen), unit="plate"), network.detect_characters)
    save_plates(found, REAL_PLATES)
    print(f"{len(found)} of {len(chosen)} real plates, with {sum(len(plate.text) for plate in found)} characters")
    write_timing("label-plates", time.monotonic() - started, REAL_PLATES)
