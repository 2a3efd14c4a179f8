"""What plates of a country may say, and the nearest of that to what was read.

A grammar chooses among a reader's own candidates: which lines of lettering are the plate's, and which character stands
where only a digit or only a letter may. Of readers that name one character alone, the candidates are those that look
alike (O and 0, I and 1, …). It never makes a reading surer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lpr.reader.base import PlateText, TextLine

_STATES = (
    "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK "
    "UP WB"
)
# What readers that name one character alone take each for.
_LOOK_ALIKES = {"0": "OD", "1": "I", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B", "O": "0", "D": "0", "Q": "0"}
_LOOK_ALIKES |= {"I": "1", "Z": "2", "A": "4", "S": "5", "G": "6", "B": "8"}
_SURENESS = 0.9  # what is left of the confidence for each character that became one that looks like it
_LEAST = 0.02  # chance of a character, against the likeliest, from which it is a candidate
_MOST_LINES = 6  # beyond, subsets of lines become many: the tallest are looked at

Candidates = Mapping[str, float]
"""What a character may be → how likely that is, against what was read, which is 1."""


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

    def likeliest(self, characters: Sequence[Candidates]) -> tuple[float, str] | None:
        """What the plate most likely says, if it is one of these: how likely, against what was read, and the text.

        Args:
            characters: of each that was read, itself and its alternatives, and how likely they are against it.
        """
        found = [one for shape in self.shapes if len(shape) == len(characters) and (one := self._as(shape, characters))]
        return max(found, key=lambda one: one[0], default=None)

    def _as(self, shape: str, characters: Sequence[Candidates]) -> tuple[float, str] | None:
        letters = (len(shape) - len(shape.lstrip("@"))) if self.starts else 0
        chance, text = 1.0, ""
        if letters:
            chance, text = max(
                (math.prod(one.get(letter, 0.0) for one, letter in zip(characters, start, strict=False)), start)
                for start in self.starts
                if len(start) == letters
            )
        for kind, candidates in zip(shape[letters:], characters[letters:], strict=True):
            fitting = [(likely, one) for one, likely in candidates.items() if _fits(one, kind)]
            likely, one = max(fitting, key=lambda each: each[0], default=(0.0, ""))
            chance, text = chance * likely, text + one
        return (chance, text) if chance > 0 else None


def _fits(character: str, kind: str) -> bool:
    return {"@": character.isalpha(), "#": character.isdigit()}.get(kind, character == kind)


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
            likeliest = grammar.likeliest([candidates for line in chosen for candidates in _candidates(line)])
            if likeliest is None:
                continue
            chance, text = likeliest
            as_read = sum(map(str.__eq__, text, "".join(line.text for line in chosen)))
            sure = min(line.confidence for line in chosen) * chance
            if (as_read, sure) > rank:
                rank = as_read, sure
                best = PlateText(text, min(sure, reading.confidence), reading.lines)
    return best


def _candidates(line: TextLine) -> Sequence[Candidates]:
    """The reader's own where it has any; else what looks like each character."""
    if not line.candidates:
        return [{one: 1.0} | dict.fromkeys(_LOOK_ALIKES.get(one, ""), _SURENESS) for one in line.text]
    likely = [
        {one: chance / candidates[read] for one, chance in candidates.items()}
        for read, candidates in zip(line.text, line.candidates, strict=True)
    ]
    return [{one: chance for one, chance in candidates.items() if chance >= _LEAST} for candidates in likely]


def _by_confidence(line: TextLine) -> float:
    return line.confidence
