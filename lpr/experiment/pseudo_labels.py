"""`lpr pseudo-label`: the training images of an experiment, and unlabelled ones, with the plates that it detects.

Plates without a label teach a detector that plates are background. So the detector of a first training is run on the
images of the next: what it finds with confidence, and an OCR engine reads, becomes a label (Lee 2013, "Pseudo-Label");
what nobody can read is lettering or nothing, and stays as background, a hard negative; and what may or may not be a
plate is ignored, so that it teaches nothing.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from lpr import config
from lpr.boxes import BOX_COLUMNS, pairwise_iou
from lpr.data.plates import read_split_and_ignored
from lpr.data.tables import write_table
from lpr.errors import UserError
from lpr.inference.alpr import ALPR
from lpr.inference.inputs import Stream, Unreadable, find_inputs, read_image
from lpr.inference.plates import Plate
from lpr.paths import IMAGE_CACHE

ENGINE = "recognizer"
TRAIN, HELD_OUT = Path("train"), Path("held_out")  # folders of the output

_SAME_PLATE_IOU = 0.35  # of a label and a detection
_MIN_CONFIDENCE = 0.05  # below, a detection is background
_REFINING_CONFIDENCE = 0.3  # from which a detection's sides replace those of a loose label
_PLATE = 0.3, 0.6  # confidences of detection and text from which one with a digit becomes a label
_NO_PLATE = 0.3, 0.2  # confidences of detection and text below which one that is large enough to be read is background
_READABLE_PX = 16  # height of a plate from which it can be read


@dataclass(frozen=True)
class Labels:
    """What an image teaches.

    Attributes:
        boxes: of its plates, pixels, float (n, 4).
        texts: of its plates; "" where unknown.
        ignored: boxes of what may or may not be a plate, pixels, float (k, 4).
        counts: how many labels were kept, refined and added, and how many detections ignored or left as background.
    """

    boxes: np.ndarray
    texts: list[str]
    ignored: np.ndarray
    counts: Counter[str]


def run(folder: Path, unlabelled: Sequence[str], detector: Path, output: Path) -> None:
    """Write the training images of an experiment and the unlabelled ones, with labels and pseudo-labels.

    `output/train/SOURCE/` and, of the validation images, `output/held_out/SOURCE/` get
    `annotations.csv` and `images/`, for sources of `format: table`. Unlabelled images are source `unlabelled`.
    The labels of validation images stay as they are; plates that would be added to them are ignored, so that finding
    them is no mistake.

    Args:
        folder: of the experiment, or `.`: the images and their split. In sources of its `train.box_weights` below 1,
            the sides of labels are replaced by those of the detector.
        unlabelled: images, folders and patterns.
        detector: exported, of the first training.

    Raises:
        UserError: a table, the detector or the OCR engine is missing; an unlabelled image cannot be read; or the output
            exists.
    """
    if output.exists():
        raise UserError(f"{output} is there already: choose another --output, or remove it")
    box_weights = config.load(folder / config.PARAMS).train.box_weights or {}
    alpr = ALPR(detector, ENGINE, confidence_threshold=_MIN_CONFIDENCE)
    rows, ignored = read_split_and_ignored(folder)
    images = [
        (folder / IMAGE_CACHE / str(name), *plates[["source", "split"]].iloc[0], plates)
        for name, plates in rows.groupby("image", sort=False)
    ]
    for path in find_inputs(unlabelled).paths:
        if isinstance(path, Stream):
            raise UserError(f"{path}: unlabelled images are files")
        images.append((path, "unlabelled", "train", rows[:0]))
    tables: dict[Path, list[pd.DataFrame]] = {}
    counts: dict[str, Counter[str]] = {}
    for path, source, split, plates in tqdm(images, "pseudo-labelling", unit="image", disable=None):
        if split == "test":
            continue
        labels = plates.dropna(subset=BOX_COLUMNS)
        boxes, texts = labels[BOX_COLUMNS].to_numpy(float).reshape(-1, 4), labels["text"].tolist()
        try:
            pixels = read_image(path)
        except Unreadable as error:
            raise UserError(f"{path}: {error}") from None
        place = output / (TRAIN if split == "train" else HELD_OUT) / source
        (place / "images").mkdir(parents=True, exist_ok=True)
        found = alpr.find(pixels, Image.fromarray(pixels))
        if split == "train":
            new = pseudo_labels(boxes, texts, found, refine=box_weights.get(source, 1.0) < 1)
            boxes, texts, unsure = new.boxes, new.texts, new.ignored
            counts.setdefault(source, Counter(images=0)).update(new.counts + Counter(images=1))
        else:
            unsure = pseudo_labels(boxes, texts, found, refine=False).boxes[len(boxes) :]
        unsure = np.concatenate([unsure, ignored.loc[ignored["image"] == path.name, BOX_COLUMNS].to_numpy(float)])
        shutil.copyfile(path, place / "images" / path.name)
        tables.setdefault(place, []).append(_table(path.name, pixels, boxes, texts, unsure))
    for place, parts in tables.items():
        write_table(pd.concat(parts, ignore_index=True), place / "annotations.csv")
    for source, count in counts.items():
        print(f"{source}: " + ", ".join(f"{number} {what}" for what, number in count.items()))


def pseudo_labels(boxes: np.ndarray, texts: Sequence[str], found: Sequence[Plate], refine: bool) -> Labels:
    """What an image teaches, by its labels and by what a detector found and an OCR engine read in it.

    Args:
        boxes: labels, pixels, float (n, 4).
        texts: of the labels.
        found: by falling confidence.
        refine: whether a label's box is replaced by that of the detection on it, where that is confident.
    """
    boxes, counts = boxes.copy(), Counter(kept=0, refined=0, added=0, ignored=0, background=0)
    overlap = pairwise_iou(boxes, np.array([plate.box for plate in found]).reshape(-1, 4))
    refined, beside = np.zeros(len(boxes), bool), []
    for column, plate in enumerate(found):
        own = int(np.argmax(overlap[:, column])) if len(boxes) else -1
        if plate.confidence < _MIN_CONFIDENCE:
            continue
        if own < 0 or overlap[own, column] == 0:
            beside.append(plate)
        elif (
            refine
            and overlap[own, column] >= _SAME_PLATE_IOU
            and plate.confidence >= _REFINING_CONFIDENCE
            and not refined[own]
        ):
            boxes[own], refined[own] = plate.box, True
    verdicts = [_verdict(plate) for plate in beside]
    added, ignored = (
        np.array([plate.box for plate, verdict in zip(beside, verdicts, strict=True) if verdict == what]).reshape(-1, 4)
        for what in ("added", "ignored")
    )
    counts.update(kept=len(boxes) - int(refined.sum()), refined=int(refined.sum()), **Counter(verdicts))
    return Labels(np.concatenate([boxes, added]), [*texts, *("" for _ in added)], ignored, counts)


def _verdict(plate: Plate) -> str:
    """What becomes of a detection beside the labels: "added", "ignored" or "background"."""
    text_confidence = plate.text_confidence or 0.0
    if (
        plate.confidence >= _PLATE[0]
        and text_confidence >= _PLATE[1]
        and any(character.isdigit() for character in plate.text)
    ):
        return "added"
    readable = plate.box[3] - plate.box[1] >= _READABLE_PX
    return (
        "background" if plate.confidence < _NO_PLATE[0] and text_confidence < _NO_PLATE[1] and readable else "ignored"
    )


def _table(name: str, pixels: np.ndarray, boxes: np.ndarray, texts: Sequence[str], ignored: np.ndarray) -> pd.DataFrame:
    """Rows for `format: table`: one a plate and an ignored box; one without a box for an image without plates."""
    height, width = pixels.shape[:2]
    every = [*boxes.round(2).tolist(), *([] if len(boxes) else [[None] * 4]), *ignored.round(2).tolist()]
    table = pd.DataFrame(every, columns=["xmin", "ymin", "xmax", "ymax"])
    plates = max(1, len(boxes))
    table["text"] = [*texts, *[""] * (len(every) - len(texts))]
    table["ignored"] = [*[0] * plates, *[1] * len(ignored)]
    for place, (column, value) in enumerate((("image", name), ("width", width), ("height", height))):
        table.insert(place, column, value)
    return table
