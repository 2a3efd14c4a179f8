"""Indian registration plates: valid numbers, and images of plates that carry them.

Numbers follow rule 50 and 51 of the Central Motor Vehicles Rules (state, district, series, number; Delhi's category
letter; the Bharat series); colours and sizes are those of the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from lpr.synthesis.painting import PLATE_FONTS, Colour, Size, lettering, smooth_noise

# Delhi (DL) is not among them: its numbers have a category letter.
_STATES = (
    "AN AP AR AS BR CG CH DD DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK"
    " UP WB"
)
# I and O are not used in the series, since they resemble 1 and 0.
SERIES_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"

# Width and height in millimetres.
LONG, SQUARE, SMALL = (500, 120), (340, 200), (200, 100)

# Name: background, ink, share of the vehicles.
SCHEMES: dict[str, tuple[Colour, Colour, float]] = {
    "private": ((236, 236, 232), (18, 18, 20), 0.66),
    "commercial": ((246, 196, 20), (18, 18, 20), 0.19),
    "electric": ((22, 128, 62), (244, 246, 240), 0.05),
    "temporary": ((186, 26, 32), (244, 240, 236), 0.05),
    "rental": ((24, 24, 26), (246, 200, 40), 0.05),
}


@dataclass(frozen=True)
class IndianPlate:
    """An Indian plate.

    Attributes:
        lines: top line first; each a tuple of the groups of letters and digits that stand together.
        scheme: a name in `SCHEMES`.
        size_mm: width and height, millimetres.
    """

    lines: tuple[tuple[str, ...], ...]
    scheme: str
    size_mm: Size

    @property
    def text(self) -> str:
        """The registration number: A–Z and 0–9 only, top line first."""
        return "".join(group for line in self.lines for group in line)


def choose_indian_registration(rng: Generator) -> tuple[str, ...]:
    """A valid registration number as its groups, such as ("MH", "12", "AB", "1234"); at most 11 characters."""
    kind = rng.random()
    number = f"{rng.integers(1, 10000):04d}"
    if kind < 0.06:
        return f"{rng.integers(21, 27)}", "BH", number, _letters(rng, int(rng.integers(1, 3)))
    if kind < 0.14:
        return "DL", f"{rng.integers(1, 14)}{rng.choice(list('CSPTYRE'))}", _letters(rng, 2), number
    state, district = str(rng.choice(_STATES.split())), f"{rng.integers(1, 100):02d}"
    if kind < 0.22:  # older ones: a short number, or no series at all
        number = str(rng.integers(1, 10 ** int(rng.integers(1, 5))))
        series = _letters(rng, int(rng.integers(0, 2)))
    else:
        series = _letters(rng, int(rng.choice([1, 2, 3], p=[0.24, 0.72, 0.04])))
    return tuple(group for group in (state, district, series, number) if group)


def choose_indian_plate(rng: Generator, size_mm: Size) -> IndianPlate:
    """A plate of the given size: one line on a long one, two on the others."""
    groups = choose_indian_registration(rng)
    lines = (groups,) if size_mm == LONG else (groups[:2], groups[2:])
    if len(lines) == 2 and len(groups) == 4 and groups[1] != "BH" and rng.random() < 0.5:
        lines = (groups[:3], groups[3:])
    names = list(SCHEMES)
    return IndianPlate(lines, str(rng.choice(names, p=[SCHEMES[name][2] for name in names])), size_mm)


def draw_indian_plate(plate: IndianPlate, width_px: int, rng: Generator) -> Image.Image:
    """A plate seen straight on: RGBA, `width_px` wide, in the proportions of its size; transparent at round corners."""
    scale = width_px / plate.size_mm[0]
    width, height = width_px, round(plate.size_mm[1] * scale)
    background, ink, _ = SCHEMES[plate.scheme]
    background = _jitter(rng, background, 7)
    ink = _jitter(rng, ink, 8)
    art = Image.new("RGB", (width, height), background)
    pen = ImageDraw.Draw(art)

    margin = rng.uniform(0.05, 0.09) * height
    border = rng.random()
    if border < 0.45:  # a line of the ink's colour
        inset = rng.uniform(0.01, 0.04) * height
        pen.rounded_rectangle(
            (inset, inset, width - 1 - inset, height - 1 - inset),
            0.08 * height,
            outline=ink,
            width=max(1, round(rng.uniform(0.015, 0.03) * height)),
        )
    elif border < 0.65:  # a black holder
        pen.rectangle((0, 0, width - 1, height - 1), outline=(20, 20, 22), width=max(1, round(0.05 * height)))
    left = margin
    if plate.scheme != "rental" and rng.random() < 0.45:
        left += _draw_country(pen, margin, height, plate, rng)
    _draw_lines(art, plate, (left, margin, width - margin, height - margin), ink, rng)
    if rng.random() < 0.5:
        radius = max(1.0, 0.028 * height * (2 if plate.size_mm == LONG else 1))
        for x in (0.17, 0.83) if rng.random() < 0.5 else (0.5,):
            for y in (0.08, 0.92) if rng.random() < 0.5 else (0.09,):
                centre_x, centre_y = x * width, y * height
                grey = int(rng.integers(70, 190))
                box = (centre_x - radius, centre_y - radius, centre_x + radius, centre_y + radius)
                pen.ellipse(box, fill=(grey, grey, grey), outline=(40, 40, 40))
    return _weathered(art, rng)


def _draw_country(pen: ImageDraw.ImageDraw, margin: float, height: int, plate: IndianPlate, rng: Generator) -> float:
    """The blue IND at the left: on a blue strip, or blue letters on the plate. Returns the width that it takes, px."""
    width = height * (0.3 if plate.size_mm == LONG else 0.16)
    blue, white = (28, 60, 150), (235, 238, 245)
    strip = rng.random() < 0.6
    if strip:
        pen.rectangle((margin * 0.6, margin * 0.6, margin + width * 0.9, height - margin * 0.6), fill=blue)
    letters = lettering("IND", PLATE_FONTS[0])
    letter_width = max(4, round(width * 0.68))
    letters = letters.resize((letter_width, max(3, round(letter_width * 0.45))), Image.Resampling.BOX)
    x = margin + width * 0.1
    pen.bitmap((round(x), round(height * 0.62)), letters, fill=white if strip else blue)
    radius = width * 0.22
    centre_x, centre_y = x + letter_width / 2, height * 0.36
    wheel = (centre_x - radius, centre_y - radius, centre_x + radius, centre_y + radius)
    pen.ellipse(wheel, outline=white if strip else blue, width=max(1, round(radius * 0.25)))
    return width


def _draw_lines(
    art: Image.Image, plate: IndianPlate, box: tuple[float, float, float, float], ink: Colour, rng: Generator
) -> None:
    """The plate's lettering, centred in `box` (left, top, right, bottom; px), squeezed where it would not fit."""
    left, top, right, bottom = box
    font = PLATE_FONTS[int(rng.choice(len(PLATE_FONTS), p=[0.34, 0.2, 0.14, 0.1, 0.22]))]
    stroke = int(rng.integers(2, 5)) if font in ("DejaVuSans.ttf", "cmss10.ttf", None) else int(rng.integers(0, 2))
    between = str(rng.choice(["", " ", "-", "."], p=[0.3, 0.52, 0.12, 0.06]))
    narrow = rng.uniform(0.62, 0.95)
    embossed = rng.random() < 0.5
    row = (bottom - top) / len(plate.lines)
    letter_height = row * rng.uniform(0.68, 0.82)
    for index, line in enumerate(plate.lines):
        mask = lettering(between.join(line), font, stroke)
        room = (right - left) * 0.95
        width = min(mask.width * narrow * letter_height / mask.height, room)
        mask = mask.resize((max(1, round(width)), max(1, round(letter_height))), Image.Resampling.BILINEAR)
        x = round(left + (right - left - width) / 2)
        y = round(top + row * index + (row - letter_height) / 2)
        if embossed:
            offset = max(1, round(letter_height * 0.03))
            art.paste((250, 250, 250), (x - offset, y - offset), mask.point(lambda value: value // 2))
            art.paste((30, 30, 30), (x + offset, y + offset), mask.point(lambda value: value // 3))
        art.paste(ink, (x, y), mask)


def _weathered(art: Image.Image, rng: Generator) -> Image.Image:
    """Sheen, dirt and round corners."""
    width, height = art.size
    sheen = 1 + smooth_noise(rng, height, width, 3, 2) * rng.uniform(0.01, 0.07)
    pixels = np.asarray(art) * sheen[..., None]
    if rng.random() < 0.4:
        dirt = np.clip(smooth_noise(rng, height, width, 14, 5) - rng.uniform(0.6, 1.4), 0, 1) * rng.uniform(0.2, 0.6)
        pixels += dirt[..., None] * ((104, 88, 68) - pixels)
    art = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    corners = Image.new("L", art.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, width - 1, height - 1), rng.uniform(0.0, 0.1) * height, fill=255)
    art.putalpha(corners)
    return art


def _letters(rng: Generator, count: int) -> str:
    return "".join(rng.choice(list(SERIES_LETTERS), count))


def _jitter(rng: Generator, colour: Colour, spread: int) -> Colour:
    red, green, blue = np.clip(np.array(colour) + rng.integers(-spread, spread + 1, 3), 0, 255).tolist()
    return red, green, blue
