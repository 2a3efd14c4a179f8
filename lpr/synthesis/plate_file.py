"""Lettered plates as one file: the same plates are the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from lpr.files import replaced
from lpr.synthesis.lettered_plates import LetteredPlate


def save_plates(plates: Sequence[LetteredPlate], path: Path) -> None:
    """Write an `.npz` atomically: the images as PNGs, one after another, and all else of the plates."""
    images = [cv2.imencode(".png", plate.pixels)[1].ravel() for plate in plates]
    with replaced(path) as unfinished:
        np.savez(
            unfinished,
            images=np.concatenate([np.empty(0, np.uint8), *images]),
            ends=np.cumsum([len(image) for image in images]),
            boxes=np.array([plate.box for plate in plates], np.float32),
            texts=np.array([plate.text for plate in plates], str),
            characters=np.concatenate([np.empty((0, 4), np.float32), *(plate.characters for plate in plates)]),
            regions=np.array([plate.region for plate in plates], str),
        )


def load_plates(path: Path) -> list[LetteredPlate]:
    """The plates of a file that `save_plates` wrote, in their order."""
    with np.load(path) as saved:
        texts, boxes, regions = saved["texts"].tolist(), saved["boxes"].tolist(), saved["regions"].tolist()
        images = np.split(saved["images"], saved["ends"].astype(int))[:-1]  # the last is what follows the last end
        characters = np.split(saved["characters"], np.cumsum([len(text) for text in texts], dtype=int))[:-1]
    return [
        LetteredPlate(np.asarray(cv2.imdecode(image, cv2.IMREAD_UNCHANGED)), tuple(box), text, places, region)
        for image, box, text, places, region in zip(images, boxes, texts, characters, regions, strict=True)
    ]
