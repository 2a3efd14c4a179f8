"""Plates of the training images with the boxes of their characters, for the recognizer: `data/real_plates.npz`."""

import time

from tqdm import tqdm

from lpr.config import Config
from lpr.data.plates import read_split
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognition import true_crops
from lpr.ocr.recognizer.real_plates import label_characters, split_start
from lpr.paths import IMAGE_CACHE, REAL_PLATES, SHIPPED_RECOGNIZER
from lpr.plates.countries import region_of
from lpr.plates.text import normalize, other_characters
from lpr.synthesis.plate_file import save_plates
from lpr.tracking.provenance import write_timing

_MARGIN = 0.35  # of the box's height, around it: what the crops of `lpr.synthesis.crops` may show
_DETECTION_MARGINS = 0.08, 0.0, 0.16  # of the crops in which the characters are looked for


def run(config: Config) -> None:
    """Locate the characters in the training plates of `recognizer.real_sources` whose texts are known.

    Of a text, the characters of `recognizer.alphabet` are learned; others are background, as other lettering is.
    """
    started = time.monotonic()
    plates = read_split()
    sources = config.recognizer.real_sources
    wanted = plates["source"].isin(sources) if isinstance(sources, list) else sources == "all"
    known = plates[wanted & (plates["split"] == "train") & (plates["text"] != "")]
    alphabet = config.recognizer.alphabet
    texts = ["".join(one for one in normalize(text) if one in alphabet) for text in known["text"]]
    grammars = config.ocr.grammars or {}
    regions = [region_of(grammars.get(source)) for source in known["source"]]
    crops = zip(true_crops(known, known, IMAGE_CACHE, _MARGIN), texts, regions, strict=True)
    network = RecognizerEngine(SHIPPED_RECOGNIZER, config.recognizer.train.threads, _MARGIN, _DETECTION_MARGINS)
    found = label_characters(tqdm(crops, "label", len(known), unit="plate"), network.detect_characters, _MARGIN)
    save_plates(found, REAL_PLATES)
    print(f"{len(found)} of {len(known)} real plates, with {sum(len(plate.text) for plate in found)} characters")
    if unplaced := sum(other_characters(split_start(text)[1]) != "" for text in texts):
        print(f"{unplaced} are left out, since their texts have characters other than A–Z and 0–9 after the start")
    write_timing("label-plates", time.monotonic() - started, REAL_PLATES)
