"""How texts are misread, and the likeliest text of a plate given what several engines read.

A noisy-channel model (Kernighan, Church and Gale 1990, "A spelling correction program based on a noisy channel model"):
each engine errs in its own ways, so that the text of which all readings together are the likeliest need not be the one
that most of them have. RapidOCR, for one, has O for Q and N for W too often to be believed against the recognizer.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from lpr.files import replaced
from lpr.ocr.engines.base import NO_TEXT, PlateText

COLUMNS = ["true", "read", "count"]
_PRIOR_TOTAL = 0.5  # added to the counts of each true character (additive smoothing)
_PRIOR_COUNT = _PRIOR_TOTAL / 36
_LEAST_PROBABILITY = 0.003  # of a character that is not among an engine's candidates
_PROBABILITY_OF_A_GAP = 0.05  # that an engine with candidates misses a character, or reads one too many
_MAX_EDITS = 1 / 3  # of a reading that errors are counted in, per character: more of them is other lettering


class ReadingErrors:
    """How often an engine reads one character as another, misses one, or reads one too many.

    Args:
        counts: (true character, read character) → how often; "" for a character that is not there.
    """

    def __init__(self, counts: Mapping[tuple[str, str], int]) -> None:
        self._counts = counts
        self._read, self._missed, self._extra = Counter[str](), 0, 0
        for (true, read), count in counts.items():
            if true and read:
                self._read[true] += count
            elif true:
                self._missed += count
            else:
                self._extra += count

    @classmethod
    def count(cls, readings: Iterable[tuple[str, str]]) -> ReadingErrors:
        """Those in (true text, read text), where at most a third of the characters is misread."""
        counts: Counter[tuple[str, str]] = Counter()
        for true, read in readings:
            if read and Levenshtein.distance(true, read) <= _MAX_EDITS * len(true):
                counts.update(_aligned(true, read))
        return cls(counts)

    @classmethod
    def load(cls, path: Path) -> ReadingErrors:
        """Those in a CSV with `COLUMNS`."""
        with path.open(newline="") as file:
            return cls({(row["true"], row["read"]): int(row["count"]) for row in csv.DictReader(file)})

    def save(self, path: Path) -> None:
        """Write them as a CSV with `COLUMNS`, in alphabetical order."""
        with replaced(path) as unfinished, unfinished.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([*pair, count] for pair, count in sorted(self._counts.items()))

    def log_likelihood(self, true: str, read: str) -> float:
        """The logarithm of the probability that `true` is read as `read`."""
        return sum(self._log_probability(*pair) for pair in _aligned(true, read))

    def _log_probability(self, true: str, read: str) -> float:
        if true and read:
            return math.log((self._counts.get((true, read), 0) + _PRIOR_COUNT) / (self._read[true] + _PRIOR_TOTAL))
        return math.log(((self._missed if true else self._extra) + _PRIOR_COUNT) / (self._read.total() + _PRIOR_TOTAL))


def likeliest(own: PlateText, readings: Sequence[PlateText], errors: ReadingErrors) -> PlateText:
    """The text that an engine's candidates, and the readings of another engine, are the likeliest for.

    Args:
        own: a text whose lines have candidates.
        readings: of the other engine; they weigh as much as one, since they err alike. May be empty texts.
        errors: of the other engine.

    Returns:
        One of the texts. Its confidence is its probability among them, times the mean of both engines' confidences,
        each as far as its text is the same.
    """
    recognized = [reading for reading in readings if reading.text]
    texts = list({text.text: text for text in (*recognized, own) if text.text}.values())
    if not texts:
        return NO_TEXT
    scores = [
        _log_likelihood_by_candidates(own, text.text)
        + sum(errors.log_likelihood(text.text, reading.text) for reading in recognized) / len(readings)
        for text in texts
    ]
    best = scores.index(max(scores))
    probability = 1 / sum(math.exp(score - scores[best]) for score in scores)
    of_own, *of_others = (
        each.confidence * Levenshtein.normalized_similarity(each.text, texts[best].text) for each in (own, *readings)
    )
    return replace(texts[best], confidence=probability * (of_own + sum(of_others) / len(of_others)) / 2)


def _log_likelihood_by_candidates(own: PlateText, text: str) -> float:
    """The logarithm of the probability that an engine with these candidates for its characters gives a text."""
    candidates = (each for line in own.lines for each in line.candidates)
    total = 0.0
    for own_character, character in _aligned(own.text, text):
        probability = _PROBABILITY_OF_A_GAP
        if own_character:
            likely = next(candidates)
            if character:
                probability = max(likely.get(character, 0.0) / sum(likely.values()), _LEAST_PROBABILITY)
        total += math.log(probability)
    return total


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
