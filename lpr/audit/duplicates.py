"""Images that are there twice, where that does harm: on two sides of a split, or with labels that contradict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lpr.audit.findings import AGREEMENT, FINDING_COLUMNS
from lpr.boxes import BOX_COLUMNS, pairwise_iou
from lpr.data.split import near_duplicates, perceptual_hashes, same_plate

_SAME_SHAPE = 0.02  # two images whose width / height differ by more are not cut alike, so that boxes cannot be compared


def find_duplicates(
    labels: pd.DataFrame, splits: Sequence[pd.DataFrame], image_dir: Path, distance: int
) -> tuple[pd.DataFrame, int]:
    """Near-duplicate images and images of the same plate that a split puts on two sides, and near-duplicates
    with other labels.

    Args:
        labels: a row a plate, and a row without a box for a image without plates.
        splits: a row a image (image, split), of every experiment: two sides in any of them count.
        image_dir: folder of the cached images.
        distance: bits in which the perceptual hashes of near-duplicates may differ.

    Returns:
        Rows of `FINDING_COLUMNS`, at most one a pair, and the number of harmless pairs of near-duplicates. Severity is
        1 on two sides, for other counts and other texts, and otherwise 1 − the IoU of the boxes that fit worst.
    """
    images = labels.drop_duplicates("image").reset_index(drop=True)
    plates = dict(iter(labels.groupby("image")))
    twins = set(near_duplicates(perceptual_hashes([image_dir / name for name in images["image"]]), distance))
    sides = [split.set_index("image")["split"] for split in splits]
    rows, harmless = [], 0
    for a, b in sorted(twins.union(same_plate(labels, images["image"]))):
        first, second = images.iloc[a], images.iloc[b]
        here, there = plates[first["image"]], plates[second["image"]]
        are_twins = (a, b) in twins
        contradiction = _contradiction(here, there) if are_twins else None
        astride = _two_sides(first["image"], second["image"], sides)
        if not contradiction and not astride:
            harmless += are_twins
            continue
        severity, words = contradiction or (1.0, "")
        what = "the same image" if are_twins else f"the plate {_common_text(here, there)} is in another image, too"
        where = f"one is in {astride[0]}, the other in {astride[1]}" if astride else ""
        rows.append(
            {
                **first[["image", "source", "split", "url"]],
                "kind": "duplicate",
                "severity": 1.0 if astride else round(severity, 6),
                "other_image": second["image"],
                "reason": f"{what}: " + "; ".join(filter(None, (where, words))),
            }
        )
    return pd.DataFrame(rows, columns=FINDING_COLUMNS), harmless


def _two_sides(first: str, second: str, sides: Sequence[pd.Series]) -> tuple[str, str] | None:
    for side in sides:
        if first in side.index and second in side.index and side[first] != side[second]:
            return side[first], side[second]
    return None


def _contradiction(here: pd.DataFrame, there: pd.DataFrame) -> tuple[float, str] | None:
    """How much the labels of two images of the same thing differ, and in what."""
    from scipy.optimize import linear_sum_assignment

    texts = [set(rows["text"]) - {""} for rows in (here, there)]
    if all(texts) and not texts[0] & texts[1]:
        return 1.0, f"the texts are {' and '.join(sorted(texts[0]))} here, {' and '.join(sorted(texts[1]))} there"
    shapes = [rows["width"].iloc[0] / rows["height"].iloc[0] for rows in (here, there)]
    if abs(shapes[0] / shapes[1] - 1) > _SAME_SHAPE:
        return None
    boxes = [_fractions(rows.dropna(subset=BOX_COLUMNS)) for rows in (here, there)]
    if len(boxes[0]) != len(boxes[1]):
        return 1.0, f"labels: {len(boxes[0])} here, {len(boxes[1])} there"
    overlap = pairwise_iou(*boxes)
    worst = overlap[linear_sum_assignment(overlap, maximize=True)].min(initial=1.0)
    return (1 - worst, f"the boxes have an IoU of {worst:.2f}") if worst < AGREEMENT else None


def _fractions(rows: pd.DataFrame) -> np.ndarray:
    """Boxes as fractions of the image's sides: a copy may have another size."""
    return rows[BOX_COLUMNS].to_numpy(float) / rows[["width", "height"] * 2].to_numpy(float)


def _common_text(here: pd.DataFrame, there: pd.DataFrame) -> str:
    return ", ".join(sorted((set(here["text"]) & set(there["text"])) - {""}))
