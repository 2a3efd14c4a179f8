"""The shapes that plates are shown in: a long one for one line, a squarer one for two, of about as many pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence


def nearest_shape(shapes: Sequence[Sequence[int]], width: float, height: float) -> tuple[int, int]:
    """Of the shapes (height, width), the one whose proportions are most like those of such a box."""
    stretched = [abs(math.log(width / height * rows / columns)) for rows, columns in shapes]
    rows, columns = shapes[stretched.index(min(stretched))]
    return rows, columns
