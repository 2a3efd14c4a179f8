"""A bank of drawn plates of many countries, seen straight on: what `lpr.data.pasting` pastes onto photographs.

They are to look like plates, and be as unlike each other as plates are; nothing here follows any law to the letter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from lpr.data.glyphs import FACE_SHARES, FACES, text_line
from lpr.data.painting import palette, phrases, pick
from lpr.data.plate_art import Colour, smooth_noise

WIDTH = 256
Box = tuple[float, float, float, float]
Line = tuple[float, str]  # its share of the height, and a pattern of `text_line`, or {name} of a list of words


@dataclass(frozen=True)
class Art:
    """Something to be pasted.

    Attributes:
        pixels: RGBA, uint8 (h, w, 4).
        box: where the plate itself is in it, without its holder: left, top, right, bottom, pixels.
    """

    pixels: np.ndarray
    box: Box


@dataclass(frozen=True)
class Layout:
    """What the plates of one kind have in common.

    Attributes:
        share: how many of the plates are of this kind, against the others.
        aspect: width over height, from and to.
        colours: paper/ink pairs, RRGGBB.
        lines: alternatives, each the lines from top to bottom.
        bands: alternatives of `_BANDS`, each with its words; "" for none.
        scene: probability of a picture or a gradient behind the letters.
        border: probability of a line around.
    """

    share: float
    aspect: tuple[float, float]
    colours: str
    lines: tuple[tuple[Line, ...], ...]
    bands: tuple[str, ...] = ("",)
    scene: float = 0.0
    border: float = 0.4


WORDS = {
    "state": phrases(
        "ARDENNIA|NORTH WALDEN|CASCADA|NEW KENT|VERONA|OKALINA|MONTARA|TEJAS|SUNLAND|GREAT LAKES|Arcadia|Columbia|"
        "Westmark|Lone Pine|Virelia|Old Dominion|MAINLAND|PACIFICA"
    ),
    "slogan": phrases(
        "THE SUNNY STATE|Land of Lakes|LIVE FREE|Gateway to the West|The Orchard State|GARDEN STATE|FIRST IN FLIGHT|"
        "Wild & Wonderful|10,000 RIVERS|www.cascada.gov|Explore!|THE EDUCATION STATE|ON THE MOVE|PEACE AND PLENTY"
    ),
    "month": phrases("JAN|APR 24|09·27|SEP 2023|12-19|2 25|07·26"),
    "place": phrases("SP-SAO PEDRO|RJ-ITABORA|MG-OURO|BA-SALINAS|RS-CAXIAS|PR-ARAPO"),
    "nation": phrases("BRASIL|ARGENTINA|URUGUAY|PARAGUAY|REPUBLICA|BOLIVIA|CHILE|PERU|KENYA|GHANA"),
    "emirate": phrases("DUBAI|OMAN|QATAR|KUWAIT|A.D|SHJ|BAHRAIN|U.A.E|IRAQ"),
    "eu": tuple("D F I E B A P S H L".split() + "NL PL CZ SK RO BG GB IRL DK FIN GR EST LT LV UA N CH SRB TR".split()),
}

_WHITE = "f2f2ee/141418"
_EU = "eu:{eu}"
LAYOUTS: dict[str, Layout] = {
    "eu": Layout(
        10,
        (4.2, 5.4),
        f"{_WHITE} {_WHITE} f4c81e/16161a eef0f0/12203c",
        (
            ((0.78, "AA 000 AA"),),
            ((0.78, "A AA 0000"),),
            ((0.78, "AA·AA 000"),),
            ((0.8, "0000 AAA"),),
            ((0.76, "AAA-000"),),
        ),
        (_EU, _EU, "eu2:{eu}", ""),
    ),
    "eu two lines": Layout(
        5,
        (1.15, 1.75),
        f"{_WHITE} {_WHITE} f4c81e/16161a",
        (((0.4, "AA 00"), (0.4, "AAA")), ((0.4, "AAA"), (0.4, "0000")), ((0.38, "AA·A"), (0.42, "0000"))),
        ("corner:{eu}", "", _EU),
    ),
    "uk": Layout(
        5,
        (4.3, 4.9),
        f"{_WHITE} f6c414/121214 f6c414/121214 161618/d6d6d2",
        (((0.72, "AA00 AAA"),), ((0.72, "A000 AAA"),), ((0.66, "AA00 AAA"), (0.1, "{slogan}"))),
        ("", "", "eu:GB", "uk:UK"),
    ),
    "india long": Layout(
        6,
        (4.0, 4.9),
        "ececea/121214 ececea/121214 f4c414/121214 16803e/f2f4ee ba1a20/f4f0ec 18181a/f6c828",
        (((0.7, "AA 00 AA 0000"),), ((0.7, "AA-00-A-0000"),), ((0.66, "AA00AA0000"),)),
        ("", "uk:IND", "ind:IND", "ind:IND"),
    ),
    "india square": Layout(
        6,
        (1.5, 2.1),
        "ececea/121214 ececea/121214 f4c414/121214 16803e/f2f4ee 18181a/f6c828",
        (((0.38, "AA 00"), (0.4, "AA 0000")), ((0.38, "AA 00 A"), (0.44, "0000")), ((0.36, "AA-00-AA"), (0.4, "000"))),
        ("", "", "ind:IND"),
    ),
    "us": Layout(
        9,
        (1.9, 2.1),
        "f0f0f0/1c2c6e f4f4ee/141418 e8eef6/8c1c22 f2ecd8/1e5a34 fafafa/24305e 1c2c5e/f0e6b4 f6d45a/1a1a1a",
        (
            ((0.15, "{state}"), (0.5, "AAA 0000"), (0.11, "{slogan}")),
            ((0.18, "{state}"), (0.52, "0AAA000")),
            ((0.16, "{state}"), (0.54, "AAA·000"), (0.1, "{slogan}")),
            ((0.1, "{month}"), (0.56, "AA 00000"), (0.14, "{state}")),
        ),
        scene=0.6,
        border=0.3,
    ),
    "mexico": Layout(
        2,
        (1.9, 2.2),
        "f2f2f2/141416 f2f2f0/7a1420",
        (((0.14, "{state}"), (0.5, "AAA-00-00"), (0.1, "DELANTERA")), ((0.16, "{state}"), (0.52, "AA-00-000"))),
        ("top:·", "", "both:·"),
        scene=0.3,
    ),
    "brazil grey": Layout(
        4,
        (2.6, 3.2),
        "a6a8aa/141416 b4b6b6/121214 9c1c20/eeeeee f0f0f0/8c1a1e",
        (((0.13, "{place}"), (0.6, "AAA 0000")), ((0.13, "{place}"), (0.6, "AAA·0000"))),
        border=0.6,
    ),
    "brazil square": Layout(
        1.5,
        (1.1, 1.3),
        "a6a8aa/141416 9c1c20/eeeeee",
        (((0.1, "{place}"), (0.36, "AAA"), (0.36, "0000")),),
    ),
    "mercosur": Layout(
        4,
        (2.9, 3.3),
        f"{_WHITE} {_WHITE} f2f2f2/a01c22 f2f2f2/1c3c8c",
        (((0.8, "AAA0A00"),), ((0.8, "AA 000 AA"),), ((0.8, "AAA 0000"),)),
        ("top:{nation}",),
        border=0.6,
    ),
    "mercosur square": Layout(
        1.5, (1.05, 1.3), f"{_WHITE} f2f2f2/1c3c8c", (((0.42, "AAA"), (0.42, "0A00")),), ("top:{nation}",)
    ),
    "indonesia": Layout(
        5,
        (2.6, 3.4),
        "16171a/e8e8e6 141416/eeeeea f0f0ee/141416 c01c24/f2f2f2 f2c41c/141416",
        (((0.58, "A 0000 AAA"), (0.22, "00·00")), ((0.6, "AA 0000 AA"), (0.2, "00-00")), ((0.6, "A 000 A"),)),
        border=0.7,
    ),
    "bangladesh": Layout(
        5,
        (1.7, 2.4),
        f"{_WHITE} eaeeea/101214 1c7a48/f0f4ee",
        (((0.34, "বববব বববব-ব"), (0.44, "00-0000")), ((0.36, "ববব ববব ব"), (0.46, "বব-বববব"))),
    ),
    "devanagari": Layout(1, (2.0, 4.4), "b41c22/f2f0ee ececea/141418", (((0.62, "বব ০০ বব".replace("০", "ব")),),)),
    "nepal": Layout(1, (1.5, 2.2), "b41c22/f2f0ee 18181a/f2f0ee", (((0.4, "বব ব ব"), (0.42, "বববব")),)),
    "gulf long": Layout(
        4,
        (3.8, 5.2),
        f"{_WHITE} eceeee/101216 e6c832/141416",
        (
            ((0.7, "A  {emirate}  00000"),),
            ((0.7, "00000"),),
            ((0.66, "٠٠٠٠ ععع"),),
            ((0.6, "ع  00000"),),
            ((0.42, "٠٠٠٠ ع ع"), (0.4, "0000 A A")),
        ),
        ("", "right:·", "right:ك س م", "left:{emirate}"),
        border=0.7,
    ),
    "gulf short": Layout(
        4,
        (1.6, 2.3),
        f"{_WHITE} e4c22c/141416 eceeee/101216",
        (
            ((0.24, "{emirate}"), (0.52, "0 00000")),
            ((0.4, "٠٠٠٠  ععع"), (0.4, "0000  AAA")),
            ((0.5, "٠٠٠٠٠"), (0.26, "0000")),
        ),
        ("", "right:·", "top:قطر", "grid:·"),
        border=0.8,
    ),
    "egypt": Layout(
        2,
        (1.8, 2.4),
        _WHITE,
        (((0.6, "٠٠٠  عع"),), ((0.6, "٠٠٠٠  ع"),)),
        ("top:EGYPT مصر", "topred:مصر EGYPT"),
        border=0.8,
    ),
    "iran": Layout(
        2, (4.2, 5.0), f"{_WHITE} f2c41c/141416", (((0.7, "۰۰ ع ۰۰۰ | ۰۰"),),), ("ind:IR", "eu:IR"), border=0.8
    ),
    "thai": Layout(
        4,
        (2.1, 2.5),
        f"{_WHITE} f2f2ee/1c6e3a f2f2ee/1c3a8c e8c61e/141416",
        (((0.52, "0กก 0000"), (0.24, "กกกกกกก")), ((0.54, "ກກ 000"), (0.2, "ກກກກກກກ"))),
        scene=0.2,
        border=0.7,
    ),
    "thai motorbike": Layout(
        1.5,
        (0.95, 1.3),
        _WHITE,
        (((0.3, "0กก"), (0.16, "กกกกกก"), (0.34, "000")), ((0.28, "ກກກ"), (0.18, "ກກກກກ"), (0.34, "00"))),
        border=0.7,
    ),
    "china": Layout(
        5,
        (2.9, 3.4),
        "1a3c9c/f2f4f6 1a46a4/f4f4f4 7ac88c/141416 e6c31c/141416 141416/f0f0f0 f0f0f0/141416",
        (((0.68, "漢A·00000"),), ((0.68, "漢A 0A0A0"),), ((0.68, "漢A0000漢"),)),
        scene=0.1,
        border=0.7,
    ),
    "china two lines": Layout(
        1.5, (1.5, 2.1), "e6c31c/141416 1a3c9c/f2f4f6", (((0.3, "漢·A"), (0.5, "00000")),), border=0.7
    ),
    "japan": Layout(
        5,
        (1.9, 2.1),
        "f2f2ee/1c5a34 f2f2ee/1c5a34 f2d21e/16161a 1c5a38/f2f2f0 16161a/f2d21e",
        (((0.26, "漢漢 000"), (0.5, "あ 00-00")), ((0.26, "漢漢漢 00"), (0.5, "あ ·0-00"))),
        scene=0.1,
        border=0.3,
    ),
    "korea": Layout(
        4,
        (4.2, 5.0),
        f"{_WHITE} eef2f2/121216 f2c81e/141416 bed8ee/141416",
        (((0.72, "00한 0000"),), ((0.72, "000한 0000"),), ((0.7, "한한00한0000"),)),
        ("", "ind:KOR"),
    ),
    "korea two lines": Layout(
        2,
        (1.9, 2.1),
        f"1c5c3c/f0f2ee {_WHITE} f2c81e/16161a",
        (((0.3, "한한 00"), (0.48, "한 0000")), ((0.3, "00 한"), (0.5, "0000"))),
    ),
    "australia": Layout(
        4,
        (2.6, 3.0),
        "f2c81e/141416 f2f2f0/1c2c7c f2f2f0/7c1c28 141416/f0f0ee f2f2f0/141416 1c2c5c/f2f2f0",
        (
            ((0.62, "AAA·000"), (0.14, "{state} - {slogan}")),
            ((0.62, "000·AAA"), (0.14, "{state}")),
            ((0.7, "AAA 00A"),),
        ),
        border=0.6,
    ),
    "asia plain": Layout(
        5,
        (3.4, 4.8),
        "161618/ececec 161618/ececec 141416/f2f2f2 f2f2f0/141416 f4c81e/141416",
        (((0.66, "AAA 0000"),), ((0.66, "AA 0000 A"),), ((0.66, "A 00 00"),), ((0.62, "00-00 A"),)),
        border=0.25,
    ),
    "asia plain two lines": Layout(
        5,
        (1.2, 2.0),
        "161618/ececec 141416/f2f2f2 f2f2f0/141416 f4c81e/141416 b41c22/f2f2f2 1c3c9c/f2f2f0",
        (
            ((0.38, "AAA"), (0.42, "0000")),
            ((0.38, "00-A0"), (0.42, "000·00")),
            ((0.4, "A 000"), (0.4, "AA")),
            ((0.28, "AA"), (0.3, "00"), (0.28, "000")),
        ),
        border=0.5,
    ),
    "philippines": Layout(
        2,
        (2.4, 3.0),
        f"{_WHITE} f2f2f0/1c6434",
        (((0.66, "AAA 0000"), (0.14, "{state}")), ((0.14, "{slogan}"), (0.62, "AAA 000"))),
        scene=0.5,
    ),
    "russia": Layout(
        3,
        (4.3, 4.9),
        f"{_WHITE} f4c81e/16161a 1c3c9c/f2f2f2",
        (((0.7, "Я 000 ЯЯ"),), ((0.7, "A 000 AA"),), ((0.7, "ЯЯ 0000"),), ((0.7, "ა 000 აა"),)),
        ("right:00 RUS", "right:000", "", "uk:UA"),
        border=0.8,
    ),
    "greece": Layout(1, (4.3, 4.9), _WHITE, (((0.74, "ΛΛΛ-0000"),),), ("eu:GR",)),
    "israel": Layout(
        2,
        (3.6, 4.9),
        "f6ca1a/16161a f6ca1a/16161a 1c1c20/f2f2f2",
        (((0.7, "00-000-00"),), ((0.7, "000-00-000"),), ((0.7, "א-00000"),)),
        ("ind:IL", ""),
    ),
    "africa": Layout(
        3,
        (2.8, 4.6),
        f"{_WHITE} f4c81e/141416 f2f2f0/1c3c8c f2f2f0/1c6a3a f0f0f0/8c1c22",
        (
            ((0.16, "{nation}"), (0.58, "AAA-000AA")),
            ((0.68, "AA 00 AA AA"),),
            ((0.64, "AAA 000 A"),),
            ((0.6, "AA 0000-00"), (0.16, "{state}")),
        ),
        ("", "", "ind:{eu}"),
        scene=0.3,
    ),
    "old": Layout(
        2,
        (3.6, 5.5),
        "131315/c8c8c4 181a1c/b8b8b4 1c2c4c/d8d8d0 7c1c20/e0dcd0 224432/dcdccc",
        (((0.7, "AAA 000"),), ((0.7, "00·AA·00"),), ((0.7, "A-00000"),)),
    ),
    "motorbike": Layout(
        3,
        (0.9, 1.35),
        f"{_WHITE} f4c81e/141416 161618/ececec f2f2f0/b41c22 f2f2f0/1c3c9c",
        (
            ((0.3, "AA"), (0.5, "0000")),
            ((0.26, "AAA"), (0.26, "000"), (0.26, "AA")),
            ((0.16, "{state}"), (0.4, "000A"), (0.2, "00")),
            ((0.4, "A00"), (0.4, "AAA")),
        ),
        ("", "", "corner:{eu}", "top:{state}"),
    ),
    "paper": Layout(
        1.5,
        (1.4, 2.2),
        "fafaf6/101010 f6f4ea/101020",
        (((0.1, "TEMPORARY {state}"), (0.42, "A000000"), (0.14, "EXPIRES 00/00/2000"), (0.08, "0AAAA00A00A000000")),),
        border=0.5,
    ),
    "special": Layout(
        2,
        (2.0, 5.2),
        "b41c22/f4f4f2 1c3c9c/f2f2f2 1c6a3a/f2f2f2 e87820/141416 78c8e6/141416 6c2c7c/f2f2f2 c8ccd0/8c1c22",
        (((0.66, "CD 000"),), ((0.66, "00 AA 000"),), ((0.64, "A0-0000"),), ((0.18, "{nation}"), (0.54, "00-AA-00"))),
        ("", "", "right:·", "left:·"),
    ),
}

_LAYOUTS = list(LAYOUTS.values())
_SHARES = [layout.share / sum(other.share for other in _LAYOUTS) for layout in _LAYOUTS]
_BLUES = palette("1c3c96 14309c 2a4ca6 10246c")
_FLAGS = palette("c8202c f2c81e 1c7a3c f2f2f2 1c3c96 161618")
_SCENERY = palette("f2b48c f6d890 a8d4f0 8cc0e8 f0c4d4 c8e6b4 e6e0c8 7ca8d8 f08c64 b4d890 d8c8f0 78a070 486c9c e89030")


def draw_bank(count: int, seed: int) -> list[Art]:
    """Plates 0 to count - 1 of a seed; each depends on (seed, its number) alone."""
    return [draw_plate(np.random.default_rng([seed, index])) for index in range(count)]


def draw_plate(rng: Generator) -> Art:
    """One plate of any kind, some in a holder."""
    layout = pick(rng, _LAYOUTS, _SHARES)
    aspect = rng.uniform(*layout.aspect)
    width, height = WIDTH, round(WIDTH / aspect)
    paper, ink = (_near(rng, colour) for colour in palette(pick(rng, layout.colours.split()).replace("/", " ")))
    art = Image.new("RGB", (width, height), paper)
    if rng.random() < layout.scene:
        _draw_scene(art, paper, rng)
    unit = height / len(pick(rng, layout.lines))
    box = _draw_border(art, ink, layout.border, unit, rng)
    box = _draw_band(art, box, pick(rng, layout.bands), ink, rng)
    _draw_lines(art, box, pick(rng, layout.lines), ink, rng)
    _draw_fittings(art, rng)
    pixels = _aged(np.asarray(art), paper, rng)
    return _in_holder(pixels, rng) if rng.random() < 0.3 else Art(pixels, (0, 0, width, height))


def _near(rng: Generator, colour: Colour) -> Colour:
    red, green, blue = np.clip(np.array(colour) + rng.normal(0, 5) + rng.normal(0, 4, 3), 0, 255).astype(int).tolist()
    return red, green, blue


def _words(pattern: str, rng: Generator) -> str:
    """The pattern with its {names} replaced by one of those words, which are drawn as they are."""
    parts = pattern.split("{")
    text = parts[0]
    for part in parts[1:]:
        name, rest = part.split("}")
        text += "".join(f"\\{character}" for character in pick(rng, WORDS[name])) + rest
    return text


# ---------------------------------------------------------------------------------------------------------- lettering


def _draw_lines(art: Image.Image, box: Box, lines: tuple[Line, ...], ink: Colour, rng: Generator) -> None:
    """The lines in the box; the largest in one face, what is small in another."""
    left, top, right, bottom = box
    height, width = bottom - top, right - left
    main, other = pick(rng, FACES, FACE_SHARES), pick(rng, FACES, FACE_SHARES)
    largest = max(share for share, _ in lines)
    size = rng.uniform(0.86, 1.08)
    size = min(size, 0.96 / sum(share for share, _ in lines))
    gap = height * (1 - size * sum(share for share, _ in lines)) / (len(lines) + 1)
    relief, squeeze = rng.random() < 0.6, rng.uniform(0.62, 1.0)
    small_ink = _near(rng, pick(rng, palette("b41c22 1c3c96 141416 1c6a3a"))) if rng.random() < 0.15 else ink
    y = top + gap
    for share, pattern in lines:
        high = height * share * size
        small = share < 0.6 * largest
        mask = text_line(_words(pattern, rng), other if small else main, rng)
        wide = min(mask.shape[1] * squeeze * high / mask.shape[0], width * rng.uniform(0.9, 0.97))
        if not small and share > 0.4 and rng.random() < 0.5:  # letters as wide as there is room
            wide = min(width * rng.uniform(0.86, 0.96), wide * 1.5)
        x = left + (width - wide) * (0.5 if rng.random() < 0.85 else rng.uniform(0.1, 0.9))
        _stamp(art, mask, (x, y, wide, high), small_ink if small else ink, relief and not small)
        y += high + gap


def _stamp(
    art: Image.Image, mask: np.ndarray, place: tuple[float, float, float, float], ink: Colour, relief: bool = False
) -> None:
    """Print a mask at (x, y, width, height), pixels; in relief, with light from the upper left."""
    x, y, width, height = place
    size = max(1, round(width)), max(1, round(height))
    shape = Image.fromarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    at = round(x), round(y)
    if relief:
        offset = max(1, round(height * 0.02))
        art.paste((252, 252, 252), (at[0] - offset, at[1] - offset), shape.point(lambda value: value // 2))
        art.paste((20, 20, 22), (at[0] + offset, at[1] + offset), shape.point(lambda value: value // 3))
    art.paste(ink, at, shape)


def _draw_border(art: Image.Image, ink: Colour, likely: float, unit: float, rng: Generator) -> Box:
    """Maybe a line around the plate; returns what is left inside, pixels."""
    width, height = art.size
    margin = rng.uniform(0.03, 0.08) * min(unit, height * 0.6)
    if rng.random() < likely:
        inset, thick = rng.uniform(0, 0.04) * unit, max(1, round(rng.uniform(0.015, 0.045) * unit))
        box = inset, inset, width - 1 - inset, height - 1 - inset
        ImageDraw.Draw(art).rounded_rectangle(box, rng.uniform(0, 0.14) * unit, outline=ink, width=thick)
        margin += inset + thick
    return margin, margin, width - margin, height - margin


# -------------------------------------------------------------------------------------------------------------- bands


def _draw_band(art: Image.Image, box: Box, band: str, ink: Colour, rng: Generator) -> Box:
    """A strip of another colour with a nation's letters, emblem or flag; returns the box that it leaves, pixels."""
    if not band:
        return box
    kind, words = band.split(":")
    return _BANDS[kind](art, box, _words(words, rng), ink, rng)


def _euroband(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator, low: float = 1.0) -> Box:
    """Blue at the left, with a ring of stars, or a flag, over the nation's letters."""
    left, top, right, bottom = box
    width = min((bottom - top) * rng.uniform(0.32, 0.46), (right - left) * 0.13)
    end = top + (bottom - top) * low
    pen, blue = ImageDraw.Draw(art), _near(rng, pick(rng, _BLUES))
    edge = rng.uniform(0, 1) * left
    pen.rectangle((edge, min(edge, top), left + width, end), fill=blue)
    x, radius = (edge + left + width) / 2, width * 0.3
    y = top + (end - top) * 0.3
    if rng.random() < 0.75:
        star = pick(rng, palette("f4d424 f2f2f2"))
        for angle in np.arange(12) * np.pi / 6:
            dot = x + radius * np.cos(angle), y + radius * np.sin(angle)
            pen.ellipse((dot[0] - 1, dot[1] - 1, dot[0] + 1, dot[1] + 1), fill=star)
    else:
        _flag(pen, (x - radius, y - radius * 0.7, x + radius, y + radius * 0.7), rng)
    mask = text_line(words, FACES[0], rng)
    wide = min(width * 0.8, width * 0.4 * mask.shape[1] / mask.shape[0])
    high = wide * mask.shape[0] / mask.shape[1]
    _stamp(art, mask, (x - wide / 2, end - (end - top) * 0.12 - high, wide, high), (244, 244, 240))
    return left + width * 1.08, top, right, bottom


def _both_bands(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    left, top, right, bottom = _euroband(art, box, words, ink, rng)
    width = left - box[0]
    ImageDraw.Draw(art).rectangle(
        (right - width * 0.9, top * 0.5, art.width, bottom + top * 0.5), fill=pick(rng, _BLUES)
    )
    return left, top, right - width, bottom


def _corner(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    """The blue only beside the upper line."""
    left, top, right, bottom = _euroband(art, box, words, ink, rng, low=0.48)
    return (left + box[0]) / 2, top, right, bottom


def _flag(pen: ImageDraw.ImageDraw, box: Box, rng: Generator) -> None:
    """Two or three stripes, or a disc."""
    left, top, right, bottom = box
    stripes = int(rng.integers(1, 4))
    upright = rng.random() < 0.4
    for index in range(stripes):
        first, last = index / stripes, (index + 1) / stripes
        colour = pick(rng, _FLAGS)
        if upright:
            pen.rectangle((left + (right - left) * first, top, left + (right - left) * last, bottom), fill=colour)
        else:
            pen.rectangle((left, top + (bottom - top) * first, right, top + (bottom - top) * last), fill=colour)
    if stripes == 1 or rng.random() < 0.3:
        x, y, r = (left + right) / 2, (top + bottom) / 2, (bottom - top) * 0.3
        pen.ellipse((x - r, y - r, x + r, y + r), fill=pick(rng, _FLAGS))


def _flag_band(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    """A flag over letters at the left, straight on the plate."""
    left, top, right, bottom = box
    height, width = bottom - top, min((bottom - top) * 0.4, (right - left) * 0.14)
    colour = pick(rng, (ink, *_BLUES))
    _flag(ImageDraw.Draw(art), (left + 2, top + height * 0.25, left + width * 0.9, top + height * 0.45), rng)
    mask = text_line(words, FACES[0], rng)
    _stamp(art, mask, (left + 2, top + height * 0.55, width * 0.85, height * 0.16), colour)
    return left + width, top, right, bottom


def _india(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    """Small letters under a wheel or hologram, in blue on the plate or in white on blue."""
    left, top, right, bottom = box
    height, width = bottom - top, min((bottom - top) * 0.32, (right - left) * 0.12)
    pen, blue = ImageDraw.Draw(art), pick(rng, _BLUES)
    strip = rng.random() < 0.4
    if strip:
        pen.rectangle((left, top, left + width, bottom), fill=blue)
    x, radius, y = left + width / 2, width * 0.28, top + height * 0.3
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(190, 196, 214) if strip else blue, width=2)
    mask = text_line(words, FACES[0], rng)
    place = left + width * 0.1, top + height * 0.62, width * 0.8, min(height * 0.2, width * 0.4)
    _stamp(art, mask, place, (240, 240, 244) if strip else blue)
    return left + width * 1.08, top, right, bottom


def _top_band(
    art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator, colours: tuple[Colour, ...] = _BLUES
) -> Box:
    """A strip over the lines, with words in the middle and a flag or an emblem at its ends."""
    left, top, right, bottom = box
    height = (bottom - top) * rng.uniform(0.17, 0.27)
    pen = ImageDraw.Draw(art)
    edge = top * rng.uniform(0, 1)
    pen.rectangle((edge, edge, art.width - edge, top + height), fill=_near(rng, pick(rng, colours)))
    mask = text_line(words, pick(rng, FACES, FACE_SHARES), rng)
    high = height * 0.62
    wide = min(high * mask.shape[1] / mask.shape[0], (right - left) * 0.6)
    _stamp(art, mask, ((left + right - wide) / 2, top + (height - high) * 0.4, wide, high), (244, 244, 244))
    flag = height * 0.9
    for x in (left + height * 0.3, right - height * 0.3 - flag):
        if rng.random() < 0.7:
            _flag(pen, (x, top + height * 0.15, x + flag, top + height * 0.8), rng)
    return left, top + height, right, bottom


def _red_top_band(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    return _top_band(art, box, words, ink, rng, palette("b41c24 d8602c c89020 6c7078 1c7a3c 2c8cc8"))


def _two_bands(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    """Coloured above and below, as in Mexico."""
    colour = pick(rng, _SCENERY)
    left, top, right, bottom = box
    height = (bottom - top) * 0.13
    pen = ImageDraw.Draw(art)
    pen.rectangle((0, 0, art.width, top + height), fill=colour)
    pen.rectangle((0, bottom - height * 0.5, art.width, art.height), fill=pick(rng, _SCENERY))
    return left, top + height * 0.3, right, bottom


def _right_cell(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator, mirrored: bool = False) -> Box:
    """A cell of its own at one end, behind a line: a region's number, a nation's letters one below the other."""
    left, top, right, bottom = box
    height = bottom - top
    width = min(height * rng.uniform(0.4, 0.95), (right - left) * 0.24)
    x = left if mirrored else right - width
    pen, line = ImageDraw.Draw(art), max(1, round(height * 0.025))
    if rng.random() < 0.3:
        pen.rectangle((x, top, x + width, bottom), fill=_near(rng, pick(rng, (*_FLAGS[:4], (190, 192, 196)))))
    edge = x + width if mirrored else x
    pen.line((edge, 0 if rng.random() < 0.5 else top, edge, art.height), fill=ink, width=line)
    parts = words.split()
    step = height / len(parts)
    for index, part in enumerate(parts):
        y = top + step * index
        if part == "·":
            radius = width * 0.28
            middle = x + width / 2, y + step * rng.uniform(0.3, 0.6)
            _flag(
                pen, (middle[0] - radius, middle[1] - radius * 0.7, middle[0] + radius, middle[1] + radius * 0.7), rng
            )
        else:
            mask = text_line(part, FACES[0], rng)
            wide = min(width * 0.8, step * 0.7 * mask.shape[1] / mask.shape[0])
            high = min(step * 0.7, wide * mask.shape[0] / mask.shape[1] * 1.4)
            _stamp(art, mask, (x + (width - wide) / 2, y + (step - high) / 2, wide, high), ink)
    return (left + width, top, right, bottom) if mirrored else (left, top, right - width, bottom)


def _left_cell(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    return _right_cell(art, box, words, ink, rng, mirrored=True)


def _grid(art: Image.Image, box: Box, words: str, ink: Colour, rng: Generator) -> Box:
    """Cells for letters and digits above and below, as in Saudi Arabia."""
    left, top, right, bottom = _right_cell(art, box, "ع A A", ink, rng)
    pen, line = ImageDraw.Draw(art), max(1, round(art.height * 0.02))
    x, y = left + (right - left) * rng.uniform(0.45, 0.6), (top + bottom) / 2
    pen.line((left, y, right, y), fill=ink, width=line)
    pen.line((x, top, x, bottom), fill=ink, width=line)
    return left, top, right, bottom


_BANDS: dict[str, Callable[[Image.Image, Box, str, Colour, Generator], Box]] = {
    "eu": _euroband,
    "eu2": _both_bands,
    "corner": _corner,
    "uk": _flag_band,
    "ind": _india,
    "top": _top_band,
    "topred": _red_top_band,
    "both": _two_bands,
    "right": _right_cell,
    "left": _left_cell,
    "grid": _grid,
}


# ------------------------------------------------------------------------------------------------- scenery, fittings


def _draw_scene(art: Image.Image, paper: Colour, rng: Generator) -> None:
    """Behind the letters: a gradient, hills, a disc, or cloudy colours; pale enough to read on."""
    width, height = art.size
    dark = sum(paper) < 330
    stops = np.array([paper, _near(rng, pick(rng, _SCENERY)), paper, _near(rng, pick(rng, _SCENERY))], float)
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


def _draw_fittings(art: Image.Image, rng: Generator) -> None:
    """Bolts and stickers."""
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
    for _ in range(int(rng.choice([0, 1, 2], p=[0.75, 0.17, 0.08]))):
        size = rng.uniform(0.04, 0.08) * width
        x, y = pick(rng, (0.03, 0.86, 0.45)) * width, pick(rng, (0.04, 0.7)) * height
        shape = pen.ellipse if rng.random() < 0.4 else pen.rectangle
        shape((x, y, x + size * rng.uniform(1, 1.5), y + size), fill=pick(rng, (*_FLAGS, *_SCENERY)))


# ------------------------------------------------------------------------------------------------------- age, holders


def _aged(art: np.ndarray, paper: Colour, rng: Generator) -> np.ndarray:
    """Sheen, fading, dirt, scratches, and round corners: RGBA."""
    height, width = art.shape[:2]
    pixels = art.astype(np.float32)
    if rng.random() < 0.25:
        pixels += (np.array(paper, np.float32) - pixels) * np.float32(rng.uniform(0.1, 0.55))
    pixels *= (1 + smooth_noise(rng, height, width, 3, 2) * rng.uniform(0.01, 0.08))[..., None]
    if rng.random() < 0.35:
        dirt = np.clip(smooth_noise(rng, height, width, 16, 6) - rng.uniform(0.2, 1.4), 0, 1) * rng.uniform(0.2, 0.7)
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


def _in_holder(plate: np.ndarray, rng: Generator) -> Art:
    """The plate in a frame, which may carry a dealer's name; the frame lies outside the plate's box."""
    height, width = plate.shape[:2]
    thin = round(rng.uniform(0.01, 0.035) * width)
    sides = np.full(4, thin)
    lettered = rng.random() < 0.45
    if lettered:
        sides[1 if rng.random() < 0.25 else 3] = round(rng.uniform(0.05, 0.1) * width)
    left, top, right, bottom = sides.tolist()
    colour = _near(rng, pick(rng, palette("121214 121214 18181a 2a2a2c c0c4c8 9a9ea4 1c2c6c e8e8e8")))
    frame = Image.new("RGB", (width + left + right, height + top + bottom), colour)
    pen = ImageDraw.Draw(frame)
    pen.line((0, 0, frame.width, 0), fill=_near(rng, (150, 150, 152)))
    if lettered:
        words = pick(
            rng, phrases("AUTOHAUS KELLER|www.motorland.com|CITY CARS|SUNSET FORD|AUTO GARAGE 24|Lakeside Toyota")
        )
        mask = text_line("".join(f"\\{character}" for character in words), pick(rng, FACES, FACE_SHARES), rng)
        room, y = (bottom, frame.height - bottom) if bottom > thin else (top, 0)
        high = room * 0.6
        wide = min(high * mask.shape[1] / mask.shape[0], width * 0.8)
        light = sum(colour) < 390
        place = (frame.width - wide) / 2, y + room * 0.2, wide, high
        _stamp(frame, mask, place, (232, 232, 230) if light else (20, 20, 22))
    face = Image.fromarray(plate)
    frame.paste(face, (left, top), face)
    corners = Image.new("L", frame.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, frame.width - 1, frame.height - 1), thin, fill=255)
    frame.putalpha(corners)
    return Art(np.asarray(frame), (left, top, left + width, top + height))
