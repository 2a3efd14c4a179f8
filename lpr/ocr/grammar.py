"""What registrations of a country look like, applied to recognized text.

A grammar chooses among an engine's own candidates: which lines of lettering are the registration, and which character
stands where only a digit or only a letter is possible. Where an engine gives no candidates for a character, they are
characters of similar shape (O and 0, I and 1, …). A grammar never raises a confidence.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lpr.ocr.engines.base import PlateText, TextLine
from lpr.plates.countries import AUTO, GRAMMARS, Country, Pattern

# For engines without candidates of their own: characters that many typefaces draw alike, others of similar shape, and
# the likelihoods of both relative to the recognized character.
_ALIKE = {"0": "O", "O": "0", "1": "I", "I": "1"}
_SIMILAR = {"0": "D", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B"}
_SIMILAR |= {"D": "0", "Q": "0", "Z": "2", "A": "4", "S": "5", "G": "6", "B": "8"}
_ALIKE_LIKELIHOOD, _SIMILAR_LIKELIHOOD = 0.9, 0.5
_MIN_LIKELIHOOD = 0.02  # of an engine's candidate, relative to the recognized character
_LEAST_PROBABILITY = 0.5  # of a region, from which its grammar is applied
_MAX_LINES = 6  # the most confident ones; the number of subsets grows exponentially

Likelihoods = Mapping[str, float]
"""A character's candidates → their likelihoods relative to the recognized character, whose own is 1."""


def apply_grammar_named(recognized: PlateText, name: str | None) -> PlateText:
    """The text that a grammar makes of the recognized lines, as `apply_grammar` does.

    Args:
        recognized: a plate's text.
        name: a key of `lpr.plates.countries.GRAMMARS`; `AUTO` for that of the region that is likelier than all others
            together, if the engine tells one; None for none.
    """
    if name == AUTO:
        regions = recognized.regions.items()
        name = next((region for region, probability in regions if probability >= _LEAST_PROBABILITY), None)
    grammar = GRAMMARS.get(name or "")
    return apply_grammar(recognized, grammar) if grammar else recognized


def apply_grammar(recognized: PlateText, grammar: Sequence[Country]) -> PlateText:
    """The text that the grammar makes of the recognized lines.

    Of all subsets of lines and candidates of characters that match a pattern, those are taken that keep the most
    characters as they were recognized, and of these the most likely. A gap between characters where the pattern has
    none, or none where it has one, counts as much as an exchanged character.

    Args:
        recognized: a plate's text, with lines and candidates if the engine has them.
        grammar: alternatives, one of `lpr.plates.countries.GRAMMARS`.

    Returns:
        The text with a confidence of at most that of `recognized`; `recognized` itself where nothing matches.
    """
    others = {other for country in grammar for other in country.other_lettering}
    lines = tuple(line for line in recognized.lines or (recognized,) if line.text not in others)
    lines = tuple(sorted(sorted(lines, key=_confidence, reverse=True)[:_MAX_LINES], key=lines.index))
    best, best_rank = recognized, (0, 0.0)
    for count in range(1, len(lines) + 1):
        for chosen in itertools.combinations(lines, count):
            as_read, gaps = "".join(line.text for line in chosen), _gaps(chosen)
            characters = [each for line in chosen for each in _likelihoods(line)]
            for likelihood, text, pattern in _matches(characters, grammar):
                unchanged = sum(map(str.__eq__, text, as_read))
                wrong_gaps = 0 if gaps is None or pattern.gaps is None else len(gaps ^ pattern.gaps)
                confidence = min(line.confidence for line in chosen) * likelihood
                if (unchanged - wrong_gaps, confidence) > best_rank:
                    best_rank = unchanged - wrong_gaps, confidence
                    confidence = min(confidence, recognized.confidence)
                    best = replace(recognized, text=text, confidence=confidence, candidates=(), group_sizes=())
    return best


def _gaps(lines: Sequence[TextLine]) -> frozenset[int] | None:
    """The indices of the characters of these lines before which there is a gap; None where a line does not tell."""
    if not all(line.group_sizes for line in lines):
        return None
    sizes = [size for line in lines for size in line.group_sizes]
    return frozenset(itertools.accumulate(sizes[:-1]))


def _likelihoods(line: TextLine) -> Sequence[Likelihoods]:
    """For each character, the engine's candidates if there are any, else characters of similar shape."""
    if not line.candidates:
        return [
            {one: 1.0}
            | dict.fromkeys(_ALIKE.get(one, ""), _ALIKE_LIKELIHOOD)
            | dict.fromkeys(_SIMILAR.get(one, ""), _SIMILAR_LIKELIHOOD)
            for one in line.text
        ]
    relative = [  # the recognized character first, which is taken of equally likely ones
        {recognized: 1.0} | {one: probability / candidates[recognized] for one, probability in candidates.items()}
        for recognized, candidates in zip(line.text, line.candidates, strict=True)
    ]
    return [{one: each for one, each in likelihoods.items() if each >= _MIN_LIKELIHOOD} for likelihoods in relative]


def _confidence(line: TextLine) -> float:
    return line.confidence


def _matches(characters: Sequence[Likelihoods], grammar: Sequence[Country]) -> Iterator[tuple[float, str, Pattern]]:
    """The most likely text of these characters for each pattern that they match, with its likelihood."""
    for country in grammar:
        for pattern in country.patterns:
            if len(pattern.symbols) == len(characters) and (match := _match(pattern, country, characters)):
                yield *match, pattern


def _match(pattern: Pattern, country: Country, characters: Sequence[Likelihoods]) -> tuple[float, str] | None:
    """The most likely text that matches one pattern, with its likelihood."""
    likelihood, text = 1.0, ""
    prefix_length = pattern.first_letters if country.prefixes else 0
    prefixes = [prefix for prefix in country.prefixes if len(prefix) == prefix_length]
    if prefixes:
        # Of equally likely prefixes, the one that keeps the most characters as they were recognized.
        recognized = [next(iter(one)) for one in characters]
        likelihood, _, text = max(
            (
                math.prod(one.get(letter, 0.0) for one, letter in zip(characters, prefix, strict=False)),
                sum(map(str.__eq__, prefix, recognized)),
                prefix,
            )
            for prefix in prefixes
        )
    for index in range(len(text), len(characters)):
        symbol = pattern.symbols[index]
        unused = country.unused_letters if symbol == "@" and index >= prefix_length else ""
        fitting = [(each, one) for one, each in characters[index].items() if _fits(one, symbol) and one not in unused]
        if not fitting:
            return None
        each, one = max(fitting, key=lambda candidate: candidate[0])
        likelihood, text = likelihood * each, text + one
    return (likelihood, text) if likelihood > 0 else None


def _fits(character: str, symbol: str) -> bool:
    if symbol == "#":
        return character.isdigit()
    if symbol in "@%":
        return character.isalpha() and character.isascii() == (symbol == "@")
    return character == symbol
