"""The margins between two annotators' boxes of the same plates, for scoring a detector by boxes of another convention.

A detector that is trained on tight boxes predicts tight boxes. By looser true boxes, even a perfect one has a low IoU,
because of the convention and not of its errors. Constant margins, the same for all plates, are added to its predictions
before they are scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpr.boxes import iou

_STEP = 0.05  # of the search's first simplex
_DIGITS = 3  # of a margin: finer than annotations are


@dataclass(frozen=True)
class Margins:
    """What is added on each side of a box, as fractions of its width (left, right) and height (top, bottom)."""

    left: float
    top: float
    right: float
    bottom: float

    def around(self, boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """The boxes with the margins added, within their images.

        Args:
            boxes: (n, 4) pixels.
            sizes: width and height of each one's image, (n, 2) pixels.

        Returns:
            (n, 4) pixels.
        """
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        outward = np.array([-self.left, -self.top, self.right, self.bottom])
        return (boxes + outward * sides).clip(0, np.tile(sizes, 2))


def fit_margins(boxes: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> Margins:
    """The margins around the boxes that give the highest mean IoU with the labels.

    By the simplex of Nelder & Mead (1965), from the medians of the single plates' margins.

    Args:
        boxes: of the same plates as the labels, (n, 4) pixels.
        labels: (n, 4) pixels.
        sizes: width and height of each one's image, (n, 2) pixels.
    """
    from scipy.optimize import minimize

    def loss(margins: np.ndarray) -> float:
        return 1 - float(iou(Margins(*margins).around(boxes, sizes), labels).mean())

    each = (labels - boxes) * [-1, -1, 1, 1] / np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    start = np.median(each, axis=0)
    simplex = start + _STEP * np.vstack([np.zeros(4), np.eye(4)])
    found = minimize(loss, start, method="Nelder-Mead", options={"initial_simplex": simplex})
    return Margins(*found.x.round(_DIGITS).tolist())
