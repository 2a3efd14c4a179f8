"""Reading every plate, on its true box and on the predicted one."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.config import Ocr
from lpr.errors import UserError
from lpr.ocr import engines
from lpr.ocr.engines.base import UNREAD, PlateText
from lpr.ocr.grammar import choose
from lpr.plates.countries import GRAMMARS, Country

BOXES = {"true": BOX_COLUMNS, "predicted": PREDICTED_BOX_COLUMNS}
"""Where `reports/detections.csv` has the corners of each kind of box, pixels of the cached image."""
SMALLEST_PX = 8  # a crop lower or narrower than this is not read: no letter is legible in fewer pixels


@dataclass(frozen=True)
class Timings:
    """How long the reader alone took: `reads` images of a plate, milliseconds each; None where nothing was read."""

    reads: int
    median_ms_per_plate: float | None
    p95_ms_per_plate: float | None


def crop(image: Image.Image, box: Sequence[float], margin: float) -> Image.Image:
    """The part of the image in `box` (left, top, right, bottom; pixels), and `margin` of the box's height around it.

    What lies outside the image is cut off; a box without area gives one pixel at least.
    """
    left, top, right, bottom = box
    around = margin * max(0.0, bottom - top)
    first_x = min(max(0, round(left - around)), image.width - 1)
    first_y = min(max(0, round(top - around)), image.height - 1)
    last_x = max(min(round(right + around), image.width), first_x + 1)
    last_y = max(min(round(bottom + around), image.height), first_y + 1)
    return image.crop((first_x, first_y, last_x, last_y))


def recognize_plates(
    detections: pd.DataFrame, image_dir: Path, config: Ocr, cache: Path
) -> tuple[pd.DataFrame, Timings]:
    """Read each plate of `config.splits` twice: on its true box, and on the predicted one (none: an empty reading).

    Args:
        detections: rows of `reports/detections.csv`; without the columns of predicted boxes, true ones alone are read.
        image_dir: the folder of cached images.
        config: which reader, which splits, how much around the box.
        cache: folder for the answers of a remote reader.

    Returns:
        Rows of `reports/recognitions.csv`, in the order of `detections`, the true box first (`text_before_grammar`: before the source's
        grammar chose); and the reader's times.

    Raises:
        UserError: a image is missing, or the reader cannot go on.
    """
    chosen = detections[detections["split"].isin(config.splits)]
    engine = engines.create(config, cache)
    grammars = {source: GRAMMARS[name] for source, name in (config.grammars or {}).items()}
    known = {boxes: columns for boxes, columns in BOXES.items() if columns[0] in detections}
    rows: list[dict[str, object]] = []
    milliseconds: list[float] = []
    with tqdm(total=len(chosen), desc="read", unit="plate") as progress:
        for name, plates in chosen.groupby("image", sort=False):
            image = _open(image_dir / str(name))
            for plate in plates.to_dict("records"):
                for boxes, columns in known.items():
                    box = [float(plate[column]) for column in columns]
                    part = crop(image, box, config.margin) if all(map(math.isfinite, box)) else None
                    reading = UNREAD
                    if part is not None and min(part.size) >= SMALLEST_PX:
                        started = time.perf_counter()
                        reading = engine.read(part)
                        milliseconds.append((time.perf_counter() - started) * 1000)
                    rows.append(
                        _row(plate, boxes, reading, grammars.get(str(plate["source"])), config.low_confidence_threshold)
                    )
                progress.update()
    readings = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"edits": "Int64"})
    if not milliseconds:
        return readings, Timings(0, None, None)
    median, p95 = np.percentile(milliseconds, [50, 95])
    return readings, Timings(len(milliseconds), float(median), float(p95))


def crops_of(readings: pd.DataFrame, detections: pd.DataFrame, image_dir: Path, margin: float) -> list[np.ndarray]:
    """What the reader was shown of plates that were read on their true boxes: uint8 (h, w, 3) RGB each."""
    plates = readings[["image", "plate"]].merge(detections, on=["image", "plate"], how="left", validate="many_to_one")
    return [
        np.asarray(
            crop(_open(image_dir / str(plate["image"])), [float(plate[column]) for column in BOX_COLUMNS], margin)
        )
        for plate in plates.to_dict("records")
    ]


_COLUMNS = (
    *("image", "source", "split", "plate", "boxes", "text"),
    *("text_before_grammar", "reading", "confidence", "doubtful", "edits"),
)


def _row(
    plate: Mapping[Hashable, object],
    boxes: str,
    text_before_grammar: PlateText,
    grammar: Sequence[Country] | None,
    doubtful: float,
) -> dict[str, object]:
    text = str(plate["text"])
    reading = choose(text_before_grammar, grammar) if grammar else text_before_grammar
    return {
        "image": plate["image"],
        "source": plate["source"],
        "split": plate["split"],
        "plate": plate["plate"],
        "boxes": boxes,
        "text": text,
        "text_before_grammar": text_before_grammar.text,
        "reading": reading.text,
        "confidence": round(reading.confidence, 4),
        "doubtful": reading.confidence < doubtful,
        "edits": Levenshtein.distance(text, reading.text) if text else None,
    }


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        raise UserError(f"{path} is missing, though reports/detections.csv names it: `dvc repro` fetches it") from None
