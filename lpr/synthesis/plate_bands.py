"""Strips, cells and corners of synthetic plates: a nation's letters, stars, flags, a region's number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from lpr.synthesis.glyphs import text_line
from lpr.synthesis.painting import Colour, choose_colour, palette, pick

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; pixels."""

FLAG_COLOURS = palette("c8202c f2c81e 1c7a3c f2f2f2 1c3c96 161618")
_BLUES = palette("1c3c96 14309c 2a4ca6 10246c")
_PALE = palette("f2b48c f6d890 a8d4f0 8cc0e8 f0c4d4 c8e6b4 7ca8d8 b4d890")
_FACE = "DejaVuSans-Bold.ttf"
_WHITE: Colour = (244, 244, 240)


@dataclass(frozen=True)
class Band:
    """What a band is drawn with.

    Attributes:
        art: the plate; changed in place.
        box: the free part of it.
        words: a pattern of `lpr.synthesis.glyphs.text_line`.
        ink: colour of the plate's letters.
        rng: source of all random numbers.
    """

    art: Image.Image
    box: Box
    words: str
    ink: Colour
    rng: Generator


def stamp(
    art: Image.Image, mask: np.ndarray, place: tuple[float, float, float, float], ink: Colour, relief: bool = False
) -> None:
    """Print a mask at (x, y, width, height), pixels; in relief, with light from the upper left."""
    x, y, width, height = place
    size = max(1, round(width)), max(1, round(height))
    shape = Image.fromarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    left, top = round(x), round(y)
    if relief:
        offset = max(1, round(height * 0.02))
        art.paste((252, 252, 252), (left - offset, top - offset), shape.point(lambda value: value // 2))
        art.paste((20, 20, 22), (left + offset, top + offset), shape.point(lambda value: value // 3))
    art.paste(ink, (left, top), shape)


def _stars(band: Band, low: float = 1.0) -> Box:
    """Blue at the left, with a ring of stars, or a flag, over the nation's letters; down to `low` of the height."""
    left, top, right, bottom = band.box
    width = min((bottom - top) * band.rng.uniform(0.32, 0.46), (right - left) * 0.13)
    end = top + (bottom - top) * low
    pen, edge = ImageDraw.Draw(band.art), band.rng.uniform(0, 1) * left
    pen.rectangle((edge, min(edge, top), left + width, end), fill=choose_colour(band.rng, _BLUES))
    x, y, radius = (edge + left + width) / 2, top + (end - top) * 0.3, width * 0.3
    if band.rng.random() < 0.75:
        star = pick(band.rng, palette("f4d424 f2f2f2"))
        for angle in np.arange(12) * np.pi / 6:
            dot = x + radius * np.cos(angle), y + radius * np.sin(angle)
            pen.ellipse((dot[0] - 1, dot[1] - 1, dot[0] + 1, dot[1] + 1), fill=star)
    else:
        _draw_flag(band, (x - radius, y - radius * 0.7, x + radius, y + radius * 0.7))
    mask = text_line(band.words, _FACE, band.rng)
    wide = min(width * 0.8, width * 0.4 * mask.shape[1] / mask.shape[0])
    high = wide * mask.shape[0] / mask.shape[1]
    stamp(band.art, mask, (x - wide / 2, end - (end - top) * 0.12 - high, wide, high), _WHITE)
    return left + width * 1.08, top, right, bottom


def _both_ends(band: Band) -> Box:
    """As in Italy and France: blue at the right, too."""
    left, top, right, bottom = _stars(band)
    width = left - band.box[0]
    blue = choose_colour(band.rng, _BLUES)
    ImageDraw.Draw(band.art).rectangle((right - width * 0.9, top / 2, band.art.width, bottom + top / 2), fill=blue)
    return left, top, right - width, bottom


def _corner(band: Band) -> Box:
    """Blue only beside the upper line."""
    left, top, right, bottom = _stars(band, low=0.48)
    return (left + band.box[0]) / 2, top, right, bottom


def _flag(band: Band) -> Box:
    """A flag over letters at the left, straight on the plate."""
    left, top, right, bottom = band.box
    height, width = bottom - top, min((bottom - top) * 0.4, (right - left) * 0.14)
    _draw_flag(band, (left + 2, top + height * 0.25, left + width * 0.9, top + height * 0.45))
    mask = text_line(band.words, _FACE, band.rng)
    ink = pick(band.rng, (band.ink, *_BLUES))
    stamp(band.art, mask, (left + 2, top + height * 0.55, width * 0.85, height * 0.16), ink)
    return left + width, top, right, bottom


def _emblem(band: Band) -> Box:
    """Letters under a wheel or a hologram, in blue on the plate or in white on blue."""
    left, top, right, bottom = band.box
    height, width = bottom - top, min((bottom - top) * 0.32, (right - left) * 0.12)
    pen, blue = ImageDraw.Draw(band.art), pick(band.rng, _BLUES)
    strip = band.rng.random() < 0.4
    if strip:
        pen.rectangle((left, top, left + width, bottom), fill=blue)
    x, radius, y = left + width / 2, width * 0.28, top + height * 0.3
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(190, 196, 214) if strip else blue, width=2)
    place = left + width * 0.1, top + height * 0.62, width * 0.8, min(height * 0.2, width * 0.4)
    stamp(band.art, text_line(band.words, _FACE, band.rng), place, _WHITE if strip else blue)
    return left + width * 1.08, top, right, bottom


def _top(band: Band, colours: tuple[Colour, ...] = _BLUES) -> Box:
    """A strip over the lines, with words in the middle and a flag at its ends, as in the Mercosur."""
    left, top, right, bottom = band.box
    height, edge = (bottom - top) * band.rng.uniform(0.17, 0.27), top * band.rng.uniform(0, 1)
    paper = choose_colour(band.rng, colours)
    ImageDraw.Draw(band.art).rectangle((edge, edge, band.art.width - edge, top + height), fill=paper)
    mask = text_line(band.words, _FACE, band.rng)
    high = height * 0.62
    wide = min(high * mask.shape[1] / mask.shape[0], (right - left) * 0.5)
    stamp(band.art, mask, ((left + right - wide) / 2, top + (height - high) * 0.4, wide, high), _WHITE)
    flag = min(height * 0.9, (right - left) * 0.14)
    for x in (left + flag * 0.3, right - flag * 1.3):
        if band.rng.random() < 0.7:
            _draw_flag(band, (x, top + height * 0.15, x + flag, top + height * 0.8))
    return left, top + height, right, bottom


def _coloured_top(band: Band) -> Box:
    """As in Egypt, where the colour depends on the vehicle's use."""
    return _top(band, palette("b41c24 d8602c c89020 6c7078 1c7a3c 2c8cc8"))


def _above_and_below(band: Band) -> Box:
    """Colour above and below, as in Mexico."""
    left, top, right, bottom = band.box
    height = (bottom - top) * 0.13
    pen = ImageDraw.Draw(band.art)
    pen.rectangle((0, 0, band.art.width, top + height), fill=choose_colour(band.rng, _PALE))
    pen.rectangle((0, bottom - height / 2, band.art.width, band.art.height), fill=choose_colour(band.rng, _PALE))
    return left, top + height * 0.3, right, bottom


def _cell(band: Band, x: float, width: float, edge: float) -> None:
    """Between `x` and `x + width`, behind a line at `edge`: words one below the other; · is a flag."""
    _, top, _, bottom = band.box
    pen, height = ImageDraw.Draw(band.art), bottom - top
    if band.rng.random() < 0.3:
        fill = choose_colour(band.rng, (*FLAG_COLOURS[:4], (190, 192, 196)))
        pen.rectangle((x, top, x + width, bottom), fill=fill)
    above = 0 if band.rng.random() < 0.5 else top
    pen.line((edge, above, edge, band.art.height - above), fill=band.ink, width=max(1, round(height * 0.025)))
    parts = band.words.split()
    step = height / len(parts)
    for index, part in enumerate(parts):
        y = top + step * (index + 0.5)
        if part == "·":
            radius = width * 0.28
            _draw_flag(band, (x + width / 2 - radius, y - radius * 0.7, x + width / 2 + radius, y + radius * 0.7))
            continue
        mask = text_line(part, _FACE, band.rng)
        wide = min(width * 0.8, step * 0.7 * mask.shape[1] / mask.shape[0])
        high = min(step * 0.7, wide * mask.shape[0] / mask.shape[1] * 1.4)
        stamp(band.art, mask, (x + (width - wide) / 2, y - high / 2, wide, high), band.ink)


def _right_cell(band: Band) -> Box:
    left, top, right, bottom = band.box
    width = min((bottom - top) * band.rng.uniform(0.4, 0.95), (right - left) * 0.24)
    _cell(band, right - width, width, right - width)
    return left, top, right - width, bottom


def _left_cell(band: Band) -> Box:
    left, top, right, bottom = band.box
    width = min((bottom - top) * band.rng.uniform(0.4, 0.95), (right - left) * 0.24)
    _cell(band, left, width, left + width)
    return left + width, top, right, bottom


def _grid(band: Band) -> Box:
    """Cells for letters and digits above and below, as in Saudi Arabia."""
    left, top, right, bottom = _right_cell(band)
    pen, line = ImageDraw.Draw(band.art), max(1, round(band.art.height * 0.02))
    x, y = left + (right - left) * band.rng.uniform(0.45, 0.6), (top + bottom) / 2
    pen.line((left, y, right, y), fill=band.ink, width=line)
    pen.line((x, top, x, bottom), fill=band.ink, width=line)
    return left, top, right, bottom


def _draw_flag(band: Band, box: Box) -> None:
    """Two or three stripes, or a disc."""
    left, top, right, bottom = box
    pen, rng = ImageDraw.Draw(band.art), band.rng
    stripes = int(rng.integers(1, 4))
    upright = rng.random() < 0.4
    for index in range(stripes):
        first, last = index / stripes, (index + 1) / stripes
        if upright:
            stripe = left + (right - left) * first, top, left + (right - left) * last, bottom
        else:
            stripe = left, top + (bottom - top) * first, right, top + (bottom - top) * last
        pen.rectangle(stripe, fill=pick(rng, FLAG_COLOURS))
    if stripes == 1 or rng.random() < 0.3:
        x, y, radius = (left + right) / 2, (top + bottom) / 2, (bottom - top) * 0.3
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=pick(rng, FLAG_COLOURS))


BANDS: dict[str, Callable[[Band], Box]] = {
    "eu": _stars,
    "both ends": _both_ends,
    "corner": _corner,
    "flag": _flag,
    "emblem": _emblem,
    "top": _top,
    "coloured top": _coloured_top,
    "above and below": _above_and_below,
    "right cell": _right_cell,
    "left cell": _left_cell,
    "grid": _grid,
}
"""Name → function that draws the band and returns the box that is left for the lines."""
