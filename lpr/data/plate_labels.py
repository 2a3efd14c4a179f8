"""Boxes, turned boxes and polygons of labelling tools as `PlateLabel`s."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lpr.data.annotations import NO_BOX, NUMBER_PLATE, PlateLabel
from lpr.data.attributes import read_attributes

Point = tuple[float, float]


def label_box(
    box: tuple[float, float, float, float],
    label: Any = NUMBER_PLATE,
    attributes: Mapping[str, Any] | None = None,
    rotation: float = 0.0,
    pivot: Point | None = None,
) -> PlateLabel:
    """A box; where it is turned, the upright hull of its corners.

    Args:
        box: left, top, right, bottom before it is turned; pixels of the image.
        label: what it is of.
        attributes: name → value, as `read_attributes` takes them.
        rotation: clockwise, degrees.
        pivot: what it is turned about; None: its centre.
    """
    if not math.isfinite(rotation):
        return unusable_label(f"a box turned by {rotation} degrees", label)
    if rotation % 360 == 0:
        text, ignored = read_attributes(attributes or {})
        return PlateLabel(box, text, ignored, _name(label))
    left, top, right, bottom = box
    x, y = pivot or ((left + right) / 2, (top + bottom) / 2)
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    corners = [(left - x, top - y), (right - x, top - y), (right - x, bottom - y), (left - x, bottom - y)]
    return label_polygon([(x + cos * a - sin * b, y + sin * a + cos * b) for a, b in corners], label, attributes)


def label_polygon(
    points: Sequence[Point], label: Any = NUMBER_PLATE, attributes: Mapping[str, Any] | None = None
) -> PlateLabel:
    """The upright hull of a polygon, and its corners where there are four.

    Args:
        points: x and y; pixels of the image.
        label: what it is of.
        attributes: name → value, as `read_attributes` takes them.
    """
    if len(points) < 2:
        return unusable_label(f"{len(points)} points where a polygon is needed", label)
    text, ignored = read_attributes(attributes or {})
    if not all(math.isfinite(value) for point in points for value in point):
        return PlateLabel(NO_BOX, text, ignored, _name(label))
    xs, ys = zip(*points, strict=True)
    box = min(xs), min(ys), max(xs), max(ys)
    return PlateLabel(box, text, ignored, _name(label), points if len(points) == 4 else None)


def unusable_label(reason: str, label: Any = None) -> PlateLabel:
    """A label that is rejected for that reason, unless it is of something else than a plate."""
    return PlateLabel(NO_BOX, label=_name(label), unusable=reason)


def _name(label: Any) -> str:
    """A label as text; "" where there is none."""
    return "" if label is None else str(label)
