"""Plates of the photographs that a reader may learn from, with their characters: `data/photographed_plates.npz`."""

import time

from tqdm import tqdm

from lpr.config import Config
from lpr.provenance import write_timing
from lpr.reader.network import SHIPPED, Network
from lpr.reader.reading import crops_of
from lpr.recognizer.photographs import labelled
from lpr.recognizer.plate_file import save_plates
from lpr.stages.files import IMAGES, PHOTOGRAPHED_PLATES, read_split

_MARGIN = 0.08  # of the box's height, around it


def run(config: Config) -> None:
    """Label the training side's plates of `recognizer.photographs`, as far as their texts are known."""
    started = time.monotonic()
    plates = read_split()
    wanted = plates["source"].isin(config.recognizer.photographs or [])
    chosen = plates[wanted & (plates["split"] == "train") & (plates["text"] != "")]
    cutouts = zip(crops_of(chosen, chosen, IMAGES, _MARGIN), chosen["text"], strict=True)
    network = Network(SHIPPED, config.recognizer.train.threads, _MARGIN, (_MARGIN, 0.0))
    found = labelled(tqdm(cutouts, "label", len(chosen), unit="plate"), network.find)
    save_plates(found, PHOTOGRAPHED_PLATES)
    print(
        f"{len(found)} of {len(chosen)} photographed plates, with {sum(len(plate.text) for plate in found)} characters"
    )
    write_timing("label-plates", time.monotonic() - started, PHOTOGRAPHED_PLATES)
