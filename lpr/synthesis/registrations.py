"""The lines of plates for the recognizer to be trained on: layouts of many countries, registrations of all kinds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from numpy.random import Generator

from lpr.synthesis.indian_plates import choose_indian_registration
from lpr.synthesis.painting import phrases, pick
from lpr.synthesis.plate_layouts import LAYOUTS, Layout
from lpr.synthesis.typefaces import LETTERS_AND_DIGITS

_PLACEHOLDERS = {"@": "ABCDEFGHIJKLMNOPRSTUVWXYZ" * 3 + "Q", "#": "0123456789", "*": LETTERS_AND_DIGITS}
"""Any letter, of which Q is the rarest; any digit; any of both."""
_LARGE = 0.6
"""Least height of a line of the registration, of the largest line's; smaller lines are other lettering."""
_RANDOM = 0.15
"""Fraction of the plates that have random letters and digits instead of a registration by their country's rules."""


@dataclass(frozen=True)
class Line:
    """A line of lettering.

    Attributes:
        share: fraction of the plate's height.
        pattern: of the registration: A–Z and 0–9 for themselves, {name} for one of
            `lpr.synthesis.plate_layouts.WORDS`, a space, "-", "." or "·" between groups, [above|below] for small ones
            one over the other, and other scripts' placeholders as in `lpr.synthesis.glyphs.text_line`; of other
            lettering: a pattern of `text_line`.
        registration: whether its letters A–Z and digits belong to the plate's text.
    """

    share: float
    pattern: str
    registration: bool


def choose_lines(rng: Generator) -> tuple[Layout, list[Line]]:
    """A layout, and its lines from top to bottom, with at least three characters of text."""
    group = pick(rng, _GROUPS, _GROUP_SHARES)
    layout = pick(
        rng, group.layouts, [one.share / sum(other.share for other in group.layouts) for one in group.layouts]
    )
    lines = (
        _indian_lines(layout, rng) if group.indian else _fill_placeholders(_parse_lines(pick(rng, layout.lines)), rng)
    )
    return layout, _with_random_text(lines, rng) if rng.random() < _RANDOM else lines


def _parse_lines(alternative: str) -> list[Line]:
    """The lines of one of a layout's alternatives, with their placeholders."""
    lines = [
        (int(share) / 100, pattern) for share, pattern in (line.split(" ", 1) for line in alternative.split(" / "))
    ]
    largest = max((share for share, pattern in lines if _count_text(pattern)), default=0.0)
    return [Line(share, pattern, _count_text(pattern) > 0 and share >= _LARGE * largest) for share, pattern in lines]


def _count_text(pattern: str) -> int:
    """How many characters of a pattern are text; none of {words} are."""
    inside = False
    count = 0
    for character in pattern:
        inside = character == "{" or (inside and character != "}")
        count += not inside and (character in _PLACEHOLDERS or character in LETTERS_AND_DIGITS)
    return count


def _fill_placeholders(lines: list[Line], rng: Generator) -> list[Line]:
    return [
        replace(line, pattern="".join(_any_of(_PLACEHOLDERS.get(one, one), rng) for one in line.pattern))
        if line.registration
        else line
        for line in lines
    ]


def _any_of(characters: str, rng: Generator) -> str:
    return characters[int(rng.integers(len(characters)))]


def _with_random_text(lines: list[Line], rng: Generator) -> list[Line]:
    """The lines with four to nine random characters instead of the registration, in random groups."""
    count = sum(line.registration for line in lines)
    length = max(int(rng.integers(4, 10)), 2 * count)
    string = "".join(_any_of(LETTERS_AND_DIGITS, rng) for _ in range(length))
    cuts = [round(length * index / count) for index in range(count + 1)]
    parts = iter([string[first:last] for first, last in pairwise(cuts)])
    between = pick(rng, ("", " ", "-", "·"))
    shuffled = []
    for line in lines:
        if line.registration:
            part = next(parts)
            cut = int(rng.integers(1, len(part))) if len(part) > 2 else 0
            line = replace(line, pattern=f"{part[:cut]}{between}{part[cut:]}" if cut else part)
        shuffled.append(line)
    return shuffled


def _indian_lines(layout: Layout, rng: Generator) -> list[Line]:
    """A valid number on one, two or seldom three lines; the first of them may be the smaller."""
    groups = list(_choose_temporary(rng) if rng.random() < 0.1 else choose_indian_registration(rng))
    between = pick(rng, ("", " ", "-", ".", "·"), (0.32, 0.42, 0.13, 0.07, 0.06))
    size = rng.uniform(0.58, 0.88)
    if layout.aspect[0] > 3:
        rows = [groups]
    elif len(groups) == 4 and rng.random() < 0.12:
        rows = [groups[:2], groups[2:3], groups[3:]]
    else:
        cut = 2 if len(groups) < 4 or rng.random() < 0.55 else 3
        rows = [groups[:cut], groups[cut:]]
    if len(rows) == 1:
        if len(groups) == 4 and rng.random() < 0.12:
            first = f"[{groups[0]}|{groups[1]}]", groups[2]
            groups = [*(first if rng.random() < 0.5 else (f"[{groups[0]}{groups[1]}|{groups[2]}]",)), groups[3]]
        return [Line(size, between.join(groups), True)]
    below = 0.86 / len(rows) * rng.uniform(0.8, 1.05)
    above = below * (rng.uniform(0.5, 1) if rng.random() < 0.6 else 1)
    return [Line(above if row is rows[0] else below, between.join(row), True) for row in rows if row]


def _choose_temporary(rng: Generator) -> tuple[str, ...]:
    """A temporary number, of a vehicle that is not registered yet: its series begins with TC or TR."""
    state, district, *_ = choose_indian_registration(rng)
    series = pick(rng, ("TC", "TC", "TC", "TR", "TCD", "TCF"))
    return state, district, series, str(rng.integers(1, 10 ** int(rng.integers(2, 5))))


@dataclass(frozen=True)
class _Group:
    share: float
    layouts: tuple[Layout, ...]
    indian: bool = False


def _group(share: float, *names: str, indian: bool = False) -> _Group:
    """Layouts of those names, without the alternatives that have fewer than three characters of text."""
    layouts = []
    for name in names:
        layout = _LAYOUTS.get(name, LAYOUTS[name])
        alternatives = tuple(
            one
            for one in layout.lines
            if sum(_count_text(line.pattern) for line in _parse_lines(one) if line.registration) > 2
        )
        if alternatives:
            layouts.append(replace(layout, lines=alternatives))
    return _Group(share, tuple(layouts), indian)


_EU_LINES = tuple(
    f"{share} {pattern}"
    for share in (64, 78)
    for pattern in phrases(
        "@·@@ ###|@@·@@ ##|@@@·@ ####|@@·@ ####|@·@@ ####|@@@·@@ ###|@@-###-@@|@@ ###@@|@@###@@|#### @@@|@@ #####|"
        "@@@ ####@|@@@ @###|##-@@-@@|@@-###-@|#-@@@-##|@-###-@@|@@@ ###|@@@ ##@|#@# ####|#@## ####|@@ ####|@@-###@@|"
        "@@ ###-@@|@@·####-@|@@ @#-###|@@@-###|@ ## @@@|@ ### @@@|@@ ## @@@|@@ #### @@|@ #### @@|@@-####|### @@@|"
        "@-##### @|@@-## @@@|##-##-@@|@@-##-@@|##·@@·##|#-@@@-###|@@ ## ###|@@ ######|###-@-#####|##-@@-####|"
        "@#####|@ #####|@@ ### @@|@@## @@@|## @@@ ###|## @ ####|## @@ ####|@@ #### @|@@@ ### @"
    )
)
_US_LINES = tuple(
    form.format(pattern)
    for form in ("15 {{state}} / 50 {} / 11 {{slogan}}", "18 {{state}} / 54 {}", "10 {{month}} / 58 {} / 13 {{state}}")
    for pattern in phrases(
        "@@@ ####|@@@·####|#@@@###|@@@-###|@@@·###|@@ #####|####@@|### @@@|@##@@#|#@@ @##|@#####|###·@@@|@@@@##|"
        "******|*******|*** ***|@@## #@|##@·@##|@@@@@|@@@@@@@"
    )
)
_WHITE = "ececea/121214 "
_INDIAN = 9 * _WHITE + "f4c414/121214 f4c414/121214 16803e/f2f4ee ba1a20/f4f0ec ba1a20/f4f0ec 18181a/f6c828"
_LAYOUTS = {
    "eu": replace(LAYOUTS["eu"], colours=4 * _WHITE + LAYOUTS["eu"].colours, lines=_EU_LINES),
    "us": replace(LAYOUTS["us"], lines=_US_LINES),
    "india long": replace(LAYOUTS["india long"], aspect=(3.6, 5.0), colours=_INDIAN, p_border=0.55),
    "india square": replace(LAYOUTS["india square"], aspect=(1.35, 2.3), colours=_INDIAN, p_border=0.55),
}
"""Layouts with more variants than in `LAYOUTS`: the text matters to the recognizer, but not to the detector."""

_GROUPS = (
    _group(22, "india long", indian=True),
    _group(14, "india square", indian=True),
    _group(22, "eu", "uk"),
    _group(8, "eu two lines", "motorbike", "asia plain two lines", "korea two lines"),
    _group(10, "us", "us motorbike"),
    _group(9, "brazil grey", "brazil square", "mercosur", "mercosur square"),
    _group(
        15,
        *("mexico", "indonesia", "gulf long", "gulf short", "thai", "china", "japan", "korea", "australia"),
        *(
            "asia plain",
            "philippines",
            "russia",
            "israel",
            "africa",
            "old",
            "any long",
            "any short",
            "paper",
            "special",
        ),
    ),
)
_GROUP_SHARES = [group.share / sum(other.share for other in _GROUPS) for group in _GROUPS]
