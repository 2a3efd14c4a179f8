"""Plates that are drawn for a reader to learn from: what they say, and where each of its characters is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from lpr.synthesis.glyphs import FACE_SHARES, FACES, text_line
from lpr.synthesis.painting import palette, pick
from lpr.synthesis.plate_art import Colour, smooth_noise
from lpr.synthesis.plate_bands import FLAG_COLOURS, Box, stamp
from lpr.synthesis.plate_bank import choose_sheet, draw_blank, draw_bolts, draw_stickers, finished, near, worded
from lpr.synthesis.registrations import Line, choose_lines
from lpr.synthesis.typefaces import CAP_PX, LETTERS_AND_DIGITS, PAINTED_FACES, PLATE_FACES, Typeface, glyph

WIDTH = 320
"""Of a plate, pixels."""

_PIECES = re.compile(r"\{\w+\}|\[\w+\|\w+\]|.")
_STACKED = 0.44  # of a line's height: the letters of two that stand one over the other
_INK = 110  # of 255, from which a pixel counts as ink
_SEALS = palette("d8dce4 1c50a0 c83c28 e0a020 2c8c50 9aa0a8")
_SHIELD = np.array([[-1, -1], [1, -1], [1, 0.2], [0.55, 0.75], [0, 1], [-0.55, 0.75], [-1, 0.2]])


@dataclass(frozen=True)
class LetteredPlate:
    """A plate, seen straight on.

    Attributes:
        pixels: RGBA, uint8 (h, w, 4); transparent at round corners; with its holder, if any.
        box: where the plate itself is in it: left, top, right, bottom, pixels.
        text: its registration, A–Z and 0–9 in reading order: the top line first.
        characters: float32 (n, 4): around the ink of each of the n characters: left, top, right, bottom, pixels.
    """

    pixels: np.ndarray
    box: Box
    text: str
    characters: np.ndarray

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the plate itself, pixels."""
        left, top, right, bottom = self.box
        return right - left, bottom - top


def draw_plates(count: int, seed: int) -> list[LetteredPlate]:
    """Plates 0 to count - 1 of a seed; each depends on (seed, its number) alone.

    Raises:
        UserError: the typefaces are not installed.
    """
    return [_draw_plate(np.random.default_rng([seed, index])) for index in range(count)]


def _draw_plate(rng: Generator) -> LetteredPlate:
    layout, lines = choose_lines(rng)
    height, paper, ink = choose_sheet(layout, WIDTH, rng)
    art, box = draw_blank(layout, (WIDTH, height), paper, ink, len(lines), rng)
    draw_stickers(art, rng)
    lettering = _Lettering(art, ink, _choose_hand(rng), np.zeros((height, WIDTH), np.uint8))
    _draw_lines(lettering, box, lines, rng)
    inked = Image.fromarray(_inked(lettering, rng))
    draw_bolts(inked, rng)
    plate = finished(np.asarray(inked), paper, rng)
    left, top = plate.box[:2]
    characters = np.array(lettering.boxes, np.float32) + np.array([left, top, left, top], np.float32)
    return LetteredPlate(plate.pixels, plate.box, "".join(lettering.text), characters)


# ------------------------------------------------------------------------------------------------------------- a hand


@dataclass(frozen=True)
class _Hand:
    """How one plate is lettered; lengths are shares of the height of a capital letter.

    Attributes:
        face: of all its characters.
        squeeze: their width against the typeface's.
        tracking: room between two of them, beside what the typeface leaves.
        cell: of characters that stand in cells of one width, into which wide ones are squeezed; None: each is as wide
            as it is.
        space: between two groups.
        weight: added to a stroke on each of its sides, across and down, pixels of a glyph's mask; negative to thin it.
        rounding: of corners and ends, pixels of a glyph's mask.
        slant: sideways, for a height of 1.
        turn: spread of the characters' rotation, degrees.
        unrest: spread of their sizes and of the base line.
        painted: by hand rather than by a machine.
    """

    face: Typeface
    squeeze: float
    tracking: float
    cell: float | None
    space: float
    weight: tuple[int, int]
    rounding: float
    slant: float
    turn: float
    unrest: float
    painted: bool


def _choose_hand(rng: Generator) -> _Hand:
    painted = rng.random() < 0.12
    faces = PAINTED_FACES if rng.random() < (0.6 if painted else 0.1) else PLATE_FACES
    weight = int(rng.choice([-1, 0, 1, 2], p=[0.15, 0.5, 0.2, 0.15]))
    contrast = (int(rng.choice([-1, 1, 2])) if rng.random() < 0.2 else 0 for _ in range(2))
    return _Hand(
        face=pick(rng, faces),
        squeeze=rng.uniform(0.55, 1.15),
        tracking=rng.uniform(-0.02, 0.12) if rng.random() < 0.75 else rng.uniform(0.12, 0.3),
        cell=rng.uniform(0.5, 0.8) if rng.random() < 0.45 else None,
        space=rng.uniform(0.15, 0.6) if rng.random() < 0.7 else rng.uniform(0.6, 1.5),
        weight=(weight + next(contrast), weight + next(contrast)),
        rounding=rng.uniform(1, 3) if rng.random() < 0.3 else 0.0,
        slant=rng.normal(0, 0.1) if painted else (rng.uniform(0.1, 0.25) if rng.random() < 0.03 else 0.0),
        turn=rng.uniform(0, 4) if painted else rng.choice([0, 0.6]),
        unrest=rng.uniform(0.01, 0.05) if painted else rng.choice([0, 0.006]),
        painted=painted,
    )


@dataclass(frozen=True)
class _Lettering:
    """What is being lettered.

    Attributes:
        art: the plate so far; other lettering is drawn onto it.
        ink: of its letters.
        hand: how it is lettered.
        mask: uint8 (h, w): the registration, which is inked when all of it is there.
        boxes: around its characters, pixels.
        text: those characters.
    """

    art: Image.Image
    ink: Colour
    hand: _Hand
    mask: np.ndarray
    boxes: list[Box] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


# --------------------------------------------------------------------------------------------------------------- lines


def _draw_lines(lettering: _Lettering, box: Box, lines: list[Line], rng: Generator) -> None:
    """The lines in the box, from top to bottom."""
    left, top, right, bottom = box
    height = bottom - top
    taken = sum(line.share for line in lines)
    size = min(rng.uniform(0.8, 1.1), 0.96 / taken)
    gap = height * (1 - size * taken) / (len(lines) + 1)
    other, small_ink = pick(rng, FACES, FACE_SHARES), lettering.ink
    if sum(small_ink) < 250 and rng.random() < 0.2:  # on light paper
        small_ink = near(rng, pick(rng, palette("b41c22 1c3c96 141416 1c6a3a")))
    y = top + gap
    for line in lines:
        high = height * line.share * size
        if line.registration:
            _letter(lettering, line.pattern, (left, y, right, y + high), rng)
        else:
            mask = text_line(worded(line.pattern, rng), other, rng)
            wide = min(mask.shape[1] * rng.uniform(0.6, 1) * high / mask.shape[0], (right - left) * 0.95)
            stamp(lettering.art, mask, ((left + right - wide) / 2, y, wide, high), small_ink)
        y += high + gap


@dataclass(frozen=True)
class _Piece:
    """Of a line: ink, or a gap.

    Attributes:
        foot: of the mask under the base line, its pixels.
        before, width, after: shares of a capital's height, unsqueezed.
        scale: of the mask, 1 where its capitals are as high as the line.
    """

    character: str
    mask: np.ndarray | None
    foot: float
    before: float
    width: float
    after: float
    scale: float = 1.0


def _letter(lettering: _Lettering, pattern: str, room: Box, rng: Generator) -> None:
    """A line of the registration in its room, squeezed where it would not fit."""
    hand = lettering.hand
    pieces = [piece for part in _PIECES.findall(pattern) for piece in _pieces(lettering, part, rng)]
    if rng.random() < 0.06:
        pieces.insert(0 if rng.random() < 0.7 else len(pieces), _fitting(rng))
    left, top, right, bottom = room
    cap = bottom - top
    natural = sum(piece.before + piece.width + piece.after for piece in pieces) * cap
    fit = (right - left) * rng.uniform(0.88, 0.98) / natural
    squeeze = min(hand.squeeze, fit)
    if fit > squeeze and rng.random() < 0.55:  # as wide as there is room
        squeeze = min(fit, 1.5 * squeeze, 1.4)
    if squeeze < 0.5:  # rather smaller than so narrow
        smaller = max(squeeze / 0.5, 0.62)
        top, bottom, cap = top + cap * (1 - smaller) / 2, bottom - cap * (1 - smaller) / 2, cap * smaller
        squeeze /= smaller
    wide = natural * squeeze * cap / (room[3] - room[1])
    x = left + (right - left - wide) * (0.5 if rng.random() < 0.8 else rng.uniform(0.05, 0.95))
    for piece in pieces:
        x += piece.before * cap * squeeze
        width = piece.width * cap * squeeze
        if piece.mask is not None:
            box = _place(lettering, piece, (x, bottom, cap / CAP_PX * squeeze, cap / CAP_PX), rng)
            if piece.character in LETTERS_AND_DIGITS:
                lettering.boxes.append(box)
                lettering.text.append(piece.character)
        elif piece.character == "·":
            draw_fitting = _draw_seals if rng.random() < 0.5 else _draw_emblem
            draw_fitting(lettering.art, (x, top, x + width, bottom), rng)
        x += width + piece.after * cap * squeeze


def _pieces(lettering: _Lettering, part: str, rng: Generator) -> list[_Piece]:
    if not part.startswith("["):
        return [_piece(lettering, part, rng)]
    rows = [[_piece(lettering, one, rng) for one in row] for row in part[1:-1].split("|")]
    wide = [_STACKED * sum(piece.before + piece.width + piece.after for piece in row) for row in rows]
    back = _Piece(" ", None, 0, 0, -wide[0], 0)
    rest = _Piece(" ", None, 0, 0, max(wide) - wide[1], 0.15)
    above, below = ([_shrunk(piece, raised) for piece in row] for row, raised in zip(rows, (True, False), strict=True))
    return [*above, back, *below, rest]


def _shrunk(piece: _Piece, raised: bool) -> _Piece:
    """As small as it stands in a stack, at its foot or at its head."""
    return replace(
        piece,
        foot=piece.foot - (CAP_PX * (1 / _STACKED - 1) if raised else 0),
        before=piece.before * _STACKED,
        width=piece.width * _STACKED,
        after=piece.after * _STACKED,
        scale=_STACKED,
    )


def _piece(lettering: _Lettering, part: str, rng: Generator) -> _Piece:
    hand = lettering.hand
    if part == " ":
        return _Piece(part, None, 0, 0, hand.space, 0)
    if part == "·" and rng.random() < 0.7:
        return _fitting(rng)
    if part in LETTERS_AND_DIGITS or part in "-.·|":
        found = glyph(hand.face, part)
        mask = found.mask
        before, after = (bearing / CAP_PX + hand.tracking / 2 for bearing in found.bearings)
        if hand.cell is not None and part in LETTERS_AND_DIGITS:
            width = min(mask.shape[1], round(hand.cell * CAP_PX))
            mask = cv2.resize(mask, (width, mask.shape[0]), interpolation=cv2.INTER_AREA)
            before = after = (hand.cell - width / CAP_PX) / 2 + 0.04 + hand.tracking / 2
        width = mask.shape[1] / CAP_PX
        return _Piece(part, _shaped(mask, hand), found.foot, max(before, 0.03), width, max(after, 0.03))
    mask = text_line(worded(part, rng), pick(rng, FACES, FACE_SHARES), rng)
    high = CAP_PX * (1 if len(part) == 1 else 0.6)
    mask = cv2.resize(mask, (max(1, round(mask.shape[1] * high / mask.shape[0])), round(high)))
    return _Piece(part, mask, (high - CAP_PX) / 2, 0.06, mask.shape[1] / CAP_PX, 0.06)


def _fitting(rng: Generator) -> _Piece:
    """Room for a sticker, a bolt or an emblem."""
    return _Piece("·", None, 0, 0.06, rng.uniform(0.3, 0.7), 0.06)


def _shaped(mask: np.ndarray, hand: _Hand) -> np.ndarray:
    """A glyph with the hand's strokes and corners; the mask keeps its size, or grows as the strokes do."""
    thick, thin = ([max(sign * side, 0) for side in hand.weight] for sign in (1, -1))
    if any(thick):
        mask = cv2.dilate(np.pad(mask, [(thick[1],) * 2, (thick[0],) * 2]), _ellipse(thick))
    if any(thin):
        mask = cv2.erode(mask, _ellipse(thin), borderValue=255)
    if hand.rounding:
        soft = cv2.GaussianBlur(mask, (0, 0), hand.rounding, borderType=cv2.BORDER_CONSTANT).astype(np.float32)
        mask = np.clip(3 * soft - 255, 0, 255).astype(np.uint8)
    return mask


def _ellipse(reach: Sequence[int]) -> np.ndarray:
    """A kernel that reaches so many pixels across and down."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[0] + 1, 2 * reach[1] + 1))


def _place(lettering: _Lettering, piece: _Piece, place: tuple[float, float, float, float], rng: Generator) -> Box:
    """Add a piece's mask to the art's.

    Args:
        place: left of its ink and its base line, pixels of the art; and how many of those one pixel of a mask is,
            across and down, where the piece's scale is 1.

    Returns:
        What box its ink takes, pixels.
    """
    assert piece.mask is not None
    hand, canvas = lettering.hand, lettering.mask
    x, base, across, down = place[0], place[1], place[2] * piece.scale, place[3] * piece.scale
    height, width = piece.mask.shape
    growth = 1 + rng.normal(0, hand.unrest)
    shift = rng.normal(0, hand.unrest) * CAP_PX * down
    angle = np.radians(rng.normal(0, hand.turn / 2))
    # From the mask's pixels about the middle of its foot, to the art's.
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([across, down])
    linear = linear @ np.array([[1, -hand.slant], [0, 1]]) * growth
    foot = np.array([width / 2, height])
    target = np.array([x + width * across / 2, base + piece.foot * down + shift])
    offset = target - linear @ foot
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ linear.T + offset
    first = np.maximum(np.floor(corners.min(axis=0)) - 1, 0).astype(int)
    last = np.minimum(np.ceil(corners.max(axis=0)) + 2, canvas.shape[::-1]).astype(int)
    size = np.maximum(last - first, 1)
    matrix = np.column_stack([linear, offset - first])
    # OpenCV's pixels have their middles at whole numbers.
    matrix[:, 2] += linear @ [0.5, 0.5] - 0.5
    inked = cv2.warpAffine(piece.mask, matrix, size.tolist(), flags=cv2.INTER_LINEAR)
    part = canvas[first[1] : last[1], first[0] : last[0]]
    np.maximum(part, inked[: part.shape[0], : part.shape[1]], out=part)
    left, top, wide, high = cv2.boundingRect((inked > _INK).view(np.uint8))
    left, top = left + first[0], top + first[1]
    return float(left), float(top), float(left + wide), float(top + high)


def _draw_seals(art: Image.Image, box: Box, rng: Generator) -> None:
    """One or two stickers, or a bolt, between two groups."""
    left, top, right, bottom = box
    pen, x, width = ImageDraw.Draw(art), (left + right) / 2, right - left
    count = int(rng.choice([1, 2]))
    radius = min(width / 2, (bottom - top) * rng.uniform(0.12, 0.22))
    for index in range(count):
        y = top + (bottom - top) * ((index + 0.5) / count if count == 2 else rng.uniform(0.4, 0.6))
        circle = x - radius, y - radius, x + radius, y + radius
        pen.ellipse(circle, fill=near(rng, pick(rng, _SEALS)), outline=near(rng, (120, 122, 126)))
        inner = x - radius * 0.5, y - radius * 0.5, x + radius * 0.5, y + radius * 0.5
        pen.ellipse(inner, fill=near(rng, pick(rng, _SEALS)))


def _draw_emblem(art: Image.Image, box: Box, rng: Generator) -> None:
    """A coat of arms, or a figure as on plates of the Americas: a coloured outline, with another in it."""
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
        edge = near(rng, pick(rng, colours)) if rng.random() < 0.4 else None
        pen.polygon([(x, y) for x, y in corners.tolist()], fill=near(rng, pick(rng, colours)), outline=edge)


# ------------------------------------------------------------------------------------------------------------- inking


def _inked(lettering: _Lettering, rng: Generator) -> np.ndarray:
    """The art with its letters: pressed, printed or painted; uint8 (h, w, 3)."""
    pixels = np.asarray(lettering.art).astype(np.float32)
    mask = lettering.mask
    height = mask.shape[0]
    reach = float(np.median([bottom - top for _, top, _, bottom in lettering.boxes]))
    if rng.random() < 0.12:  # partially worn
        wear = smooth_noise(rng, height, WIDTH, 24, max(4, round(24 * height / WIDTH))) - rng.uniform(0.2, 1.2)
        mask = (mask * (1 - np.clip(wear, 0, 0.85))).astype(np.uint8)
    style = rng.random()
    if style < 0.5:  # pressed: lit from one side
        offset = max(1, round(reach * rng.uniform(0.015, 0.04)))
        side = int(rng.choice([-1, 1]))
        _blend(pixels, _shifted(mask, -offset * side, -offset), (252, 252, 252), rng.uniform(0.15, 0.6))
        _blend(pixels, _shifted(mask, offset * side, offset), (20, 20, 22), rng.uniform(0.1, 0.45))
    elif lettering.hand.painted and style < 0.65:  # with a shadow
        offset = max(1, round(reach * rng.uniform(0.03, 0.08)))
        _blend(
            pixels, _shifted(mask, offset, offset), near(rng, pick(rng, palette("b41c22 787878 1c3c96 e8a020"))), 0.9
        )
    elif lettering.hand.painted and style < 0.75:  # with an outline
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        _blend(pixels, cv2.dilate(mask, kernel), near(rng, pick(rng, palette("b41c22 f4f4f4 1c3c96 f6c828"))), 1)
    strength = 1.0 if rng.random() < 0.7 else rng.uniform(0.55, 1)
    if rng.random() < 0.02:  # the letters' edges alone, as where the paint has gone from pressed ones
        mask = cv2.subtract(cv2.dilate(mask, np.ones((3, 3), np.uint8)), cv2.erode(mask, np.ones((3, 3), np.uint8)))
    _blend(pixels, mask, lettering.ink, strength)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _shifted(mask: np.ndarray, x: int, y: int) -> np.ndarray:
    return cv2.warpAffine(mask, np.array([[1, 0, x], [0, 1, y]], float), mask.shape[::-1], flags=cv2.INTER_NEAREST)


def _blend(pixels: np.ndarray, mask: np.ndarray, colour: Colour, strength: float) -> None:
    pixels += (mask * np.float32(strength / 255))[..., None] * (np.array(colour, np.float32) - pixels)
