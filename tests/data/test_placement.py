"""Boxes in pixels of cached images; `test_image_cache.py` has those of real image files."""

import math

import numpy as np
import pandas as pd
import pytest
from plate_tables import HEIGHT, PLATE, WIDTH, table_of

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS
from lpr.data.originals import IMAGE_COLUMNS
from lpr.data.placement import PLACED_COLUMNS, place_boxes, place_points


def test_place_boxes_keeps_order_and_counts_plates() -> None:
    plates = pd.concat([table_of({"b.jpg": "", "gone.jpg": "", "a.jpg": ""}), table_of({"b.jpg": ""})])
    plates["text"] = ["1", "2", "3", ""]
    images = pd.DataFrame(
        [[name, "cars", WIDTH, HEIGHT, WIDTH, HEIGHT, 1, "JPEG", 1, "", ""] for name in ("a.jpg", "b.jpg")],
        columns=IMAGE_COLUMNS,
    )
    placed = place_boxes(plates, images)
    assert list(placed.columns) == PLACED_COLUMNS
    assert placed[["image", "plate", "text"]].to_numpy().tolist() == [
        ["b.jpg", 0, "1"],
        ["a.jpg", 0, "3"],
        ["b.jpg", 1, ""],
    ]
    assert placed[["top_x", "top_y", "bottom_x", "bottom_y"]].drop_duplicates().to_numpy().tolist() == [list(PLATE)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_original_boxes_are_turned_scaled_and_clipped_like_those_in_use(orientation: int) -> None:
    """Two rows of one plate have each other's boxes, in images that EXIF turned and that are of twice the size."""
    boxes = np.array([[10, 4, 30, 12], [-3, -2, 39, 17]], float)
    plates = table_of({"a.jpg": "", "b.jpg": ""})
    plates[BOX_COLUMNS], plates[ORIGINAL_BOX_COLUMNS] = boxes, boxes[::-1]
    size = (2 * HEIGHT, 2 * WIDTH) if orientation >= 5 else (2 * WIDTH, 2 * HEIGHT)
    images = pd.DataFrame(
        [[name, "cars", *size, 2 * WIDTH, 2 * HEIGHT, orientation, "JPEG", 1, "", ""] for name in ("a.jpg", "b.jpg")],
        columns=IMAGE_COLUMNS,
    )
    placed = place_boxes(plates, images)
    used, original = placed[BOX_COLUMNS].to_numpy(), placed[ORIGINAL_BOX_COLUMNS].to_numpy()
    assert (used == original[::-1]).all()
    assert (used[0, 2:] - used[0, :2]).prod() == 4 * 20 * 8
    plates[ORIGINAL_BOX_COLUMNS] = math.nan
    assert place_boxes(plates, images)[ORIGINAL_BOX_COLUMNS].isna().all(axis=None)
    assert (place_boxes(plates, images)[BOX_COLUMNS].to_numpy() == used).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_are_turned_and_scaled_as_boxes_are(orientation: int) -> None:
    plates = table_of({"a.jpg": ""})
    size = (2 * HEIGHT, 2 * WIDTH) if orientation >= 5 else (2 * WIDTH, 2 * HEIGHT)
    row = ["a.jpg", "cars", *size, 2 * WIDTH, 2 * HEIGHT, orientation, "JPEG", 1, "", ""]
    images = pd.DataFrame([row], columns=IMAGE_COLUMNS)
    left, top, right, bottom = PLATE
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    placed = place_points(corners, plates.iloc[[0] * 4], images)
    hull = [*placed.min(axis=0), *placed.max(axis=0)]
    assert hull == place_boxes(plates, images)[BOX_COLUMNS].iloc[0].tolist()
    assert len({tuple(point) for point in placed.tolist()}) == 4
