"""Duplicate images where they do harm: in different splits, or with contradicting labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from lpr.audit.findings import FINDING_COLUMNS, IOU_THRESHOLD
from lpr.boxes import BOX_COLUMNS, pairwise_iou
from lpr.data.similarity import fingerprints, near_duplicate_pairs

# Relative difference of two images' aspect ratios above which they are different crops, so that boxes do not compare.
_ASPECT_TOLERANCE = 0.02


def find_duplicates(
    labels: pd.DataFrame, splits: Sequence[pd.DataFrame], image_dir: Path, distance: int
) -> tuple[pd.DataFrame, int]:
    """Near-duplicate images and images of the same plate in different splits, and near-duplicates whose labels differ.

    Args:
        labels: a row a plate, and a row without a box for an image without plates.
        splits: a row an image (image, split), of every experiment: different splits in any of them count.
        image_dir: folder of the cached images.
        distance: bits in which the perceptual hashes of near-duplicates may differ.

    Returns:
        Rows of `FINDING_COLUMNS`, at most one a pair, and the number of harmless pairs of near-duplicates. Severity is
        1 for different splits, counts or texts, and otherwise 1 − the lowest IoU of two matched boxes.
    """
    images = labels.drop_duplicates("image").reset_index(drop=True)
    plates = dict(iter(labels.groupby("image")))
    hashes = fingerprints([image_dir / name for name in images["image"]]).hashes
    similar = {(a, b) for pairs in near_duplicate_pairs(hashes, distance) for a, b in pairs.tolist()}
    split_of = [split.set_index("image")["split"] for split in splits]
    rows, harmless = [], 0
    for a, b in sorted(similar.union(_same_plate(labels, images["image"]))):
        first, second = images.iloc[a], images.iloc[b]
        plates_a, plates_b = plates[first["image"]], plates[second["image"]]
        is_similar = (a, b) in similar
        contradiction = _contradiction(plates_a, plates_b) if is_similar else None
        different = _different_splits(first["image"], second["image"], split_of)
        if not contradiction and not different:
            harmless += is_similar
            continue
        severity, words = contradiction or (1.0, "")
        what = "the same image" if is_similar else f"the plate {_common_text(plates_a, plates_b)} is in another image"
        where = f"one is in {different[0]}, the other in {different[1]}" if different else ""
        rows.append(
            {
                **first[["image", "source", "split", "url"]],
                "kind": "duplicate",
                "severity": 1.0 if different else round(severity, 6),
                "other_image": second["image"],
                "reason": f"{what}: " + "; ".join(filter(None, (where, words))),
            }
        )
    return pd.DataFrame(rows, columns=FINDING_COLUMNS), harmless


def _same_plate(plates: pd.DataFrame, images: pd.Series) -> Iterator[tuple[int, int]]:
    """Pairs of images with a plate text in common, by their indices in `images`, the lower first."""
    number = {image: index for index, image in enumerate(images)}
    for _, part in plates[plates["text"] != ""].groupby("text"):
        yield from combinations(sorted({number[image] for image in part["image"]}), 2)


def _different_splits(first: str, second: str, split_of: Sequence[pd.Series]) -> tuple[str, str] | None:
    """The two images' splits in the first experiment in which they differ; None where they never do."""
    for split in split_of:
        if first in split.index and second in split.index and split[first] != split[second]:
            return split[first], split[second]
    return None


def _contradiction(a: pd.DataFrame, b: pd.DataFrame) -> tuple[float, str] | None:
    """Severity of, and in words, the difference between the labels of two near-duplicates; None where they agree."""
    from scipy.optimize import linear_sum_assignment

    texts = [set(rows["text"]) - {""} for rows in (a, b)]
    if all(texts) and not texts[0] & texts[1]:
        return 1.0, f"the texts are {' and '.join(sorted(texts[0]))} here, {' and '.join(sorted(texts[1]))} there"
    aspects = [rows["width"].iloc[0] / rows["height"].iloc[0] for rows in (a, b)]
    if abs(aspects[0] / aspects[1] - 1) > _ASPECT_TOLERANCE:
        return None
    boxes = [_fractions(rows.dropna(subset=BOX_COLUMNS)) for rows in (a, b)]
    if len(boxes[0]) != len(boxes[1]):
        return 1.0, f"labels: {len(boxes[0])} here, {len(boxes[1])} there"
    overlap = pairwise_iou(*boxes)
    worst = overlap[linear_sum_assignment(overlap, maximize=True)].min(initial=1.0)
    return (1 - worst, f"the boxes have an IoU of {worst:.2f}") if worst < IOU_THRESHOLD else None


def _fractions(rows: pd.DataFrame) -> np.ndarray:
    """Boxes as fractions of the image's width and height, since a copy may have another size."""
    return rows[BOX_COLUMNS].to_numpy(float) / rows[["width", "height"] * 2].to_numpy(float)


def _common_text(a: pd.DataFrame, b: pd.DataFrame) -> str:
    return ", ".join(sorted((set(a["text"]) & set(b["text"])) - {""}))
