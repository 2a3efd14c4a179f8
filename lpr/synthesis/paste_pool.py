"""Synthetic plates of many countries, seen straight on, for `lpr.augment.pasting` to paste onto images."""

from __future__ import annotations

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

_LAYOUTS = list(LAYOUTS.values())
_SHARES = [layout.share / sum(other.share for other in _LAYOUTS) for layout in _LAYOUTS]


def draw_paste_plates(count: int, seed: int) -> list[Patch]:
    """Plates 0 to count - 1 of a seed; each is a function of (seed, its number) alone."""
    chances = (np.random.default_rng([seed, index]) for index in range(count))
    return [draw_paste_plate(pick(rng, _LAYOUTS, _SHARES), rng) for rng in chances]


def draw_paste_plate(layout: Layout, rng: Generator) -> Patch:
    """A plate of that layout, with wear and sometimes a holder."""
    height, paper, ink = choose_size_and_colours(layout, WIDTH, rng)
    lines = [line.split(" ", 1) for line in pick(rng, layout.lines).split(" / ")]
    art, box = draw_blank(layout, (WIDTH, height), paper, ink, len(lines), rng)
    _draw_lines(art, box, [(int(share) / 100, fill_in_words(pattern, rng)) for share, pattern in lines], ink, rng)
    draw_bolts(art, rng)
    draw_stickers(art, rng)
    return finish_plate(np.asarray(art), paper, rng)


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
