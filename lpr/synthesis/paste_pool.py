"""Synthetic plates of many countries, seen straight on, for `lpr.augment.pasting` to paste onto images."""

from __future__ import annotations

import copy

import numpy as np
from numpy.random import Generator
from PIL import Image

from lpr.synthesis.glyphs import FACE_SHARES, FACES, text_line
from lpr.synthesis.painting import Colour, palette, pick
from lpr.synthesis.plate_bands import Box, stamp
from lpr.synthesis.plate_blanks import (
    Patch,
    choose_size_and_colours,
    draw_blank,
    draw_bolts,
    draw_stickers,
    fill_in_words,
    finish_plate,
    similar_colour,
)
from lpr.synthesis.plate_layouts import LAYOUTS, Layout

WIDTH = 256
"""Of a plate without its holder, pixels."""

_LETTERS_ALONE = 0.05
"""Share of plates that are letters on the body of a car."""

_LAYOUTS = list(LAYOUTS.values())
_SHARES = [layout.share / sum(other.share for other in _LAYOUTS) for layout in _LAYOUTS]


def draw_paste_plates(count: int, seed: int) -> list[Patch]:
    """Plates 0 to count - 1 of a seed; each is a function of (seed, its number) alone."""
    return [_draw_any(np.random.default_rng([seed, index])) for index in range(count)]


def _draw_any(rng: Generator) -> Patch:
    layout = pick(rng, _LAYOUTS, _SHARES)
    return draw_letters_alone(layout, rng) if rng.random() < _LETTERS_ALONE else draw_paste_plate(layout, rng)


def draw_paste_plate(layout: Layout, rng: Generator) -> Patch:
    """A plate of that layout, with wear and sometimes a holder."""
    height, paper, ink = choose_size_and_colours(layout, WIDTH, rng)
    lines = _choose_lines(layout, rng)
    art, box = draw_blank(layout, (WIDTH, height), paper, ink, len(lines), rng)
    _draw_lines(art, box, lines, ink, rng)
    draw_bolts(art, rng)
    draw_stickers(art, rng)
    return finish_plate(np.asarray(art), paper, rng)


def draw_letters_alone(layout: Layout, rng: Generator) -> Patch:
    """The letters of a plate of that layout, without a sheet; the box leaves a twentieth of their height around them.

    They are drawn over black and over white: where the two differ, what is behind shows through.
    """
    height, _, ink = choose_size_and_colours(layout, WIDTH, rng)
    lines = _choose_lines(layout, rng)
    black, white = (Image.new("RGB", (WIDTH, height), colour) for colour in ("black", "white"))
    _draw_lines(black, (0, 0, WIDTH, height), lines, ink, copy.deepcopy(rng))
    _draw_lines(white, (0, 0, WIDTH, height), lines, ink, rng)
    over_black, over_white = np.asarray(black, np.float32), np.asarray(white, np.float32)
    opacity = 1 - (over_white - over_black).mean(axis=2, keepdims=True) / 255
    colours = np.where(opacity > 0.02, over_black / np.maximum(opacity, 0.02), ink)
    pixels = np.clip(np.dstack([colours, 255 * opacity]), 0, 255).round().astype(np.uint8)
    x, y = (np.flatnonzero((opacity[..., 0] > 0.5).any(axis=axis)).tolist() for axis in (0, 1))
    margin = (y[-1] + 1 - y[0]) / 20
    box = max(x[0] - margin, 0), max(y[0] - margin, 0), min(x[-1] + 1 + margin, WIDTH), min(y[-1] + 1 + margin, height)
    return Patch(pixels, box, see_through=True)


def _choose_lines(layout: Layout, rng: Generator) -> list[tuple[float, str]]:
    """Lines from top to bottom: the share of the height of each, and its pattern."""
    lines = [line.split(" ", 1) for line in pick(rng, layout.lines).split(" / ")]
    return [(int(share) / 100, fill_in_words(pattern, rng)) for share, pattern in lines]


def _draw_lines(art: Image.Image, box: Box, lines: list[tuple[float, str]], ink: Colour, rng: Generator) -> None:
    """Draw the lines into the box: large ones in one face, small ones in another."""
    left, top, right, bottom = box
    height, width = bottom - top, right - left
    main, other = pick(rng, FACES, FACE_SHARES), pick(rng, FACES, FACE_SHARES)
    largest = max(share for share, _ in lines)
    size = rng.uniform(0.86, 1.08)
    size = min(size, 0.96 / sum(share for share, _ in lines))
    gap = height * (1 - size * sum(share for share, _ in lines)) / (len(lines) + 1)
    relief, squeeze = rng.random() < 0.6, rng.uniform(0.62, 1.0)
    small_ink = ink
    if sum(ink) < 250 and rng.random() < 0.2:  # on light paper
        small_ink = similar_colour(rng, pick(rng, palette("b41c22 1c3c96 141416 1c6a3a")))
    y = top + gap
    for share, pattern in lines:
        high = height * share * size
        small = share < 0.6 * largest
        mask = text_line(pattern, other if small else main, rng)
        wide = min(mask.shape[1] * squeeze * high / mask.shape[0], width * rng.uniform(0.9, 0.97))
        if not small and share > 0.4 and rng.random() < 0.5:  # as wide as the room
            wide = min(width * rng.uniform(0.86, 0.96), wide * 1.5)
        x = left + (width - wide) * (0.5 if rng.random() < 0.85 else rng.uniform(0.1, 0.9))
        stamp(art, mask, (x, y, wide, high), small_ink if small else ink, relief and not small)
        y += high + gap
