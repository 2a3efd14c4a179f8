"""Where the detector looks, and how well: predictions, and the scores made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS, PREDICTED_BOX_COLUMNS, iou
from lpr.statistics import Score, mean_score

if TYPE_CHECKING:
    import keras

_BATCH_SIZE = 32  # of predictions; it changes nothing but memory
DETECTION_COLUMNS = ["image", "source", "split", "plate", "text", *BOX_COLUMNS, *PREDICTED_BOX_COLUMNS, "iou"]


def predict_boxes(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """Boxes, float (n, 4), as fractions, for pictures uint8 (n, s, s, 3).

    A box is the one between the two corners that the network gives, whichever comes first.
    """
    from tqdm import tqdm

    starts = range(0, len(pictures), _BATCH_SIZE)
    boxes = [
        np.asarray(model.predict_on_batch(pictures[start : start + _BATCH_SIZE].astype(np.float32) / 255))
        for start in tqdm(starts, "detecting", unit="batch", leave=False)
    ]
    corners = np.concatenate([np.empty((0, 4), np.float32), *boxes]).reshape(-1, 2, 2)
    return np.sort(corners, axis=1).reshape(-1, 4)


def detections(plates: pd.DataFrame, images: pd.Series, boxes: np.ndarray) -> pd.DataFrame:
    """`reports/detections.csv`: every plate beside the box predicted in its picture, and their IoU.

    Args:
        plates: a row a plate: image, source, split, plate, text, width, height and the true box in pixels.
        images: the pictures that were looked at, as `boxes` has them.
        boxes: one predicted box a picture, as fractions.
    """
    predicted = pd.DataFrame(boxes.astype(float), columns=PREDICTED_BOX_COLUMNS).assign(image=images.to_numpy())
    table = plates.merge(predicted, on="image", how="left", validate="many_to_one")
    sides = table[["width", "height", "width", "height"]].to_numpy(float)
    table[PREDICTED_BOX_COLUMNS] = (table[PREDICTED_BOX_COLUMNS].to_numpy(float) * sides).round(3)
    table["iou"] = iou(table[BOX_COLUMNS].to_numpy(float), table[PREDICTED_BOX_COLUMNS].to_numpy(float)).round(6)
    return table[DETECTION_COLUMNS]


def score_detections(table: pd.DataFrame, plates: pd.DataFrame) -> dict[str, dict[str, dict[str, object]]]:
    """`metrics/detection.json`: for every source and split, every score with its n and interval.

    `mean_iou`, `recall@0.5` and `recall@0.7` are over plates. `seed_accuracy` is what the origin watched: Keras's
    `accuracy` on four regressed numbers, the share of pictures in which the largest of the four coordinates is the
    same one in truth and prediction. It says nothing about where the plate is.
    """
    sizes = plates.drop_duplicates("image").set_index("image")[["width", "height"]]
    scores: dict[str, dict[str, dict[str, object]]] = {}
    for (source, split), part in table.groupby(["source", "split"], sort=True):
        overlap = part["iou"].to_numpy(float)
        named: dict[str, Score | None] = {
            "mean_iou": mean_score(overlap),
            "recall@0.5": mean_score(overlap >= 0.5),
            "recall@0.7": mean_score(overlap >= 0.7),
            "seed_accuracy": mean_score(_same_largest_coordinate(part, sizes)),
        }
        scores.setdefault(str(source), {})[str(split)] = {key: s.as_dict() for key, s in named.items() if s}
    return scores


def _same_largest_coordinate(part: pd.DataFrame, sizes: pd.DataFrame) -> np.ndarray:
    from lpr.data.batches import largest_plates

    chosen = largest_plates(part)
    sides = sizes.loc[chosen["image"], ["width", "height", "width", "height"]].to_numpy(float)
    truth, predicted = (chosen[columns].to_numpy(float) / sides for columns in (BOX_COLUMNS, PREDICTED_BOX_COLUMNS))
    return truth.argmax(axis=1) == predicted.argmax(axis=1)
