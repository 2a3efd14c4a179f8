"""OCR of every plate, in its true box and in the predicted one."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Mapping
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
from lpr.ocr.crops import MIN_CROP_PX, crop
from lpr.ocr.engines.base import NO_TEXT, PlateText
from lpr.ocr.grammar import apply_grammar_named

BOXES = {"true": BOX_COLUMNS, "predicted": PREDICTED_BOX_COLUMNS}
"""Kind of box → its columns in `reports/detections.csv`, pixels of the cached image."""


@dataclass(frozen=True)
class Timings:
    """Times of the engine alone.

    Attributes:
        crops: how many it was given.
        median_ms_per_plate: milliseconds a crop; None where there was none.
        p95_ms_per_plate: the 95th percentile, likewise.
    """

    crops: int
    median_ms_per_plate: float | None
    p95_ms_per_plate: float | None


def recognize_plates(
    detections: pd.DataFrame, image_dir: Path, config: Ocr, cache: Path
) -> tuple[pd.DataFrame, Timings]:
    """The text of each plate of `config.splits`, in its true box and in the predicted one.

    Args:
        detections: rows of `reports/detections.csv`; without the columns of predicted boxes, only true ones are read.
        image_dir: the folder of cached images.
        config: the engine, the splits, the margin around boxes, and the grammars of sources.
        cache: folder for results of a remote engine.

    Returns:
        Rows of `reports/recognitions.csv`, in the order of `detections`, the true box first; the text is empty where
        there is no predicted box. And the engine's times.

    Raises:
        UserError: an image is missing, or the engine cannot go on.
    """
    chosen = detections[detections["split"].isin(config.splits)]
    engine = engines.create(config, cache)
    grammars = config.grammars or {}
    known = {boxes: columns for boxes, columns in BOXES.items() if columns[0] in detections}
    rows: list[dict[str, object]] = []
    milliseconds: list[float] = []
    with tqdm(total=len(chosen), desc="ocr", unit="plate") as progress:
        for name, plates in chosen.groupby("image", sort=False):
            image = _open(image_dir / str(name))
            for plate in plates.to_dict("records"):
                for boxes, columns in known.items():
                    box = [float(plate[column]) for column in columns]
                    part = crop(image, box, config.margin) if all(map(math.isfinite, box)) else None
                    recognized = NO_TEXT
                    if part is not None and min(part.size) >= MIN_CROP_PX:
                        started = time.perf_counter()
                        recognized = engine.read(part)
                        milliseconds.append((time.perf_counter() - started) * 1000)
                    grammar = grammars.get(str(plate["source"]))
                    rows.append(_row(plate, boxes, recognized, grammar, config.low_confidence_threshold))
                progress.update()
    recognitions = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"edits": "Int64"})
    if not milliseconds:
        return recognitions, Timings(0, None, None)
    median, p95 = np.percentile(milliseconds, [50, 95])
    return recognitions, Timings(len(milliseconds), float(median), float(p95))


def true_crops(plates: pd.DataFrame, detections: pd.DataFrame, image_dir: Path, margin: float) -> list[np.ndarray]:
    """The crops of plates by their true boxes, uint8 (h, w, 3) RGB each.

    Args:
        plates: rows with `image` and `plate`, such as those of `reports/recognitions.csv`.
        detections: rows that have the true boxes of these plates.
        image_dir: the folder of cached images.
        margin: around the box, as a fraction of its height.

    Raises:
        UserError: an image is missing.
    """
    rows = plates[["image", "plate"]].merge(detections, on=["image", "plate"], how="left", validate="many_to_one")
    return [
        np.asarray(
            crop(_open(image_dir / str(plate["image"])), [float(plate[column]) for column in BOX_COLUMNS], margin)
        )
        for plate in rows.to_dict("records")
    ]


_COLUMNS = (
    *("image", "source", "split", "plate", "boxes", "text"),
    *("text_before_grammar", "predicted_text", "confidence", "low_confidence", "edits"),
)


def _row(
    plate: Mapping[Hashable, object],
    boxes: str,
    recognized: PlateText,
    grammar: str | None,
    low_confidence_threshold: float,
) -> dict[str, object]:
    text = str(plate["text"])
    predicted = apply_grammar_named(recognized, grammar)
    return {
        "image": plate["image"],
        "source": plate["source"],
        "split": plate["split"],
        "plate": plate["plate"],
        "boxes": boxes,
        "text": text,
        "text_before_grammar": recognized.text,
        "predicted_text": predicted.text,
        "confidence": round(predicted.confidence, 4),
        "low_confidence": predicted.confidence < low_confidence_threshold,
        "edits": Levenshtein.distance(text, predicted.text) if text else None,
    }


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        raise UserError(f"{path} is missing, though reports/detections.csv lists it: `dvc repro` fetches it") from None
