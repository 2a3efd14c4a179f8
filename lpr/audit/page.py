"""The page of an audit: the counts of findings, and images of them, the most severe of each kind first."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lpr.audit import findings as thresholds
from lpr.audit.inputs import AuditInput
from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.files import replaced
from lpr.report.detection_figures import Box, draw_boxes
from lpr.report.page import jpeg, template

KINDS = {
    "missing": "Plates without a label",
    "spurious": "Labels without a plate",
    "loose": "Labels that are too large",
    "tight": "Labels that are too small",
    "shifted": "Labels in the wrong place",
    "duplicate": "Duplicate images",
}
"""Every kind of finding, in the order of the page, with its heading."""

_CARDS = 24  # of each kind
_IMAGE_PX = 480
_PAIR_PX = 300  # each image of a pair
_CONTEXT = 2.5  # width of the part of the image that is shown, in widths of the boxes
_MIN_VIEW_PX = 80  # of the image, at least
_ASPECT = 4 / 3
_NO_BOX: Box = (math.nan, math.nan, math.nan, math.nan)


def write_page(audit: AuditInput, matches: pd.DataFrame, findings: pd.DataFrame, harmless: int, path: Path) -> None:
    """Write the page, one file that needs no network.

    Args:
        audit: labels and predictions.
        matches: every label with its prediction (`lpr.audit.findings.match_predictions`).
        findings: all of them, the most severe of each kind first.
        harmless: number of pairs of near-duplicates that are no finding.
        path: of the page.
    """
    from tqdm import tqdm

    high_confidence = thresholds.high_confidence_threshold(matches)
    shown = {kind: findings[findings["kind"] == kind].head(_CARDS) for kind in KINDS}
    with tqdm(desc="drawing", total=sum(map(len, shown.values())), unit="image", leave=False) as bar:
        cards: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        for kind, rows in shown.items():
            for row in rows.to_dict("records"):
                cards[kind].append(_card(audit, row, high_confidence))
                bar.update()
    splits = audit.labels.drop_duplicates("image")["split"]
    page = template("audit.html.j2").render(
        config=audit.config,
        kinds=KINDS,
        meanings=_meanings(audit, high_confidence),
        counts=list(_counts(audit, matches, findings)),
        totals=findings["kind"].value_counts(),
        cards=cards,
        images=len(splits),
        labels=len(matches),
        trained=int((splits == "train").sum()),
        experiments=len(audit.splits),
        command=folds_command(audit),
        iou_threshold=thresholds.IOU_THRESHOLD,
        harmless=harmless,
    )
    with replaced(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def folds_command(audit: AuditInput) -> str:
    """The command of a sweep over folds, in which every image is once a test image."""
    fixed = r"split=|split\.fold|data\.sources\.\d+\.role="
    given = [override for override in audit.overrides or ["KEY=VALUE"] if not re.match(fixed, override)]
    roles = [
        f"data.sources.{number}.role=both"
        for number, source in enumerate(audit.config.data.sources)
        if source.role == "train"
    ]
    folds = ["split=kfold", "split.folds=5", "split.fold=0,1,2,3,4", "hydra.sweep.dir=experiments/audit"]
    return shlex.join(["lpr", "experiment", "-m", *given, *roles, *folds])


def _meanings(audit: AuditInput, high_confidence: float) -> dict[str, str]:
    """The criterion of each kind of finding, with its thresholds, and the definition of its severity."""
    confidence = audit.config.inference.confidence_threshold
    if not audit.has_confidence:
        missing = "Not searched for: this detector predicts one plate in every image."
    elif math.isnan(high_confidence):
        missing = "Not searched for: no prediction agrees with a label, so that no threshold of confidence is known."
    else:
        missing = (
            f"A prediction that overlaps no label, with a confidence of at least {high_confidence:.2f}, the median of "
            "the predictions that agree with a label. Severity: the confidence."
        )
    return {
        "missing": missing,
        "spurious": f"A label that no prediction of a confidence of {thresholds.MIN_CONFIDENCE:g} or more overlaps; "
        f"one of more than {100 * thresholds.LARGE_AREA_FRACTION:.0f} % of the image without a matching prediction; "
        f"one with a side below {thresholds.MIN_SIDE_PX} px; or a second label of the same plate. Severity: 1 − the "
        "highest confidence of a prediction on it; of a second label, that confidence.",
        "loose": f"A prediction of a confidence of at least {confidence:g} (where the IoU is below "
        f"{thresholds.LOW_IOU_THRESHOLD:g}, at least the threshold for missing labels) matches the label with an IoU "
        f"below {thresholds.IOU_THRESHOLD:g}, and the label has at least {thresholds.AREA_RATIO_THRESHOLD:g} × its "
        "area. Severity: confidence × (1 − IoU).",
        "tight": f"The same, where the prediction has at least {thresholds.AREA_RATIO_THRESHOLD:g} × the label's area.",
        "shifted": "The same, where the areas differ less: the label has another position or another aspect ratio.",
        "duplicate": "Near-duplicates (perceptual hashes that differ in at most "
        f"{audit.config.split.hash_distance_threshold} of 64 bits) or images of the same plate text in different "
        "splits; and near-duplicates with other texts, another number of labels, or boxes (as fractions of the image) "
        f"of an IoU below {thresholds.IOU_THRESHOLD:g}. Severity: 1, or for boxes 1 − IoU.",
    }


def _counts(audit: AuditInput, matches: pd.DataFrame, findings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row a source: its images by split, its labels, how many match a prediction, and its findings by kind."""
    for source, labels in audit.labels.groupby("source", sort=False):
        splits = labels.drop_duplicates("image")["split"].value_counts()
        of_source = matches[matches["source"] == source]
        agreeing = of_source[of_source["iou"] >= thresholds.IOU_THRESHOLD]
        matched = of_source[of_source["confidence"] >= audit.config.inference.confidence_threshold]
        areas = [_areas(matched[columns].to_numpy(float)) for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS)]
        kinds = findings.loc[findings["source"] == source, "kind"].value_counts()
        yield {
            "source": source,
            "splits": {split: int(splits[split]) for split in ("train", "validation", "test") if split in splits},
            "labels": len(of_source),
            "agreeing": len(agreeing) / len(of_source) if len(of_source) else None,
            "area_ratio": float(np.median(areas[0] / areas[1])) if len(matched) else None,
            "kinds": [int(kinds.get(kind, 0)) for kind in KINDS],
        }


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def _card(audit: AuditInput, row: dict[Any, Any], high_confidence: float) -> dict[str, Any]:
    names = [row["image"], row["other_image"]] if row["kind"] == "duplicate" else [row["image"]]
    return {**row, "names": names, "images": [jpeg(_draw(audit, name, row, high_confidence)) for name in names]}


def _draw(audit: AuditInput, name: str, row: dict[Any, Any], high_confidence: float) -> Image.Image:
    """The part of the image around the finding, with labels and predictions of high confidence; of a pair, the whole
    image with its labels."""
    labels = audit.labels[audit.labels["image"] == name]
    predictions = audit.predictions[audit.predictions["image"] == name]
    true = labels.dropna(subset=BOX_COLUMNS)[BOX_COLUMNS].to_numpy(float)
    predicted = predictions.loc[predictions["confidence"] >= high_confidence, PREDICTED_BOX_COLUMNS].to_numpy(float)
    with Image.open(audit.image_dir / name) as image:
        if row["kind"] == "duplicate":
            width = max(1, round(min(1, 2 * image.width / image.height) * _PAIR_PX))
            view, predicted = np.array([0, 0, *image.size], float), predicted[:0]
        else:
            own = np.array([[row[column] for column in columns] for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS)])
            view, width = _surroundings(own, image.size), _IMAGE_PX
            predicted = np.concatenate([own[1:], predicted])
        height = max(1, round(width * (view[3] - view[1]) / (view[2] - view[0])))
        drawn = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, tuple(view), reducing_gap=3.0)
    pairs = zip_longest(_placed(true, view, width), _placed(predicted, view, width), fillvalue=_NO_BOX)
    for label, prediction in pairs:
        drawn = draw_boxes(drawn, label, prediction, width)
    return drawn


def _surroundings(own: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of the image around two boxes, (2, 4), of which one may be NaN: left, top, right, bottom in pixels."""
    left, top = np.nanmin(own[:, :2], axis=0)
    right, bottom = np.nanmax(own[:, 2:], axis=0)
    width = max(_CONTEXT * (right - left), _CONTEXT * _ASPECT * (bottom - top), _MIN_VIEW_PX)
    wanted = np.minimum([width, width / _ASPECT], size)
    corner = np.clip([(left + right) / 2, (top + bottom) / 2] - wanted / 2, 0, size - wanted)
    return np.concatenate([corner, corner + wanted])


def _placed(boxes: np.ndarray, view: np.ndarray, width: int) -> list[Box]:
    """The boxes that overlap the view, in pixels of the view when it is resized to `width`."""
    inside = (boxes[:, :2] < view[2:]).all(axis=1) & (boxes[:, 2:] > view[:2]).all(axis=1)
    moved = (boxes[inside] - np.tile(view[:2], 2)) * width / (view[2] - view[0])
    return [(box[0], box[1], box[2], box[3]) for box in moved.tolist()]
