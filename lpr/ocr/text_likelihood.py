"""The likeliest text of a plate, given the characters that one network found and what another made of each line.

Two networks err in ways of their own, so the text of which both together are the likeliest need not be the one of which
either is surer. One finds characters, and has a probability for each that a character may be; the other reads a line
from left to right, and has at each step the probabilities of all characters and of none (connectionist temporal
classification, Graves et al. 2006).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from lpr.ocr.engines.base import PlateText
from lpr.plates.text import CHARACTERS

_LEAST_PROBABILITY = 0.003  # of a character that is not among the candidates
_PROBABILITY_OF_A_GAP = 0.2  # that a character was missed, or one found too many
_LEAST_OF_STEP = 0.003 / (len(CHARACTERS) + 1)  # of any character, and of none, at a step
_CERTAIN = 0.999  # from which there is no character at a step
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
    scores = [
        candidates_log_likelihood(found, text) + float(ctc_log_likelihoods(steps, [text])[0]) for text in different
    ]
    best = scores.index(max(scores))
    return different[best], 1 / sum(math.exp(score - scores[best]) for score in scores)


def joint_candidates(text: str, found: PlateText, steps: Sequence[np.ndarray]) -> list[dict[str, float]]:
    """For each character of a text, `CHARACTERS` → the probability that it is each, the others being as they are.

    Where another is likelier, since none of the texts to choose among had it, the text's own has the same probability.

    Args:
        text: one of those of `likeliest`.
        found, steps: as of `likeliest`.
    """
    by_candidates = np.ones((len(text), len(CHARACTERS)))
    place = 0
    for likely, character in _candidates_aligned(found, text):
        if likely and character:
            by_candidates[place] = [_probability(likely, each) for each in CHARACTERS]
        place += bool(character)
    others = [text[:index] + each + text[index + 1 :] for index in range(len(text)) for each in CHARACTERS]
    by_steps = ctc_log_likelihoods(steps, others).reshape(len(text), -1)
    joint = by_candidates * np.exp(by_steps - by_steps.max(axis=1, keepdims=True))
    joint /= joint.sum(axis=1, keepdims=True)
    return [
        dict(zip(CHARACTERS, row, strict=True)) | {own: max(row)} for own, row in zip(text, joint.tolist(), strict=True)
    ]


def candidates_log_likelihood(found: PlateText, text: str) -> float:
    """The logarithm of the probability of a text, by the candidates of the characters that were found."""
    return sum(
        math.log(_probability(likely, character) if likely and character else _PROBABILITY_OF_A_GAP)
        for likely, character in _candidates_aligned(found, text)
    )


def ctc_log_likelihoods(steps: Sequence[np.ndarray], texts: Sequence[str]) -> np.ndarray:
    """The logarithms of the probabilities of texts, by the steps of their lines, float (n,): the forward algorithm,
    equations 6–8 of Graves et al. 2006, "Connectionist temporal classification".

    Args:
        steps: as of `likeliest`.
        texts: n of them, of `lpr.plates.text.CHARACTERS`, all of one length.
    """
    rows = np.concatenate([part for line in steps for part in (line, _BETWEEN_LINES)])
    nothing = rows[:, 0] > _CERTAIN
    rows = rows[~nothing | np.append(True, ~nothing[:-1])]  # one step without a character tells as much as many
    characters = np.array([[CHARACTERS.index(one) + 1 for one in text] for text in texts], int)
    # A step without a character may stand before, between and after them.
    labels = np.zeros((len(texts), 2 * characters.shape[1] + 1), int)
    labels[:, 1::2] = characters
    # A character follows the one before it at once, unless both are the same: they would count as one.
    skips = np.zeros(labels.shape, bool)
    skips[:, 3::2] = characters[:, 1:] != characters[:, :-1]
    # The probability to have come so far, with two places in front for what is before.
    reached = np.zeros((len(texts), labels.shape[1] + 2))
    reached[:, 2] = 1.0
    total = np.zeros(len(texts))
    for row in np.maximum(rows, _LEAST_OF_STEP):
        reached[:, 2:] = (reached[:, 2:] + reached[:, 1:-1] + reached[:, :-2] * skips) * row[labels]
        scale = reached.sum(axis=1)
        reached /= scale[:, None]
        total += np.log(scale)
    return total + np.log(np.maximum(reached[:, -2:].sum(axis=1), 1e-300))


def _candidates_aligned(found: PlateText, text: str) -> Iterator[tuple[Mapping[str, float] | None, str]]:
    """The candidates of the characters that were found beside the characters of a text: None, or "", for a gap."""
    candidates = (each for line in found.lines for each in line.candidates)
    for own, character in _aligned(found.text, text):
        yield (next(candidates) if own else None), character


def _probability(candidates: Mapping[str, float], character: str) -> float:
    return max(candidates.get(character, 0.0) / sum(candidates.values()), _LEAST_PROBABILITY)


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
