"""Typefaces made of strokes of one width, like the dies that plates are pressed with, which no font package has.

A character is a few paths between corners in a unit square, x to the right and y downwards. What differs from die to
die (where M's middle meets, whether 1 has a foot, how round O is, …) are the attributes of `StrokeTypeface`, chosen at
random.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from lpr.synthesis.typefaces import CAP_PX, Glyph

_OVERSAMPLING = 4  # of the masks while they are drawn
_CIRCLE = 0.5523  # of the way from a rounded corner's ends to the corner: the control points that make it elliptical

Corner: TypeAlias = tuple[float, float] | tuple[float, float, bool]
"""x and y in 0–1, and True where the path turns in a curve."""
Path: TypeAlias = list[Corner]
"""Corners from one end to the other; it is closed where both are the same."""


@dataclass(frozen=True)
class StrokeTypeface:
    """A typeface; lengths are fractions of a capital's height, heights are measured downwards from its top.

    Attributes:
        width: of an H.
        stroke: width of the strokes.
        radius: of round corners, up to half of the character.
        waist: height of the middle bars.
        m_vertex: height at which the inner strokes of an M meet.
        w_apex: likewise of a W.
        splay: how far the outer strokes of M and W lean, of their width.
        wide: width of M and W, in widths of an H.
        zero: width of a 0, likewise.
        bearing: gap at each side.
        round_ends: of strokes.
        slashed_zero: with a stroke across it.
        inner_tail: Q's tail starts inside.
        serif_i: I has bars.
        foot_1: 1 stands on a bar.
        flag_1: 1 has a flag, and is no mere bar.
        bent_7: its stem is bent.
        bar_7: has a bar across, as Z has.
        open_4: its top is open.
        flat_3: its top is that of a 7.
        straight_6: the stems of 6 and 9 are straight.
        flat_a: A has a flat or round top.
        bar_j: J has a bar.
        spur_g: G's bar comes down to the base.
    """

    width: float
    stroke: float
    radius: float
    waist: float
    m_vertex: float
    w_apex: float
    splay: float
    wide: float
    zero: float
    bearing: float
    round_ends: bool
    slashed_zero: bool
    inner_tail: bool
    serif_i: bool
    foot_1: bool
    flag_1: bool
    bent_7: bool
    bar_7: bool
    open_4: bool
    flat_3: bool
    straight_6: bool
    flat_a: bool
    bar_j: bool
    spur_g: bool

    def glyph(self, character: str) -> Glyph:
        """One of A–Z, 0–9, or one of -.·|."""
        return _glyph(self, character)


def _choose(rng: Generator) -> StrokeTypeface:
    width = rng.uniform(0.38, 0.72)
    return StrokeTypeface(
        width=width,
        stroke=width * rng.uniform(0.18, 0.33),
        radius=rng.uniform(0.1, 0.5),
        waist=rng.uniform(0.42, 0.56),
        m_vertex=rng.uniform(0.4, 1),
        w_apex=rng.choice([0, rng.uniform(0.1, 0.6)], p=[0.25, 0.75]),
        splay=rng.choice([0, rng.uniform(0.03, 0.15)]),
        wide=rng.uniform(1, 1.4),
        zero=rng.uniform(0.8, 1),
        bearing=rng.uniform(0.04, 0.12),
        round_ends=rng.random() < 0.5,
        slashed_zero=rng.random() < 0.06,
        inner_tail=rng.random() < 0.6,
        serif_i=rng.random() < 0.35,
        foot_1=rng.random() < 0.3,
        flag_1=rng.random() < 0.85,
        bent_7=rng.random() < 0.25,
        bar_7=rng.random() < 0.1,
        open_4=rng.random() < 0.25,
        flat_3=rng.random() < 0.2,
        straight_6=rng.random() < 0.25,
        flat_a=rng.random() < 0.35,
        bar_j=rng.random() < 0.25,
        spur_g=rng.random() < 0.3,
    )


STROKE_FACES = tuple(_choose(np.random.default_rng(index)) for index in range(256))
"""As many as there is memory for their glyphs."""


@functools.cache
def _glyph(face: StrokeTypeface, character: str) -> Glyph:
    """The mask is that of the strokes, cropped to them."""
    scale = CAP_PX * _OVERSAMPLING
    pen = face.stroke * scale
    size = np.array([max(face.width * _width(face, character) * scale, 1.5 * pen), scale]) - pen
    edge = round(2 * pen)
    canvas = Image.new("L", (round(size[0]) + 2 * edge, round(size[1]) + 2 * edge))
    draw = ImageDraw.Draw(canvas)
    for path in _paths(face, character):
        points = _curve(path, size, face.radius * scale) + edge
        joints = points if face.round_ends or path[0] == path[-1] else points[1:-1]
        for x, y in joints.tolist():
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
        if len(joints) < len(points):
            points = _longer(points, pen / 2)
        draw.line([tuple(point) for point in points.tolist()], fill=255, width=round(pen))
    full = np.array(canvas)
    base = edge + size[1] + pen / 2
    if character != "Q":  # whose tail may be below
        full[round(base) :] = 0
        full[: round(edge - pen / 2)] = 0
    height, width = (max(1, round(side / _OVERSAMPLING)) for side in full.shape)
    mask = cv2.resize(full, (width, height), interpolation=cv2.INTER_AREA)
    left, top, wide, high = cv2.boundingRect(mask)
    foot = top + high - base / _OVERSAMPLING
    return Glyph(mask[top : top + high, left : left + wide], foot, (face.bearing * CAP_PX,) * 2)


def _longer(points: np.ndarray, by: float) -> np.ndarray:
    """A path, (n, 2), with both ends moved outwards."""
    outwards = points[[0, -1]] - points[[1, -2]]
    ends = points[[0, -1]] + by * outwards / np.hypot(*outwards.T)[:, None]
    return np.concatenate([ends[:1], points[1:-1], ends[1:]])


def _curve(path: Path, size: np.ndarray, radius: float) -> np.ndarray:
    """The points of a path, (n, 2), in a box of this size: x and y; corners have the radius where there is room."""
    corners = np.array([corner[:2] for corner in path]) * size
    closed = path[0][:2] == path[-1][:2]
    points: list[np.ndarray] = []
    for index, corner in enumerate(corners):
        inner = closed or 0 < index < len(path) - 1
        if not (inner and len(path[index]) == 3):
            points.append(corner[None])
            continue
        before = corners[index - 1 if index else -2]
        after = corners[index + 1 if index < len(path) - 1 else 1]
        ends = []
        for other in (before, after):
            length = float(np.hypot(*(other - corner)))
            ends.append(corner + (other - corner) * min(radius, length / 2) / length)
        controls = [end + _CIRCLE * (corner - end) for end in ends]
        at = np.linspace(0, 1, 13)[:, None]
        points.append(
            (1 - at) ** 3 * ends[0]
            + 3 * (1 - at) ** 2 * at * controls[0]
            + 3 * (1 - at) * at**2 * controls[1]
            + at**3 * ends[1]
        )
    return np.concatenate(points)


def _width(face: StrokeTypeface, character: str) -> float:
    """In widths of an H."""
    if character in "MW":
        return face.wide
    if character == "I":
        return 0.6 if face.serif_i else 0
    if character == "1":
        return 0.75 if face.foot_1 else 0.55 if face.flag_1 else 0
    widths = {"0": face.zero, "J": 0.9, "L": 0.9, "E": 0.93, "F": 0.93, "-": 0.5, "|": 0, ".": 0, "·": 0}
    return widths.get(character, 1)


def _paths(face: StrokeTypeface, character: str) -> list[Path]:
    """The strokes of a character."""
    r, waist, lean = True, face.waist, face.splay
    across: Path = [(0.15, waist), (0.85, waist)]
    ring: Path = [(0, 0, r), (1, 0, r), (1, 1, r), (0, 1, r), (0, 0, r)]
    spur: list[Path] = [[(1, 0.55), (1, 1)]]
    foot: Path = [(0, 1), (1, 1)]
    serifs: list[Path] = [[(0, 0), (1, 0)], foot]
    slash: Path = [(0.1, 0.8), (0.9, 0.2)]
    tail: Path = [(0.5, 0.65), (1, 1)] if face.inner_tail else [(0.75, 0.85), (1.08, 1.12)]
    p: Path = [(0, 1), (0, 0), (1, 0, r), (1, waist, r), (0, waist)]
    top_7: Path = [(0, 0), (1, 0), *([(0.45, 0.5, r)] if face.bent_7 else []), (0.35, 1)]
    lower_5: Path = [(1, 0.42, r), (1, 1, r), (0, 1, r), (0, 0.78)]
    top_3: Path = [(0, 0), (1, 0), (0.4, 0.4)] if face.flat_3 else [(0, 0.2), (0, 0, r), (1, 0, r), (1, waist, r)]
    stem_6: Path = [(0.75, 0), (0, 0.6)] if face.straight_6 else [(1, 0.2), (1, 0, r), (0, 0, r), (0, 0.6)]
    stem_9: Path = [(0.25, 1), (1, 0.4)] if face.straight_6 else [(0, 0.8), (0, 1, r), (1, 1, r), (1, 0.4)]
    c: Path = [(1, 0.25), (1, 0, r), (0, 0, r), (0, 1, r), (1, 1, r)]
    strokes: dict[str, list[Path]] = {
        "A": [
            [(0, 1), (0, 0, r), (1, 0, r), (1, 1)] if face.flat_a else [(0, 1), (0.5, 0), (1, 1)],
            [(0.05, 0.66), (0.95, 0.66)] if face.flat_a else [(0.2, 0.66), (0.8, 0.66)],
        ],
        "B": [
            [(0, waist), (0, 0), (0.93, 0, r), (0.93, waist, r), (0, waist)],
            [(0, waist), (0, 1), (1, 1, r), (1, waist, r), (0, waist)],
        ],
        "C": [[*c, (1, 0.75)]],
        "D": [[(0, 0), (1, 0, r), (1, 1, r), (0, 1), (0, 0)]],
        "E": [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, waist), (0.85, waist)]],
        "F": [[(1, 0), (0, 0), (0, 1)], [(0, waist), (0.85, waist)]],
        "G": [[*c, (1, 0.55), (0.55, 0.55)], *(spur if face.spur_g else [])],
        "H": [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, waist), (1, waist)]],
        "I": [[(0.5, 0), (0.5, 1)], *(serifs if face.serif_i else [])],
        "J": [[*([(0.3, 0)] if face.bar_j else []), (1, 0), (1, 1, r), (0, 1, r), (0, 0.72)]],
        "K": [[(0, 0), (0, 1)], [(1, 0), (0, 0.62)], [(0.32, 0.43), (1, 1)]],
        "L": [[(0, 0), (0, 1), (1, 1)]],
        "M": [[(0, 1), (lean, 0), (0.5, face.m_vertex), (1 - lean, 0), (1, 1)]],
        "N": [[(0, 1), (0, 0), (1, 1), (1, 0)]],
        "O": [ring],
        "P": [p],
        "Q": [ring, tail],
        "R": [p, [(0.45, waist), (1, 1)]],
        "S": [[(1, 0.22), (1, 0, r), (0, 0, r), (0, waist, r), (1, waist, r), (1, 1, r), (0, 1, r), (0, 0.78)]],
        "T": [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],
        "U": [[(0, 0), (0, 1, r), (1, 1, r), (1, 0)]],
        "V": [[(0, 0), (0.5, 1), (1, 0)]],
        "W": [[(0, 0), (lean, 1), (0.5, face.w_apex), (1 - lean, 1), (1, 0)]],
        "X": [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],
        "Y": [[(0, 0), (0.5, 0.55), (1, 0)], [(0.5, 0.55), (0.5, 1)]],
        "Z": [[(0, 0), (1, 0), (0, 1), (1, 1)], *([across] if face.bar_7 else [])],
        "0": [ring, *([slash] if face.slashed_zero else [])],
        "1": [
            [*([(0, 0.25)] if face.flag_1 else []), *([(0.5, 0), (0.5, 1)] if face.foot_1 else [(1, 0), (1, 1)])],
            *([foot] if face.foot_1 else []),
        ],
        "2": [[(0, 0.25), (0, 0, r), (1, 0, r), (1, 0.45, r), (0, 1), (1, 1)]],
        "3": [[*top_3, *([] if face.flat_3 else [(0.35, waist)])], [(0.4, 0.4 if face.flat_3 else waist), *lower_5]],
        "4": [
            [(0.35 if face.open_4 else 0.7, 0), (0, 0.72), (1, 0.72)],
            [(0.7, 0.4 if face.open_4 else 0), (0.7, 1)],
        ],
        "5": [[(0.95, 0), (0.05, 0), (0, 0.42), *lower_5]],
        "6": [stem_6, [(0, 0.42, r), (1, 0.42, r), (1, 1, r), (0, 1, r), (0, 0.42, r)]],
        "7": [top_7, *([across] if face.bar_7 else [])],
        "8": [
            [(0.05, 0, r), (0.95, 0, r), (0.95, waist, r), (0.05, waist, r), (0.05, 0, r)],
            [(0, waist, r), (1, waist, r), (1, 1, r), (0, 1, r), (0, waist, r)],
        ],
        "9": [stem_9, [(0, 0, r), (1, 0, r), (1, 0.58, r), (0, 0.58, r), (0, 0, r)]],
        "-": [[(0, 0.5), (1, 0.5)]],
        "|": [[(0.5, 0), (0.5, 1)]],
        ".": [[(0, 1), (1, 1)]],
        "·": [[(0, 0.5), (1, 0.5)]],
    }
    return strokes[character]
