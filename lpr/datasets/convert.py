"""`lpr data convert` and `lpr data merge`: sets of annotated images, written as one set in a format of choice.

Images are copied as they are; boxes are in pixels of the upright image. One class is written, plates.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from tabulate import tabulate

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, pairwise_iou
from lpr.data.export_formats import LABEL, ExportedImage, ExportedPlate, coco_json, yolo_data, yolo_labels
from lpr.data.fetching import is_http, last_part
from lpr.data.image_cache import Original, visit_originals
from lpr.data.placement import place_boxes, place_points
from lpr.data.tables import write_table
from lpr.datasets.check import INCOMPLETE
from lpr.datasets.reading import DataSet, DataSets, Options, opened
from lpr.errors import UserError
from lpr.files import free_stem, replaced

IMAGES, LABELS = "images", "labels"
_SAME_BOX_IOU = 0.9  # of two labels of one plate
_LISTED = 20


def convert(path: str, options: Options, target: str, output: Path) -> int:
    """Write a set as COCO, YOLO or CSV.

    Args:
        path: of the annotations, a file or a folder.
        options: how they are read.
        target: of `WRITERS`.
        output: folder that is made.

    Returns:
        The exit status: 0, or 3 where something is rejected, or an image is missing or cannot be read.

    Raises:
        UserError: the output exists, or the annotations cannot be read, or no image can.
    """
    with _new_set([path], options, output) as sets: ...
