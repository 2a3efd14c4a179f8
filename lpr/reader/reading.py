"""Reading every plate, on its true box and on the predicted one."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.config import Reader as ReaderConfig
from lpr.errors import UserError
from lpr.reader.base import UNREAD, PlateText, Reader
from lpr.reader.countries import GRAMMARS, Country
from lpr.reader.grammar import choose

BOXES = {"true": BOX_COLUMNS, "predicted": PREDICTED_BOX_COLUMNS}
"""Where `reports/detections.csv` has the corners of each kind of box, pixels of the cached picture."""
SMALLEST_PX = 8  # a crop lower or narrower than this is not read: no letter is legible in fewer pixels


@dataclass(frozen=True)
class Timings:
    """How long the reader alone took: `reads` pictures of a plate, milliseconds each; None where nothing was read."""

    reads: int
    median_ms_per_plate: float | None
    p95_ms_per_plate: float | None


def create(config: ReaderConfig, cache: Path) -> Reader:
    """The reader that the configuration names; a remote one keeps its answers in the folder `cache`.

    Raises:
        UserError: what the reader needs is not installed.
    """
    reader: Reader = import_module(f"lpr.reader.{config.name}").create(config, cache)
    return reader


def crop(picture: Image.Image, box: Sequence[float], margin: float) -> Image.Image:
    """The part of the picture in `box` (left, top, right, bottom; pixels), and `margin` of the box's height around it.

    What lies outside the picture is cut off; a box without area gives one pixel at least.
    """
    left, top, right, bottom = box
    around = margin * max(0.0, bottom - top)
    first_x = min(max(0, round(left - around)), picture.width - 1)
    first_y = min(max(0, round(top - around)), picture.height - 1)
    last_x = max(min(round(right + around), picture.width), first_x + 1)
    last_y = max(min(round(bottom + around), picture.height), first_y + 1)
    return picture.crop((first_x, first_y, last_x, last_y))


def read_plates(
    detections: pd.DataFrame, images: Path, config: ReaderConfig, cache: Path
) -> tuple[pd.DataFrame, Timings]:
    """Read each plate of `config.splits` twice: on its true box, and on the predicted one (none: an empty reading).

    Args:
        detections: rows of `reports/detections.csv`; without the columns of predicted boxes, true ones alone are read.
        images: the folder of cached pictures.
        config: which reader, which splits, how much around the box.
        cache: folder for the answers of a remote reader.

    Returns:
        Rows of `reports/readings.csv`, in the order of `detections`, the true box first (`as_read`: before the source's
        grammar chose); and the reader's times.

    Raises:
        UserError: a picture is missing, or the reader cannot go on.
    """
    chosen = detections[detections["split"].isin(config.splits)]
    reader = create(config, cache)
    grammars = {source: GRAMMARS[name] for source, name in (config.grammars or {}).items()}
    known = {boxes: columns for boxes, columns in BOXES.items() if columns[0] in detections}
    rows: list[dict[str, object]] = []
    milliseconds: list[float] = []
    with tqdm(total=len(chosen), desc="read", unit="plate") as progress:
        for image, plates in chosen.groupby("image", sort=False):
            picture = _open(images / str(image))
            for plate in plates.to_dict("records"):
                for boxes, columns in known.items():
                    box = [float(plate[column]) for column in columns]
                    part = crop(picture, box, config.margin) if all(map(math.isfinite, box)) else None
                    reading = UNREAD
                    if part is not None and min(part.size) >= SMALLEST_PX:
                        started = time.perf_counter()
                        reading = reader.read(part)
                        milliseconds.append((time.perf_counter() - started) * 1000)
                    rows.append(_row(plate, boxes, reading, grammars.get(str(plate["source"])), config.doubtful))
                progress.update()
    readings = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"edits": "Int64"})
    if not milliseconds:
        return readings, Timings(0, None, None)
    median, p95 = np.percentile(milliseconds, [50, 95])
    return readings, Timings(len(milliseconds), float(median), float(p95))


def crops_of(readings: pd.DataFrame, detections: pd.DataFrame, images: Path, margin: float) -> list[np.ndarray]:
    """What the reader was shown of plates that were read on their true boxes: uint8 (h, w, 3) RGB each."""
    plates = readings[["image", "plate"]].merge(detections, on=["image", "plate"], how="left", validate="many_to_one")
    return [
        np.asarray(crop(_open(images / str(plate["image"])), [float(plate[column]) for column in BOX_COLUMNS], margin))
        for plate in plates.to_dict("records")
    ]


_COLUMNS = (
    *("image", "source", "split", "plate", "boxes", "text"),
    *("as_read", "reading", "confidence", "doubtful", "edits"),
)


def _row(
    plate: Mapping[Hashable, object],
    boxes: str,
    as_read: PlateText,
    grammar: Sequence[Country] | None,
    doubtful: float,
) -> dict[str, object]:
    text = str(plate["text"])
    reading = choose(as_read, grammar) if grammar else as_read
    return {
        "image": plate["image"],
        "source": plate["source"],
        "split": plate["split"],
        "plate": plate["plate"],
        "boxes": boxes,
        "text": text,
        "as_read": as_read.text,
        "reading": reading.text,
        "confidence": round(reading.confidence, 4),
        "doubtful": reading.confidence < doubtful,
        "edits": Levenshtein.distance(text, reading.text) if text else None,
    }


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except FileNotFoundError:
        raise UserError(f"{path} is missing, though reports/detections.csv names it: `dvc repro` fetches it") from None
