"""The likeliest text of a plate, given the characters that one network found and what another made of each line.

Two networks err in ways of their own, so the text of which both together are the likeliest need not be the one of which
either is surer. One finds characters, and has a probability for each that a character may be; the other reads a line
from left to right, and has at each step the probabilities of all characters and of none (connectionist temporal
classification, Graves et al. 2006).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from lpr.ocr.engines.base import PlateText
from lpr.plates.text import CHARACTERS

_LEAST_PROBABILITY = 0.003  # of a character that is not among the candidates
_PROBABILITY_OF_A_GAP = 0.2  # that a character was missed, or one found too many
_LEAST_OF_STEP = 0.003 / (len(CHARACTERS) + 1)  # of any character, and of none, at a step
_BETWEEN_LINES = np.eye(1, len(CHARACTERS) + 1)  # a step without a character


def likeliest(texts: Iterable[str], found: PlateText, steps: Sequence[np.ndarray]) -> tuple[str, float]:
    """The text of which both networks together are the likeliest, and its probability among the texts.

    Args:
        texts: to choose among, at least one, none empty.
        found: a text whose lines have candidates.
        steps: float (steps, 37) in 0–1 for each line, from top to bottom: the probabilities of no character and of each
            of `lpr.plates.text.CHARACTERS`.
    """
    different = list(dict.fromkeys(texts))
    scores = [candidates_log_likelihood(found, text) + ctc_log_likelihood(steps, text) for text in different]
    best = scores.index(max(scores))
    return different[best], 1 / sum(math.exp(score - scores[best]) for score in scores)


def candidates_log_likelihood(found: PlateText, text: str) -> float:
    """The logarithm of the probability of a text, by the candidates of the characters that were found."""
    candidates = (each for line in found.lines for each in line.candidates)
    total = 0.0
    for own, character in _aligned(found.text, text):
        probability = _PROBABILITY_OF_A_GAP
        if own:
            likely = next(candidates)
            if character:
                probability = max(likely.get(character, 0.0) / sum(likely.values()), _LEAST_PROBABILITY)
        total += math.log(probability)
    return total


def ctc_log_likelihood(steps: Sequence[np.ndarray], text: str) -> float:
    """The logarithm of the probability of a text, by the steps of its lines: the forward algorithm, equations 6–8 of
    Graves et al. 2006, "Connectionist temporal classification".

    Args:
        steps: as of `likeliest`.
        text: of `lpr.plates.text.CHARACTERS`.
    """
    rows = np.concatenate([part for line in steps for part in (line, _BETWEEN_LINES)])
    labels = np.zeros(2 * len(text) + 1, int)  # a step without a character may stand before, between and after them
    labels[1::2] = [CHARACTERS.index(character) + 1 for character in text]
    # A character follows the one before it at once, unless both are the same: they would count as one.
    skips = np.zeros(len(labels), bool)
    skips[3::2] = labels[3::2] != labels[1:-2:2]
    reached = np.zeros(len(labels) + 2)  # the probability to have come so far; two places in front, for what is before
    reached[2] = 1.0
    total = 0.0
    for row in np.maximum(rows, _LEAST_OF_STEP)[:, labels]:
        reached[2:] = (reached[2:] + reached[1:-1] + reached[:-2] * skips) * row
        scale = reached.sum()
        reached /= scale
        total += math.log(scale)
    return total + math.log(max(reached[-2:].sum(), 1e-300))


def _aligned(true: str, read: str) -> Iterator[tuple[str, str]]:
    """The characters that correspond, with the fewest edits: "" for one that has none."""
    for operation in Levenshtein.opcodes(true, read):
        before = true[operation.src_start : operation.src_end]
        after = read[operation.dest_start : operation.dest_end]
        if operation.tag == "insert":
            yield from (("", one) for one in after)
        elif operation.tag == "delete":
            yield from ((one, "") for one in before)
        else:
            yield from zip(before, after, strict=True)
