"""What plates of a country may say, and the nearest of that to what was read.

A grammar chooses among a reader's own candidates: which lines of lettering are the plate's, and which of the characters
that look alike (O and 0, I and 1, …) stands where only a digit or only a letter may. It never makes a reading surer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from lpr.reader.base import PlateText, TextLine

_STATES = (
    "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK "
    "UP WB"
)
# Characters that readers take for each other → how a digit looks as a letter, and a letter as a digit.
_AS_LETTERS = {"0": "OD", "1": "I", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B"}
_AS_DIGITS = {letter: digit for digit, letters in _AS_LETTERS.items() for letter in letters} | {"Q": "0"}
_SURENESS = 0.9  # what is left of the confidence for each character that the grammar changed
_MOST_LINES = 6  # beyond, subsets of lines become many: the tallest are looked at


@dataclass(frozen=True)
class Grammar:
    """What a country's plates may say.

    Attributes:
        shapes: alternatives, the commonest first: @ is a letter, # a digit, anything else itself.
        starts: what the letters at a shape's start may be; empty for anything.
        others: lettering that plates carry beside their text.
    """

    shapes: tuple[str, ...]
    starts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def nearest(self, text: str) -> tuple[int, str] | None:
        """How few characters must change to ones that look like them, and the text then; None where that is no way."""
        found = [one for shape in self.shapes if (one := _shaped(text, shape)) and self._starts_well(one[1], shape)]
        return min(found, key=lambda one: one[0], default=None)

    def _starts_well(self, text: str, shape: str) -> bool:
        letters = len(shape) - len(shape.lstrip("@"))
        return not self.starts or not letters or text[:letters] in self.starts


def _shaped(text: str, shape: str) -> tuple[int, str] | None:
    if len(text) != len(shape):
        return None
    result, changes = "", 0
    for character, kind in zip(text, shape, strict=True):
        right = {"@": character.isalpha(), "#": character.isdigit()}.get(kind, character == kind)
        if not right:
            character = _AS_LETTERS.get(character, "") if kind == "@" else _AS_DIGITS.get(character, "")
            changes += 1
            if not character or (kind not in "@#" and character != kind):
                return None
        result += character[0]
    return changes, result


def _indian() -> Iterator[str]:
    """State, district, series, number; the Bharat series (year, BH, number, series) and temporary plates besides."""
    for number, series in itertools.product(("####", "###", "##", "#"), range(4)):
        if len(number) == 4 or series:
            yield "@@##" + "@" * series + number
        if 1 <= series <= 2:  # with three, MH20BN3525 read as MH2OBN3525 would be right as it is
            yield "@@#" + "@" * series + number
    yield from ("DL#@@@####", "##BH####@", "##BH####@@", "@@##@TEMP####", "@@##@@TEMP####")


GRAMMARS = {"india": Grammar(tuple(_indian()), tuple(_STATES.split()), others=("IND", "INDIA"))}
"""By the names that `reader.grammars` gives them. India: Central Motor Vehicles Rules, 1989, rule 50, and
the Bharat series of 2021."""


def choose(reading: PlateText, grammar: Grammar) -> PlateText:
    """What the grammar makes of a reading's lines; the reading as it is where it can make nothing of them.

    Of all that fits, it takes what leaves the most characters as they were read, and then the surest.
    """
    lines = tuple(line for line in reading.lines or (reading,) if line.text not in grammar.others)
    lines = tuple(sorted(sorted(lines, key=_by_confidence, reverse=True)[:_MOST_LINES], key=lines.index))
    best, rank = reading, (0, 0.0)
    for count in range(1, len(lines) + 1):
        for chosen in itertools.combinations(lines, count):
            nearest = grammar.nearest("".join(line.text for line in chosen))
            if nearest is None:
                continue
            changes, text = nearest
            sure = min(line.confidence for line in chosen) * _SURENESS**changes
            if (len(text) - changes, sure) > rank:
                rank = len(text) - changes, sure
                best = PlateText(text, min(sure, reading.confidence), reading.lines)
    return best


def _by_confidence(line: TextLine) -> float:
    return line.confidence
