"""What plates of a country may say, and the nearest of that to what was read.

A grammar chooses among a reader's own candidates: which lines of lettering are the plate's, and which character stands
where only a digit or only a letter may. Of readers that name one character alone, the candidates are those that look
alike (O and 0, I and 1, …). It never makes a reading surer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from lpr.ocr.engines.base import PlateText, TextLine
from lpr.plates.countries import Country

# What readers that name one character alone take each for.
_LOOK_ALIKES = {"0": "OD", "1": "I", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B", "O": "0", "D": "0", "Q": "0"}
_LOOK_ALIKES |= {"I": "1", "Z": "2", "A": "4", "S": "5", "G": "6", "B": "8"}
_SURENESS = 0.9  # what is left of the confidence for each character that became one that looks like it
_LEAST = 0.02  # chance of a character, against the likeliest, from which it is a candidate
_MOST_LINES = 6  # beyond, subsets of lines become many: the tallest are looked at

Candidates = Mapping[str, float]
"""What a character may be → how likely that is, against what was read, which is 1."""


def choose(reading: PlateText, grammar: Sequence[Country]) -> PlateText:
    """What the grammar makes of a reading's lines; the reading as it is where it can make nothing of them.

    Of all that fits, it takes what leaves the most characters as they were read, and then the surest.
    """
    others = {other for country in grammar for other in country.others}
    lines = tuple(line for line in reading.lines or (reading,) if line.text not in others)
    lines = tuple(sorted(sorted(lines, key=_by_confidence, reverse=True)[:_MOST_LINES], key=lines.index))
    best, rank = reading, (0, 0.0)
    for count in range(1, len(lines) + 1):
        for chosen in itertools.combinations(lines, count):
            likeliest = _likeliest([candidates for line in chosen for candidates in _candidates(line)], grammar)
            if likeliest is None:
                continue
            chance, text = likeliest
            text_before_grammar = sum(map(str.__eq__, text, "".join(line.text for line in chosen)))
            sure = min(line.confidence for line in chosen) * chance
            if (text_before_grammar, sure) > rank:
                rank = text_before_grammar, sure
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


def _likeliest(characters: Sequence[Candidates], grammar: Sequence[Country]) -> tuple[float, str] | None:
    """What a plate of these characters most likely says, and how likely that is, against what was read."""
    found = [
        one
        for country in grammar
        for shape in country.shapes
        if len(shape) == len(characters) and (one := _as(shape, country.starts, characters))
    ]
    return max(found, key=lambda one: one[0], default=None)


def _as(shape: str, starts: Sequence[str], characters: Sequence[Candidates]) -> tuple[float, str] | None:
    letters = (len(shape) - len(shape.lstrip("@"))) if starts else 0
    chance, text = 1.0, ""
    if letters:
        chance, text = max(
            (
                (math.prod(one.get(letter, 0.0) for one, letter in zip(characters, start, strict=False)), start)
                for start in starts
                if len(start) == letters
            ),
            default=(0.0, ""),
        )
    for kind, candidates in zip(shape[letters:], characters[letters:], strict=True):
        fitting = [(likely, one) for one, likely in candidates.items() if _fits(one, kind)]
        likely, one = max(fitting, key=lambda each: each[0], default=(0.0, ""))
        chance, text = chance * likely, text + one
    return (chance, text) if chance > 0 else None


def _fits(character: str, kind: str) -> bool:
    return {"@": character.isalpha(), "#": character.isdigit()}.get(kind, character == kind)
