"""A plate from frame to frame of a video, and the one reading that its frames vote for.

Followed as SORT does it (Bewley et al. 2016, arXiv:1602.00763): boxes that go on as they went are matched to those
found by the Hungarian method; here, what they say counts as well as where they are: plates are small, and move far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz.distance import Levenshtein
from scipy.optimize import linear_sum_assignment

from lpr.boxes import pairwise_iou
from lpr.inference.plates import Plate

_SAME_PLACE = 0.3  # IoU of boxes (SORT's) from which they may be of one plate
_SAME_TEXT = 0.75  # of the characters, from which texts may be of one plate, wherever it is


@dataclass(frozen=True)
class Track:
    """A plate that was followed.

    Attributes:
        number: from 1, in the order of their first frames.
        first, last: frames, from 0.
        plates: in how many frames it was found.
        text: what its frames vote for, empty where none could be read.
        confidence: of that text, in 0–1; None without a reader.
    """

    number: int
    first: int
    last: int
    plates: int
    text: str
    confidence: float | None


class Tracker:
    """Numbers the plates of one frame after another.

    Args:
        patience: frames for which a plate may be out of sight.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._seen: dict[int, list[tuple[int, Plate]]] = {}  # track → frames and plates, the last two
        self._count = 0

    def follow(self, plates: Sequence[Plate], frame: int) -> list[Plate]:
        """The plates of this frame with their track's number; frames must come in their order."""
        self._seen = {number: seen for number, seen in self._seen.items() if frame - seen[-1][0] <= self._patience + 1}
        numbers = self._matched(plates, frame)
        followed = []
        for place, plate in enumerate(plates):
            if place not in numbers:
                self._count += 1
            number = numbers.get(place, self._count)
            self._seen[number] = [*self._seen.get(number, [])[-1:], (frame, plate)]
            followed.append(replace(plate, frame=frame, track=number))
        return followed

    def _matched(self, plates: Sequence[Plate], frame: int) -> dict[int, int]:
        """Which of the plates, by their places, go on with which track."""
        if not plates or not self._seen:
            return {}
        tracks = list(self._seen)
        expected = np.array([_expected(self._seen[number], frame) for number in tracks])
        near = pairwise_iou(expected, np.array([plate.box for plate in plates]))
        alike = np.array([[_likeness(self._seen[number][-1][1], plate) for plate in plates] for number in tracks])
        may = (near >= _SAME_PLACE) | (alike >= _SAME_TEXT)
        rows, columns = linear_sum_assignment(np.where(may, near + alike, 0), maximize=True)
        return {int(one): tracks[row] for row, one in zip(rows, columns, strict=True) if may[row, one]}


def _expected(seen: Sequence[tuple[int, Plate]], frame: int) -> np.ndarray:
    """Where a plate would be that went on as it last went."""
    (first, before), (last, now) = seen[0], seen[-1]
    box = np.array(now.box)
    return box + (box - before.box) / (last - first) * (frame - last) if last > first else box


def _likeness(one: Plate, other: Plate) -> float:
    return Levenshtein.normalized_similarity(one.text, other.text) if one.text and other.text else 0.0


def tracks(plates: Sequence[Plate]) -> list[Track]:
    """The tracks of a video's numbered plates, in their order."""
    followed: Mapping[int, list[Plate]] = defaultdict(list)
    for plate in plates:
        if plate.track is not None:
            followed[plate.track].append(plate)
    found = []
    for number, own in sorted(followed.items()):
        frames = [plate.frame for plate in own if plate.frame is not None]
        text, confidence = vote(
            [(plate.text, plate.text_confidence) for plate in own if plate.text_confidence is not None]
        )
        read = any(plate.text_confidence is not None for plate in own)
        found.append(Track(number, min(frames), max(frames), len(own), text, confidence if read else None))
    return found


def vote(readings: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """One text of several readings of a plate, with their confidences; ("", 0) where nothing was read.

    The length that is likeliest, and of the readings that have it, character by character, the one that they are surest
    of. It is as sure as the surest of the readings that say it, times the share of the votes that its weakest character
    has.
    """
    lengths: dict[int, float] = defaultdict(float)
    for text, sure in readings:
        if text:
            lengths[len(text)] += sure
    if not lengths:
        return "", 0.0
    length = max(lengths, key=lambda one: lengths[one])
    same = [(text, sure) for text, sure in readings if len(text) == length]
    voted, least = "", 1.0
    for place in range(length):
        votes: dict[str, float] = defaultdict(float)
        for text, sure in same:
            votes[text[place]] += sure
        winner = max(votes, key=lambda one: votes[one])
        voted += winner
        least = min(least, votes[winner] / max(sum(votes.values()), 1e-9))
    agreeing = [sure for text, sure in same if text == voted] or [sure for _, sure in same]
    return voted, max(agreeing) * least
