"""The page of an audit: what was found, counted, and the images, the worst of each kind first."""

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

from lpr.audit import findings as rules
from lpr.audit.evidence import Evidence
from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.report.detection_figures import Box, draw_boxes
from lpr.report.page import jpeg, template

KINDS = {
    "missing": "Plates without a label",
    "doubtful": "Labels without a plate",
    "loose": "Labels that are too large",
    "tight": "Labels that are too small",
    "shifted": "Labels in the wrong place",
    "duplicate": "Images that are there twice",
}
"""Every kind of finding, in the order of the page, with its headline."""

_CARDS = 24  # a kind
_IMAGE_PX = 480
_PAIR_PX = 300  # each image of a pair
_CONTEXT = 2.5  # widths of the plate that its image shows
_LEAST_VIEW_PX = 80  # nor fewer of the image's own pixels
_ASPECT = 4 / 3
_NOTHING: Box = (math.nan, math.nan, math.nan, math.nan)


def write_page(evidence: Evidence, matches: pd.DataFrame, findings: pd.DataFrame, harmless: int, path: Path) -> None:
    """Write the page, one file that needs no network.

    Args:
        evidence: what was judged, by what.
        matches: every label beside its prediction (`lpr.audit.findings.match`).
        findings: all of them, the worst of each kind first.
        harmless: pairs of near-duplicates that are no finding.
        path: where the page goes.
    """
    from tqdm import tqdm

    sure = rules.sure_confidence(matches)
    shown = {kind: findings[findings["kind"] == kind].head(_CARDS) for kind in KINDS}
    with tqdm(desc="drawing", total=sum(map(len, shown.values())), unit="image", leave=False) as bar:
        cards: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        for kind, rows in shown.items():
            for row in rows.to_dict("records"):
                cards[kind].append(_card(evidence, row, sure))
                bar.update()
    sides = evidence.labels.drop_duplicates("image")["split"]
    page = template("audit.html.j2").render(
        config=evidence.config,
        kinds=KINDS,
        meanings=_meanings(evidence, sure),
        counts=list(_counts(evidence, matches, findings)),
        totals=findings["kind"].value_counts(),
        cards=cards,
        images=len(sides),
        labels=len(matches),
        trained=int((sides == "train").sum()),
        experiments=len(evidence.splits),
        command=folds_command(evidence),
        agreement=rules.AGREEMENT,
        harmless=harmless,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def folds_command(evidence: Evidence) -> str:
    """The sweep by which every image would be judged by a detector that did not train on it."""
    fixed = r"split=|split\.fold|data\.sources\.\d+\.role="
    given = [override for override in evidence.overrides or ["KEY=VALUE"] if not re.match(fixed, override)]
    roles = [
        f"data.sources.{number}.role=both"
        for number, source in enumerate(evidence.config.data.sources)
        if source.role == "train"
    ]
    folds = ["split=kfold", "split.folds=5", "split.fold=0,1,2,3,4", "hydra.sweep.dir=experiments/audit"]
    return shlex.join(["lpr", "experiment", "-m", *given, *roles, *folds])


def _meanings(evidence: Evidence, sure: float) -> dict[str, str]:
    """What makes a finding of each kind, with the thresholds, and what its severity is."""
    confidence = evidence.config.inference.confidence_threshold
    missing = "A prediction that touches no label, and is sure: "
    if not evidence.graded:
        missing = "Not looked for: this detector sees one plate in every image."
    elif math.isnan(sure):
        missing += "here, no prediction agrees with a label, so that none is sure."
    else:
        missing += f"its confidence, which is the severity, is at least {sure:.2f}, as half of those on labels reach."
    return {
        "missing": missing,
        "doubtful": f"A label that no prediction of a confidence of {rules.UNSEEN:g} or more touches; one of more than "
        f"{100 * rules.HUGE:.0f} % of the image with no prediction to judge it by; one with a side below "
        f"{rules.SLIVER_PX} px; or a second label of the same plate. Severity: 1 − the highest confidence there, of a "
        "second label that confidence.",
        "loose": f"A prediction of a confidence of at least {confidence:g} (a sure one where the IoU is below "
        f"{rules.SPECK:g}) is about the same plate, with an IoU below {rules.AGREEMENT:g}, and the label has at least "
        f"{rules.RESIZED:g} × its area. Severity: confidence × (1 − IoU).",
        "tight": f"The same, where the prediction has at least {rules.RESIZED:g} × the label's area.",
        "shifted": "The same, where the areas differ less: the label lies elsewhere, or is of another shape.",
        "duplicate": "Near-duplicates (perceptual hashes that differ in at most "
        f"{evidence.config.split.hash_distance} of 64 bits) or images of the same plate text on two sides of the "
        "split; and near-duplicates with other texts, another number of labels, or boxes (as fractions of the image) "
        f"of an IoU below {rules.AGREEMENT:g}. Severity: 1, or for boxes 1 − IoU.",
    }


def _counts(evidence: Evidence, matches: pd.DataFrame, findings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row a source: its labels, on which side they were judged, and how many findings of each kind."""
    for source, labels in evidence.labels.groupby("source", sort=False):
        sides = labels.drop_duplicates("image")["split"].value_counts()
        own = matches[matches["source"] == source]
        agreeing = own[own["iou"] >= rules.AGREEMENT]
        seen = own[own["confidence"] >= evidence.config.inference.confidence_threshold]
        areas = [_areas(seen[columns].to_numpy(float)) for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS)]
        kinds = findings.loc[findings["source"] == source, "kind"].value_counts()
        yield {
            "source": source,
            "sides": {side: int(sides[side]) for side in ("train", "validation", "test") if side in sides},
            "labels": len(own),
            "agreeing": len(agreeing) / len(own) if len(own) else None,
            "ratio": float(np.median(areas[0] / areas[1])) if len(seen) else None,
            "kinds": [int(kinds.get(kind, 0)) for kind in KINDS],
        }


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def _card(evidence: Evidence, row: dict[Any, Any], sure: float) -> dict[str, Any]:
    names = [row["image"], row["other_image"]] if row["kind"] == "duplicate" else [row["image"]]
    return {**row, "names": names, "images": [jpeg(_draw(evidence, name, row, sure)) for name in names]}


def _draw(evidence: Evidence, name: str, row: dict[Any, Any], sure: float) -> Image.Image:
    """What surrounds the finding, with the labels and the sure predictions there; of a pair, the whole image."""
    labels = evidence.labels[evidence.labels["image"] == name]
    predictions = evidence.predictions[evidence.predictions["image"] == name]
    true = labels.dropna(subset=BOX_COLUMNS)[BOX_COLUMNS].to_numpy(float)
    predicted = predictions.loc[predictions["confidence"] >= sure, PREDICTED_BOX_COLUMNS].to_numpy(float)
    with Image.open(evidence.images / name) as image:
        if row["kind"] == "duplicate":
            view, width, predicted = np.array([0, 0, *image.size], float), _PAIR_PX, predicted[:0]
        else:
            own = np.array([[row[column] for column in columns] for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS)])
            view, width = _surroundings(own, image.size), _IMAGE_PX
            predicted = np.concatenate([own[1:], predicted])
        height = max(1, round(width * (view[3] - view[1]) / (view[2] - view[0])))
        drawn = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, tuple(view), reducing_gap=3.0)
    pairs = zip_longest(_placed(true, view, width), _placed(predicted, view, width), fillvalue=_NOTHING)
    for label, prediction in pairs:
        drawn = draw_boxes(drawn, label, prediction, width)
    return drawn


def _surroundings(own: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of the image around boxes, (2, 4) of which one may be none: left, top, right, bottom."""
    left, top = np.nanmin(own[:, :2], axis=0)
    right, bottom = np.nanmax(own[:, 2:], axis=0)
    width = max(_CONTEXT * (right - left), _CONTEXT * _ASPECT * (bottom - top), _LEAST_VIEW_PX)
    wanted = np.minimum([width, width / _ASPECT], size)
    corner = np.clip([(left + right) / 2, (top + bottom) / 2] - wanted / 2, 0, size - wanted)
    return np.concatenate([corner, corner + wanted])


def _placed(boxes: np.ndarray, view: np.ndarray, width: int) -> list[Box]:
    """The boxes that can be seen in a part of the image, in pixels of that part when it is `width` wide."""
    seen = (boxes[:, :2] < view[2:]).all(axis=1) & (boxes[:, 2:] > view[:2]).all(axis=1)
    moved = (boxes[seen] - np.tile(view[:2], 2)) * width / (view[2] - view[0])
    return [(box[0], box[1], box[2], box[3]) for box in moved.tolist()]
