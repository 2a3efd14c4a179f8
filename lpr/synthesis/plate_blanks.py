"""What plates of any country have besides their lettering: sheet, border, scenery, fittings, wear and holders."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from lpr.synthesis.glyphs import FACE_SHARES, FACES, text_line
from lpr.synthesis.painting import Colour, palette, phrases, pick, smooth_noise
from lpr.synthesis.plate_bands import BANDS, FLAG_COLOURS, Band, Box, stamp
from lpr.synthesis.plate_layouts import WORDS, Layout

_SCENERY = palette("f2b48c f6d890 a8d4f0 8cc0e8 f0c4d4 c8e6b4 e6e0c8 7ca8d8 f08c64 b4d890 d8c8f0 78a070 486c9c e89030")
_DEALERS = phrases(
    "AUTOHAUS KELLER|www.motorland.example|CITY CARS|SUNSET MOTORS|AUTO GARAGE 24|Lakeside Wheels|4x4 CLUB"
)


@dataclass(frozen=True)
class Patch:
    """An image with transparency, to be pasted onto another.

    Attributes:
        pixels: RGBA, uint8 (h, w, 4); the colours are continued where it is transparent.
        box: of the plate without its holder, or of all where there is no plate: left, top, right, bottom, pixels.
        see_through: what is behind it shows between the letters.
    """

    pixels: np.ndarray
    box: Box
    see_through: bool = False


def choose_size_and_colours(layout: Layout, width: int, rng: Generator) -> tuple[int, Colour, Colour]:
    """A height for a plate of that width, pixels, and colours for its paper and ink."""
    height = round(width / rng.uniform(*layout.aspect))
    paper, ink = (
        similar_colour(rng, colour) for colour in palette(pick(rng, layout.colours.split()).replace("/", " "))
    )
    return height, paper, ink


def draw_blank(
    layout: Layout, size: tuple[int, int], paper: Colour, ink: Colour, lines: int, rng: Generator
) -> tuple[Image.Image, Box]:
    """A plate without lettering, and the box for its lines.

    Args:
        size: width and height, pixels.
        lines: number of lines that will be lettered.
    """
    art = Image.new("RGB", size, paper)
    if rng.random() < layout.p_scenery:
        draw_scenery(art, paper, rng)
    box = draw_border(art, ink, layout.p_border, size[1] / lines, rng)
    band = pick(rng, layout.bands)
    if band:
        kind, words = band.split(":")
        box = BANDS[kind](Band(art, box, fill_in_words(words, rng), ink, rng))
    return art, box


def finish_plate(pixels: np.ndarray, paper: Colour, rng: Generator) -> Patch:
    """A lettered plate, uint8 (h, w, 3), with wear, round corners, and in 3 of 10 cases a holder."""
    pixels = add_wear(pixels, paper, rng)
    height, width = pixels.shape[:2]
    return add_holder(pixels, rng) if rng.random() < 0.3 else Patch(pixels, (0, 0, width, height))


def similar_colour(rng: Generator, colour: Colour) -> Colour:
    """A colour similar to this one, at random."""
    red, green, blue = np.clip(np.array(colour) + rng.normal(0, 5) + rng.normal(0, 4, 3), 0, 255).astype(int).tolist()
    return red, green, blue


def fill_in_words(pattern: str, rng: Generator) -> str:
    """The pattern with one of `WORDS`, at random, for each {name}."""
    return pattern.format(**{name: pick(rng, words) for name, words in WORDS.items() if name in pattern})


def draw_border(art: Image.Image, ink: Colour, likely: float, unit: float, rng: Generator) -> Box:
    """With probability `likely`, draw a line around the plate; returns the box inside, pixels."""
    width, height = art.size
    margin = rng.uniform(0.03, 0.08) * min(unit, height * 0.6)
    if rng.random() < likely:
        inset, thick = rng.uniform(0, 0.04) * unit, max(1, round(rng.uniform(0.015, 0.045) * unit))
        box = inset, inset, width - 1 - inset, height - 1 - inset
        ImageDraw.Draw(art).rounded_rectangle(box, rng.uniform(0, 0.14) * unit, outline=ink, width=thick)
        margin += inset + thick
    return margin, margin, width - margin, height - margin


# ------------------------------------------------------------------------------------------------- scenery and fittings


def draw_scenery(art: Image.Image, paper: Colour, rng: Generator) -> None:
    """Draw what is behind the letters: a gradient, hills, a disc, clouds; pale enough for legible letters."""
    width, height = art.size
    dark = sum(paper) < 330
    stops = np.array(
        [paper, similar_colour(rng, pick(rng, _SCENERY)), paper, similar_colour(rng, pick(rng, _SCENERY))], float
    )
    order = rng.permutation(4)[: int(rng.integers(2, 5))]
    along = np.linspace(0, len(order) - 1, height)
    column = np.stack([np.interp(along, range(len(order)), stops[order][:, channel]) for channel in range(3)], axis=1)
    pixels = np.repeat(column[:, None], width, axis=1)
    if rng.random() < 0.5:
        cloud = np.clip(smooth_noise(rng, height, width, 9, 5), 0, 1)[..., None] * rng.uniform(0.3, 0.8)
        pixels += cloud * (np.array(pick(rng, _SCENERY)) - pixels)
    for _ in range(int(rng.integers(0, 3))):
        hills = height * (rng.uniform(0.35, 0.9) + smooth_noise(rng, 1, width, 7, 1)[0] * rng.uniform(0.03, 0.12))
        below = np.arange(height)[:, None] > hills
        pixels[below] += 0.7 * (np.array(pick(rng, _SCENERY)) - pixels[below])
    scene = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.4:
        pen, radius = ImageDraw.Draw(scene), rng.uniform(0.12, 0.42) * height
        x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=pick(rng, _SCENERY))
    strength = rng.uniform(0.35, 0.8) * (0.5 if dark else 1)
    art.paste(Image.blend(art, scene.filter(ImageFilter.GaussianBlur(1)), strength))


def draw_bolts(art: Image.Image, rng: Generator) -> None:
    """With probability 0.45, draw bolts in one to four places."""
    width, height = art.size
    pen = ImageDraw.Draw(art)
    if rng.random() < 0.45:
        radius = rng.uniform(0.012, 0.022) * width
        grey = int(rng.integers(40, 220))
        columns = pick(rng, ((0.15, 0.85), (0.25, 0.75), (0.5,), (0.07, 0.93)))
        for x in columns:
            for y in pick(rng, ((0.5,), (0.1,), (0.1, 0.9), (0.88,))):
                cx, cy = x * width, y * height
                pen.ellipse(
                    (cx - radius, cy - radius, cx + radius, cy + radius), fill=(grey, grey, grey), outline=(50, 50, 50)
                )


def draw_stickers(art: Image.Image, rng: Generator) -> None:
    """With probability 0.25, draw one or two stickers."""
    width, height = art.size
    pen = ImageDraw.Draw(art)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.75, 0.17, 0.08]))):
        size = rng.uniform(0.04, 0.08) * width
        x, y = pick(rng, (0.03, 0.86, 0.45)) * width, pick(rng, (0.04, 0.7)) * height
        shape = pen.ellipse if rng.random() < 0.4 else pen.rectangle
        shape((x, y, x + size * rng.uniform(1, 1.5), y + size), fill=pick(rng, (*FLAG_COLOURS, *_SCENERY)))


# ----------------------------------------------------------------------------------------------------- wear and holders


def add_wear(art: np.ndarray, paper: Colour, rng: Generator) -> np.ndarray:
    """Add sheen, fading, dirt, scratches and round corners: uint8 (h, w, 4), RGBA."""
    height, width = art.shape[:2]
    pixels = art.astype(np.float32)
    if rng.random() < 0.18:
        pixels += (np.array(paper, np.float32) - pixels) * np.float32(rng.uniform(0.1, 0.45))
    pixels *= (1 + smooth_noise(rng, height, width, 3, 2) * rng.uniform(0.01, 0.08))[..., None]
    if rng.random() < 0.35:
        dirt = smooth_noise(rng, height, width, 6, 4) + 0.8 * smooth_noise(rng, height, width, 60, 24)
        dirt = np.clip(0.3 * (dirt - rng.uniform(-0.5, 1.2)), 0, 1) * rng.uniform(0.3, 0.8)
        earth = np.array(pick(rng, ((104, 88, 68), (70, 66, 62), (140, 120, 96))), np.float32)
        pixels += dirt[..., None] * (earth - pixels)
    if rng.random() < 0.12:  # a reflection
        at = np.linspace(0, 1, width) * rng.uniform(-1, 1) + np.linspace(0, 1, height)[:, None] - rng.uniform(0, 1)
        pixels += (rng.uniform(30, 110) * np.exp(-((at / rng.uniform(0.08, 0.4)) ** 2)))[..., None]
    if rng.random() < 0.2:
        grey = float(rng.uniform(60, 220))
        for _ in range(int(rng.integers(2, 9))):
            start = rng.uniform(0, 1, 2) * (width, height)
            end = start + rng.normal(0, 0.08 * width, 2)
            cv2.line(pixels, start.astype(int).tolist(), end.astype(int).tolist(), (grey, grey, grey), 1, cv2.LINE_AA)
    corners = Image.new("L", (width, height), 0)
    radius = rng.uniform(0, 0.09) * min(height, width * 0.4)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, width - 1, height - 1), radius, fill=255)
    return np.dstack([np.clip(pixels, 0, 255).astype(np.uint8), np.asarray(corners)])


def add_holder(plate: np.ndarray, rng: Generator) -> Patch:
    """The plate, RGBA, in a frame with a dealer's name or without; the frame is outside the plate's box."""
    height, width = plate.shape[:2]
    thin = round(rng.uniform(0.01, 0.035) * width)
    sides = np.full(4, thin)
    lettered = rng.random() < 0.45
    if lettered:
        sides[1 if rng.random() < 0.25 else 3] = round(rng.uniform(0.05, 0.1) * width)
    left, top, right, bottom = sides.tolist()
    colour = similar_colour(rng, pick(rng, palette("121214 121214 18181a 2a2a2c c0c4c8 9a9ea4 1c2c6c e8e8e8")))
    frame = Image.new("RGB", (width + left + right, height + top + bottom), colour)
    pen = ImageDraw.Draw(frame)
    pen.line((0, 0, frame.width, 0), fill=similar_colour(rng, (150, 150, 152)))
    if lettered:
        mask = text_line(pick(rng, _DEALERS), pick(rng, FACES, FACE_SHARES), rng)
        room, y = (bottom, frame.height - bottom) if bottom > thin else (top, 0)
        high = room * 0.6
        wide = min(high * mask.shape[1] / mask.shape[0], width * 0.8)
        light = sum(colour) < 390
        place = (frame.width - wide) / 2, y + room * 0.2, wide, high
        stamp(frame, mask, place, (232, 232, 230) if light else (20, 20, 22))
    face = Image.fromarray(plate)
    frame.paste(face, (left, top), face)
    corners = Image.new("L", frame.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, frame.width - 1, frame.height - 1), thin, fill=255)
    frame.putalpha(corners)
    return Patch(np.asarray(frame), (left, top, left + width, top + height))
