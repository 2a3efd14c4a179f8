"""What registrations of a country look like, applied to recognized text.

A grammar chooses among an engine's own candidates: which lines of lettering are the registration, and which character
stands where only a digit or only a letter is possible. Where an engine gives no candidates for a character, they are
characters of similar shape (O and 0, I and 1, …). A grammar never raises a confidence.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lpr.ocr.engines.base import PlateText, TextLine
from lpr.plates.countries import AUTO, GRAMMARS, Country

# Characters of similar shape, for engines without candidates of their own.
_SIMILAR = {"0": "OD", "1": "I", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B", "O": "0", "D": "0", "Q": "0"}
_SIMILAR |= {"I": "1", "Z": "2", "A": "4", "S": "5", "G": "6", "B": "8"}
_SIMILAR_LIKELIHOOD = 0.9  # of such a character, relative to the recognized one
_MIN_LIKELIHOOD = 0.02  # of an engine's candidate, relative to the recognized character
_MAX_LINES = 6  # the most confident ones; the number of subsets grows exponentially

Likelihoods = Mapping[str, float]
"""A character's candidates → their likelihoods relative to the recognized character, whose own is 1."""


_SURE = 0.9  # probability of a region from which its grammar is applied


def apply_grammar_named(recognized: PlateText, name: str | None) -> PlateText:
    """The text that a grammar makes of the recognized lines, as `apply_grammar` does.

    Args:
        recognized: a plate's text.
        name: a key of `lpr.plates.countries.GRAMMARS`; `AUTO` for that of the region that the engine is sure of, if
            there is one; None for none.
    """
    if name == AUTO:
        name = next((region for region, probability in recognized.regions.items() if probability >= _SURE), None)
    grammar = GRAMMARS.get(name or "")
    return apply_grammar(recognized, grammar) if grammar else recognized


def apply_grammar(recognized: PlateText, grammar: Sequence[Country]) -> PlateText:
    """The text that the grammar makes of the recognized lines.

    Of all subsets of lines and candidates of characters that match a pattern, those are taken that keep the most
    characters as they were recognized, and of these the most likely.

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
            match = _most_likely([each for line in chosen for each in _likelihoods(line)], grammar)
            if match is None:
                continue
            likelihood, text = match
            unchanged = sum(map(str.__eq__, text, "".join(line.text for line in chosen)))
            confidence = min(line.confidence for line in chosen) * likelihood
            if (unchanged, confidence) > best_rank:
                best_rank = unchanged, confidence
                confidence = min(confidence, recognized.confidence)
                best = replace(recognized, text=text, confidence=confidence, candidates=())
    return best


def _likelihoods(line: TextLine) -> Sequence[Likelihoods]:
    """For each character, the engine's candidates if there are any, else characters of similar shape."""
    if not line.candidates:
        return [{one: 1.0} | dict.fromkeys(_SIMILAR.get(one, ""), _SIMILAR_LIKELIHOOD) for one in line.text]
    relative = [
        {one: probability / candidates[recognized] for one, probability in candidates.items()}
        for recognized, candidates in zip(line.text, line.candidates, strict=True)
    ]
    return [{one: each for one, each in likelihoods.items() if each >= _MIN_LIKELIHOOD} for likelihoods in relative]


def _confidence(line: TextLine) -> float:
    return line.confidence


def _most_likely(characters: Sequence[Likelihoods], grammar: Sequence[Country]) -> tuple[float, str] | None:
    """The most likely text of these characters that matches a pattern, with its likelihood; None where none does."""
    matches = [
        match
        for country in grammar
        for pattern in country.patterns
        if len(pattern) == len(characters) and (match := _match(pattern, country.prefixes, characters))
    ]
    return max(matches, key=lambda match: match[0], default=None)


def _match(pattern: str, prefixes: Sequence[str], characters: Sequence[Likelihoods]) -> tuple[float, str] | None:
    """The most likely text that matches one pattern, with its likelihood."""
    letters = (len(pattern) - len(pattern.lstrip("@"))) if prefixes else 0
    likelihood, text = 1.0, ""
    if letters:
        likelihood, text = max(
            (
                (math.prod(one.get(letter, 0.0) for one, letter in zip(characters, prefix, strict=False)), prefix)
                for prefix in prefixes
                if len(prefix) == letters
            ),
            default=(0.0, ""),
        )
    for symbol, candidates in zip(pattern[letters:], characters[letters:], strict=True):
        fitting = [(each, one) for one, each in candidates.items() if _fits(one, symbol)]
        each, one = max(fitting, key=lambda candidate: candidate[0], default=(0.0, ""))
        likelihood, text = likelihood * each, text + one
    return (likelihood, text) if likelihood > 0 else None


def _fits(character: str, symbol: str) -> bool:
    return {"@": character.isalpha(), "#": character.isdigit()}.get(symbol, character == symbol)
