"""Synthetic lettering that is no plate: shop signs, slogans, phone numbers, watermarks, model names.

Pasted without a box, they are hard negatives for a detector, which otherwise learns that any lettering is a plate.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from lpr.synthesis.glyphs import text_line
from lpr.synthesis.painting import (
    PAINTS,
    PAPERS,
    SIGN_FONTS,
    SLOGANS,
    Colour,
    choose_colour,
    choose_phone,
    gradient,
    phrases,
    pick,
    readable_on,
    shades,
)
from lpr.synthesis.paste_pool import WIDTH
from lpr.synthesis.plate_blanks import Patch

SHOPS = phrases(
    "NEW FASHION|Bäckerei|FARMACIA|Pizza & Kebab|SALE 50% OFF|Supermercado|TO LET|CAR WASH|TYRE WORKS|Coiffeur|ATM|"
    "NO PARKING|Tea Stall|Mobile Repair|Autohaus|Wir sind umgezogen|FRESH FISH DAILY|Open 24 hours|Ice cold drinks"
)
MODELS = phrases(
    "Corolla|SWIFT|i20|Civic|VENTO|Astra|TERRANO|Fiesta 1.6|TDI|V6 4x4|HYBRID|Turbo|QUATTRO|DIESEL|XUV|Avanza|Sport|"
    "automatic|16V|LIMITED|BLUE HDI|CRDi|GT-Line|SUPERB"
)
WATERMARKS = phrases(
    "© stock photo|www.autoblog.example|PREVIEW|carpictures|© 2016 Motors|dreamwheels|SAMPLE|indianauto|Exclusive"
)
_OTHER = ("漢漢漢漢", "あ漢ああ", "한한 한한", "বববব ববব", "กกกกกกก", "ЯЯЯЯЯ", "ععع عع ععع", "ΛΛΛΛΛΛ")


def draw_hard_negatives(count: int, seed: int) -> list[Patch]:
    """Hard negatives 0 to count - 1 of a seed; each is a function of (seed, its number) alone."""
    return [draw_hard_negative(np.random.default_rng([seed, index])) for index in range(count)]


def draw_hard_negative(rng: Generator) -> Patch:
    """A board with words on it, or bare letters such as a car's model name or a watermark."""
    return pick(rng, (_board, _bare), (0.55, 0.45))(rng)


def _board(rng: Generator) -> Patch:
    """One long line on a banner, or four to seven on a board or poster: with two or three it might be a plate."""
    banner = rng.random() < 0.3
    aspect = rng.uniform(6, 10) if banner else np.exp(rng.uniform(np.log(0.6), np.log(2.6)))
    width, height = WIDTH, round(WIDTH / aspect)
    paper = choose_colour(rng, (*PAINTS, *PAPERS))
    board = gradient(shades(paper, 1.0, rng.uniform(0.7, 1.0)), (width, height))
    rows, y = 1 if banner else int(rng.integers(4, 8)), 0.06 * height
    if not banner and rng.random() < 0.5:  # an image on the poster
        y = rng.uniform(0.25, 0.5) * height
        board.paste(choose_colour(rng, PAINTS), (0, 0, width, round(y)))
        for _ in range(4):
            x, radius = rng.uniform(0, width), rng.uniform(0.05, 0.25) * width
            ImageDraw.Draw(board).ellipse((x - radius, y * 0.2, x + radius, y), fill=choose_colour(rng, PAINTS))
    row = (0.94 * height - y) / rows
    for index in range(rows):
        words, high = _sentence(rng, 20 if banner else 10), row * rng.uniform(0.45, 0.85)
        _draw_words(board, words, (0.05 * width, y + row * index + (row - high) / 2, 0.9 * width, high), paper, rng)
    board.putalpha(255)
    return Patch(np.asarray(board), (0, 0, width, height))


def _bare(rng: Generator) -> Patch:
    """Letters alone: of chrome or paint, or a translucent watermark."""
    words = pick(rng, (*MODELS, *WATERMARKS))
    if rng.random() < 0.15:
        words = pick(rng, _OTHER)
    mask = text_line(words, pick(rng, (*SIGN_FONTS, "DejaVuSans-BoldOblique.ttf")), rng)
    height = max(6, round(WIDTH * mask.shape[0] / mask.shape[1] * rng.uniform(0.7, 1.2)))
    shape = Image.fromarray(mask).resize((WIDTH, height), Image.Resampling.BOX)
    ink = pick(rng, ((236, 238, 240), (200, 204, 208), (250, 250, 250), (24, 24, 26), (180, 28, 34)))
    art = gradient(shades(ink, 1.0, rng.uniform(0.6, 1.0)), (WIDTH, height))
    strength = rng.uniform(0.3, 1.0)
    art.putalpha(shape.point(lambda value: value * strength))
    return Patch(np.asarray(art), (0, 0, WIDTH, height))


def _sentence(rng: Generator, shortest: int) -> str:
    """A phone number, words of another script, or phrases; at least `shortest` characters, unlike a plate's text."""
    kind = rng.random()
    if kind < 0.15 and shortest < 20:
        return f"{pick(rng, ('Ph: ', 'CALL ', 'Tel. '))}{choose_phone(rng)}"
    if kind < 0.3 and shortest < 20:
        return f"{pick(rng, _OTHER)} {pick(rng, _OTHER)}"
    words = pick(rng, (*SHOPS, *SLOGANS))
    while len(words) < shortest:
        words += f" {pick(rng, (*SHOPS, *SLOGANS))}"
    return words if rng.random() < 0.7 else words.title()


def _draw_words(
    board: Image.Image, words: str, room: tuple[float, float, float, float], paper: Colour, rng: Generator
) -> None:
    """Draw words centred in `room` (x, y, width, height; pixels), narrower where they would not fit."""
    x, y, width, height = room
    mask = text_line(words, pick(rng, SIGN_FONTS), rng)
    wide = max(1, round(min(height * mask.shape[1] / mask.shape[0], width)))
    shape = Image.fromarray(mask).resize((wide, max(1, round(height))), Image.Resampling.BOX)
    board.paste(readable_on(paper), (round(x + (width - wide) / 2), round(y)), shape)
