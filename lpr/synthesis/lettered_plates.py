"""Synthetic plates for the recognizer to be trained on: the text of each, and the box of each of its characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from lpr.synthesis.glyphs import FACE_SHARES, FACES, text_line
from lpr.synthesis.painting import Colour, palette, pick, smooth_noise
from lpr.synthesis.plate_bands import FLAG_COLOURS, Box, stamp
from lpr.synthesis.plate_blanks import (
    choose_size_and_colours,
    draw_blank,
    draw_bolts,
    draw_stickers,
    fill_in_words,
    finish_plate,
    similar_colour,
)
from lpr.synthesis.registrations import Line, choose_lines
from lpr.synthesis.stroke_typefaces import STROKE_FACES, StrokeTypeface
from lpr.synthesis.typefaces import CAP_PX, LETTERS_AND_DIGITS, PAINTED_FACES, PLATE_FACES, Typeface

WIDTH = 320
"""Of a plate, pixels."""

_LINE_ITEMS = re.compile(r"\{\w+\}|\[\w+\|\w+\]|.")
_STACKED = 0.44  # of a line's height: the letters of two that stand one over the other
_INK = 110  # of 255, from which a pixel counts as ink
_SEALS = palette("d8dce4 1c50a0 c83c28 e0a020 2c8c50 9aa0a8")
_SHIELD = np.array([[-1, -1], [1, -1], [1, 0.2], [0.55, 0.75], [0, 1], [-0.55, 0.75], [-1, 0.2]])


@dataclass(frozen=True)
class LetteredPlate:
    """A plate, seen straight on.

    Attributes:
        pixels: RGBA, uint8 (h, w, 4), transparent at round corners, with its holder, if any.
        box: of the plate without its holder: left, top, right, bottom, pixels.
        text: its registration in reading order: the top line first. Of a synthetic plate A–Z and 0–9.
        characters: boxes of the ink of its n characters, float32 (n, 4): left, top, right, bottom, pixels.
        region: where it is from, one of `lpr.plates.countries.REGIONS`; "" where that is unknown.
    """

    pixels: np.ndarray
    box: Box
    text: str
    characters: np.ndarray
    region: str = ""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the plate itself, pixels."""
        left, top, right, bottom = self.box
        return right - left, bottom - top


def draw_lettered_plates(count: int, seed: int) -> list[LetteredPlate]:
    """Plates 0 to count - 1 of a seed; each depends on (seed, its number) alone.

    Raises:
        UserError: the typefaces are not installed.
    """
    return [_draw_lettered_plate(np.random.default_rng([seed, index])) for index in range(count)]


def _draw_lettered_plate(rng: Generator) -> LetteredPlate:
    layout, lines = choose_lines(rng)
    height, paper, ink = choose_size_and_colours(layout, WIDTH, rng)
    art, box = draw_blank(layout, (WIDTH, height), paper, ink, len(lines), rng)
    draw_stickers(art, rng)
    lettering = _Lettering(art, ink, _choose_letter_style(rng), np.zeros((height, WIDTH), np.uint8))
    _draw_lines(lettering, box, lines, rng)
    printed = Image.fromarray(_print_letters(lettering, rng))
    draw_bolts(printed, rng)
    plate = finish_plate(np.asarray(printed), paper, rng)
    left, top = plate.box[:2]
    characters = np.array(lettering.boxes, np.float32) + np.array([left, top, left, top], np.float32)
    return LetteredPlate(plate.pixels, plate.box, "".join(lettering.text), characters, layout.region)


# ------------------------------------------------------------------------------------------------- style of the letters


@dataclass(frozen=True)
class _LetterStyle:
    """How the registration of one plate is lettered; lengths are fractions of the height of a capital letter.

    Attributes:
        face: of all its characters.
        squeeze: their width divided by the typeface's.
        tracking: gap between two of them, in addition to the typeface's bearings.
        cell: width of the cells that characters stand in, with wide ones made narrower; None: no cells.
        space: gap between two groups.
        weight: added to a stroke on each of its sides, across and down, pixels of a glyph's mask; negative to thin it.
        rounding: of corners and ends, pixels of a glyph's mask.
        slant: sideways, for a height of 1.
        rotation_deg: twice the standard deviation of the characters' rotation.
        size_jitter: standard deviation of their sizes and of the base line.
        painted: by hand rather than by a machine.
    """

    face: Typeface | StrokeTypeface
    squeeze: float
    tracking: float
    cell: float | None
    space: float
    weight: tuple[int, int]
    rounding: float
    slant: float
    rotation_deg: float
    size_jitter: float
    painted: bool


def _choose_letter_style(rng: Generator) -> _LetterStyle:
    painted = rng.random() < 0.12
    faces = PAINTED_FACES if rng.random() < (0.6 if painted else 0.1) else PLATE_FACES
    pressed = not painted and rng.random() < 0.4
    weight = int(rng.choice([-1, 0, 1, 2], p=[0.15, 0.5, 0.2, 0.15]))
    contrast = (int(rng.choice([-1, 1, 2])) if rng.random() < 0.2 else 0 for _ in range(2))
    return _LetterStyle(
        face=pick(rng, STROKE_FACES) if pressed else pick(rng, faces),
        squeeze=rng.uniform(0.55, 1.15),
        tracking=rng.uniform(-0.02, 0.12) if rng.random() < 0.75 else rng.uniform(0.12, 0.3),
        cell=rng.uniform(0.5, 0.8) if rng.random() < 0.45 else None,
        space=rng.uniform(0.15, 0.6) if rng.random() < 0.7 else rng.uniform(0.6, 1.5),
        weight=(weight + next(contrast), weight + next(contrast)),
        rounding=rng.uniform(1, 3) if rng.random() < 0.3 else 0.0,
        slant=rng.normal(0, 0.1) if painted else (rng.uniform(0.1, 0.25) if rng.random() < 0.03 else 0.0),
        rotation_deg=rng.uniform(0, 4) if painted else rng.choice([0, 0.6]),
        size_jitter=rng.uniform(0.01, 0.05) if painted else rng.choice([0, 0.006]),
        painted=painted,
    )


@dataclass(frozen=True)
class _Lettering:
    """A plate while its lettering is drawn.

    Attributes:
        art: the plate so far, on which other lettering is drawn.
        ink: colour of its letters.
        style: of the registration.
        mask: of the registration, uint8 (h, w); printed onto the plate when it is complete.
        boxes: of its characters, pixels.
        text: those characters.
    """

    art: Image.Image
    ink: Colour
    style: _LetterStyle
    mask: np.ndarray
    boxes: list[Box] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


# --------------------------------------------------------------------------------------------------------------- lines


def _draw_lines(lettering: _Lettering, box: Box, lines: list[Line], rng: Generator) -> None:
    """Draw the lines into the box, from top to bottom."""
    left, top, right, bottom = box
    height = bottom - top
    taken = sum(line.share for line in lines)
    size = min(rng.uniform(0.8, 1.1), 0.96 / taken)
    gap = height * (1 - size * taken) / (len(lines) + 1)
    other, small_ink = pick(rng, FACES, FACE_SHARES), lettering.ink
    if sum(small_ink) < 250 and rng.random() < 0.2:  # on light paper
        small_ink = similar_colour(rng, pick(rng, palette("b41c22 1c3c96 141416 1c6a3a")))
    y = top + gap
    for line in lines:
        high = height * line.share * size
        if line.registration:
            _draw_registration(lettering, line.pattern, (left, y, right, y + high), rng)
        else:
            mask = text_line(fill_in_words(line.pattern, rng), other, rng)
            wide = min(mask.shape[1] * rng.uniform(0.6, 1) * high / mask.shape[0], (right - left) * 0.95)
            stamp(lettering.art, mask, ((left + right - wide) / 2, y, wide, high), small_ink)
        y += high + gap


@dataclass(frozen=True)
class _LineItem:
    """A glyph of a line, or a gap.

    Attributes:
        character: of the glyph; "·" or " " of a gap.
        mask: of the glyph; None for a gap.
        foot: how far the mask reaches below the base line, its pixels.
        before: gap at the left, as a fraction of a capital's height, before the style's `squeeze`.
        width: likewise, of the glyph itself.
        after: likewise, of the gap at the right.
        scale: of the mask, 1 where its capitals are as high as the line.
    """

    character: str
    mask: np.ndarray | None
    foot: float
    before: float
    width: float
    after: float
    scale: float = 1.0


def _draw_registration(lettering: _Lettering, pattern: str, room: Box, rng: Generator) -> None:
    """Draw a line of the registration into the box `room`, narrower where it would not fit."""
    style = lettering.style
    items = [item for part in _LINE_ITEMS.findall(pattern) for item in _line_items(lettering, part, rng)]
    if rng.random() < 0.06:
        items.insert(0 if rng.random() < 0.7 else len(items), _fitting_gap(rng))
    left, top, right, bottom = room
    cap = bottom - top
    natural = sum(item.before + item.width + item.after for item in items) * cap
    fit = (right - left) * rng.uniform(0.88, 0.98) / natural
    squeeze = min(style.squeeze, fit)
    if fit > squeeze and rng.random() < 0.55:  # as wide as the room
        squeeze = min(fit, 1.5 * squeeze, 1.4)
    if squeeze < 0.5:  # smaller instead of narrower still
        smaller = max(squeeze / 0.5, 0.62)
        top, bottom, cap = top + cap * (1 - smaller) / 2, bottom - cap * (1 - smaller) / 2, cap * smaller
        squeeze /= smaller
    wide = natural * squeeze * cap / (room[3] - room[1])
    x = left + (right - left - wide) * (0.5 if rng.random() < 0.8 else rng.uniform(0.05, 0.95))
    for item in items:
        x += item.before * cap * squeeze
        width = item.width * cap * squeeze
        if item.mask is not None:
            box = _place_glyph(lettering, item, (x, bottom, cap / CAP_PX * squeeze, cap / CAP_PX), rng)
            if item.character in LETTERS_AND_DIGITS:
                lettering.boxes.append(box)
                lettering.text.append(item.character)
        elif item.character == "·":
            draw_fitting = _draw_stickers_between if rng.random() < 0.5 else _draw_emblem
            draw_fitting(lettering.art, (x, top, x + width, bottom), rng)
        x += width + item.after * cap * squeeze


def _line_items(lettering: _Lettering, part: str, rng: Generator) -> list[_LineItem]:
    if not part.startswith("["):
        return [_line_item(lettering, part, rng)]
    rows = [[_line_item(lettering, one, rng) for one in row] for row in part[1:-1].split("|")]
    wide = [_STACKED * sum(item.before + item.width + item.after for item in row) for row in rows]
    back = _LineItem(" ", None, 0, 0, -wide[0], 0)
    rest = _LineItem(" ", None, 0, 0, max(wide) - wide[1], 0.15)
    above, below = (
        [_stacked_item(item, raised) for item in row] for row, raised in zip(rows, (True, False), strict=True)
    )
    return [*above, back, *below, rest]


def _stacked_item(item: _LineItem, raised: bool) -> _LineItem:
    """The item in the size that it has in a stack of two, in the upper or in the lower row."""
    return replace(
        item,
        foot=item.foot - (CAP_PX * (1 / _STACKED - 1) if raised else 0),
        before=item.before * _STACKED,
        width=item.width * _STACKED,
        after=item.after * _STACKED,
        scale=_STACKED,
    )


def _line_item(lettering: _Lettering, part: str, rng: Generator) -> _LineItem:
    style = lettering.style
    if part == " ":
        return _LineItem(part, None, 0, 0, style.space, 0)
    if part == "·" and rng.random() < 0.7:
        return _fitting_gap(rng)
    if part in LETTERS_AND_DIGITS or part in "-.·|":
        found = style.face.glyph(part)
        mask = found.mask
        before, after = (bearing / CAP_PX + style.tracking / 2 for bearing in found.bearings)
        if style.cell is not None and part in LETTERS_AND_DIGITS:
            width = min(mask.shape[1], round(style.cell * CAP_PX))
            mask = cv2.resize(mask, (width, mask.shape[0]), interpolation=cv2.INTER_AREA)
            before = after = (style.cell - width / CAP_PX) / 2 + 0.04 + style.tracking / 2
        width = mask.shape[1] / CAP_PX
        return _LineItem(part, _restroked(mask, style), found.foot, max(before, 0.03), width, max(after, 0.03))
    mask = text_line(fill_in_words(part, rng), pick(rng, FACES, FACE_SHARES), rng)
    high = CAP_PX * (1 if len(part) == 1 else 0.6)
    mask = cv2.resize(mask, (max(1, round(mask.shape[1] * high / mask.shape[0])), round(high)))
    return _LineItem(part, mask, (high - CAP_PX) / 2, 0.06, mask.shape[1] / CAP_PX, 0.06)


def _fitting_gap(rng: Generator) -> _LineItem:
    """A gap for a sticker, a bolt or an emblem."""
    return _LineItem("·", None, 0, 0.06, rng.uniform(0.3, 0.7), 0.06)


def _restroked(mask: np.ndarray, style: _LetterStyle) -> np.ndarray:
    """A glyph's mask with the style's stroke weight and corners; it grows with its strokes, and never shrinks."""
    thick, thin = ([max(sign * side, 0) for side in style.weight] for sign in (1, -1))
    if any(thick):
        mask = cv2.dilate(np.pad(mask, [(thick[1],) * 2, (thick[0],) * 2]), _ellipse(thick))
    if any(thin):
        mask = cv2.erode(mask, _ellipse(thin), borderValue=255)
    if style.rounding:
        soft = cv2.GaussianBlur(mask, (0, 0), style.rounding, borderType=cv2.BORDER_CONSTANT).astype(np.float32)
        mask = np.clip(3 * soft - 255, 0, 255).astype(np.uint8)
    return mask


def _ellipse(reach: Sequence[int]) -> np.ndarray:
    """A kernel with these radii across and down, pixels."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[0] + 1, 2 * reach[1] + 1))


def _place_glyph(
    lettering: _Lettering, item: _LineItem, place: tuple[float, float, float, float], rng: Generator
) -> Box:
    """Add an item's mask to that of the lettering.

    Args:
        place: x of its left edge and y of its base line, pixels of the plate; and the size of a pixel of the mask in
            pixels of the plate, across and down, where the item's scale is 1.

    Returns:
        The box of its ink, pixels.
    """
    assert item.mask is not None
    style, canvas = lettering.style, lettering.mask
    x, base, across, down = place[0], place[1], place[2] * item.scale, place[3] * item.scale
    height, width = item.mask.shape
    growth = 1 + rng.normal(0, style.size_jitter)
    shift = rng.normal(0, style.size_jitter) * CAP_PX * down
    angle = np.radians(rng.normal(0, style.rotation_deg / 2))
    # From pixels of the mask, relative to the middle of its lower edge, to pixels of the plate.
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([across, down])
    linear = linear @ np.array([[1, -style.slant], [0, 1]]) * growth
    foot = np.array([width / 2, height])
    target = np.array([x + width * across / 2, base + item.foot * down + shift])
    offset = target - linear @ foot
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ linear.T + offset
    first = np.maximum(np.floor(corners.min(axis=0)) - 1, 0).astype(int)
    last = np.minimum(np.ceil(corners.max(axis=0)) + 2, canvas.shape[::-1]).astype(int)
    size = np.maximum(last - first, 1)
    matrix = np.column_stack([linear, offset - first])
    # OpenCV has the centres of pixels at whole numbers.
    matrix[:, 2] += linear @ [0.5, 0.5] - 0.5
    inked = cv2.warpAffine(item.mask, matrix, size.tolist(), flags=cv2.INTER_LINEAR)
    part = canvas[first[1] : last[1], first[0] : last[0]]
    np.maximum(part, inked[: part.shape[0], : part.shape[1]], out=part)
    left, top, wide, high = cv2.boundingRect((inked > _INK).view(np.uint8))
    left, top = left + first[0], top + first[1]
    return float(left), float(top), float(left + wide), float(top + high)


def _draw_stickers_between(art: Image.Image, box: Box, rng: Generator) -> None:
    """One or two round stickers, or a bolt, between two groups."""
    left, top, right, bottom = box
    pen, x, width = ImageDraw.Draw(art), (left + right) / 2, right - left
    count = int(rng.choice([1, 2]))
    radius = min(width / 2, (bottom - top) * rng.uniform(0.12, 0.22))
    for index in range(count):
        y = top + (bottom - top) * ((index + 0.5) / count if count == 2 else rng.uniform(0.4, 0.6))
        circle = x - radius, y - radius, x + radius, y + radius
        pen.ellipse(circle, fill=similar_colour(rng, pick(rng, _SEALS)), outline=similar_colour(rng, (120, 122, 126)))
        inner = x - radius * 0.5, y - radius * 0.5, x + radius * 0.5, y + radius * 0.5
        pen.ellipse(inner, fill=similar_colour(rng, pick(rng, _SEALS)))


def _draw_emblem(art: Image.Image, box: Box, rng: Generator) -> None:
    """A coat of arms, or a figure as on plates of the Americas: a coloured shape with a smaller one inside."""
    left, top, right, bottom = box
    middle = np.array([(left + right) / 2, (top + bottom) / 2 + rng.normal(0, 0.04) * (bottom - top)])
    reach = np.array([(right - left) / 2, (bottom - top) * rng.uniform(0.25, 0.6)])
    if rng.random() < 0.4:
        outline = _SHIELD
    else:
        angles = np.linspace(0, 2 * np.pi, int(rng.integers(4, 16)), endpoint=False) + rng.uniform(0, np.pi)
        outline = np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(0.4, 1, (len(angles), 1))
    pen, colours = ImageDraw.Draw(art), (*FLAG_COLOURS, *_SEALS)
    for size in (1.0, rng.uniform(0.3, 0.8)):
        corners = middle + outline * reach * size
        edge = similar_colour(rng, pick(rng, colours)) if rng.random() < 0.4 else None
        pen.polygon([(x, y) for x, y in corners.tolist()], fill=similar_colour(rng, pick(rng, colours)), outline=edge)


# ------------------------------------------------------------------------------------------------------------- printing


def _print_letters(lettering: _Lettering, rng: Generator) -> np.ndarray:
    """The plate with its registration pressed, printed or painted on it: uint8 (h, w, 3)."""
    pixels = np.asarray(lettering.art).astype(np.float32)
    mask = lettering.mask
    height = mask.shape[0]
    reach = float(np.median([bottom - top for _, top, _, bottom in lettering.boxes]))
    if rng.random() < 0.12:  # partially worn
        wear = smooth_noise(rng, height, WIDTH, 24, max(4, round(24 * height / WIDTH))) - rng.uniform(0.2, 1.2)
        mask = (mask * (1 - np.clip(wear, 0, 0.85))).astype(np.uint8)
    method = rng.random()
    if method < 0.5:  # pressed: lit from one side
        offset = max(1, round(reach * rng.uniform(0.015, 0.04)))
        side = int(rng.choice([-1, 1]))
        _blend(pixels, _shifted(mask, -offset * side, -offset), (252, 252, 252), rng.uniform(0.15, 0.6))
        _blend(pixels, _shifted(mask, offset * side, offset), (20, 20, 22), rng.uniform(0.1, 0.45))
    elif lettering.style.painted and method < 0.65:  # with a shadow
        offset = max(1, round(reach * rng.uniform(0.03, 0.08)))
        _blend(
            pixels,
            _shifted(mask, offset, offset),
            similar_colour(rng, pick(rng, palette("b41c22 787878 1c3c96 e8a020"))),
            0.9,
        )
    elif lettering.style.painted and method < 0.75:  # with an outline
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        _blend(
            pixels, cv2.dilate(mask, kernel), similar_colour(rng, pick(rng, palette("b41c22 f4f4f4 1c3c96 f6c828"))), 1
        )
    strength = 1.0 if rng.random() < 0.7 else rng.uniform(0.55, 1)
    if rng.random() < 0.02:  # the letters' edges alone, as where the paint has gone from pressed ones
        mask = cv2.subtract(cv2.dilate(mask, np.ones((3, 3), np.uint8)), cv2.erode(mask, np.ones((3, 3), np.uint8)))
    _blend(pixels, mask, lettering.ink, strength)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _shifted(mask: np.ndarray, x: int, y: int) -> np.ndarray:
    return cv2.warpAffine(mask, np.array([[1, 0, x], [0, 1, y]], float), mask.shape[::-1], flags=cv2.INTER_NEAREST)


def _blend(pixels: np.ndarray, mask: np.ndarray, colour: Colour, strength: float) -> None:
    pixels += (mask * np.float32(strength / 255))[..., None] * (np.array(colour, np.float32) - pixels)
