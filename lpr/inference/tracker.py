"""Tracking plates from frame to frame of a video, and the consensus of the texts of a track.

Tracking follows SORT (Bewley et al. 2016, arXiv:1602.00763): boxes extrapolated at constant velocity are assigned to
the detected ones by the Hungarian method. Unlike there, similar texts count as well as overlap: plates are small, and
move far between frames.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from lpr.boxes import pairwise_iou
from lpr.inference.assignment import best_assignment
from lpr.inference.plates import Plate

_MIN_IOU = 0.3  # of an extrapolated and a detected box that may be of one plate (SORT's)
_MIN_TEXT_SIMILARITY = 0.75  # of two texts that may be of one plate, wherever it is


@dataclass(frozen=True)
class Track:
    """A plate in the frames of a video.

    Attributes:
        number: from 1, in the order of their first frames.
        first, last: frames, from 0.
        plates: the number of frames in which it was detected.
        text: the consensus of its frames, empty where none has a text.
        confidence: of that text, in 0–1; None without an OCR engine.
    """

    number: int
    first: int
    last: int
    plates: int
    text: str
    confidence: float | None

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold of it, without a confidence that is None."""
        if self.confidence is None:
            return {key: value for key, value in asdict(self).items() if key != "confidence"}
        return asdict(self) | {"confidence": round(self.confidence, 4)}


class Tracker:
    """Assigns the plates of one frame after another to tracks.

    Args:
        max_gap: consecutive frames without the plate after which its track ends.
    """

    def __init__(self, max_gap: int) -> None:
        self._max_gap = max_gap
        self._recent: dict[int, list[tuple[int, Plate]]] = {}  # track → its last two frames and plates
        self._count = 0

    def update(self, plates: Sequence[Plate], frame: int) -> list[Plate]:
        """The plates of this frame with their track's number; frames must come in their order."""
        self._recent = {
            number: recent for number, recent in self._recent.items() if frame - recent[-1][0] <= self._max_gap + 1
        }
        numbers = self._matched(plates, frame)
        tracked = []
        for place, plate in enumerate(plates):
            if place not in numbers:
                self._count += 1
            number = numbers.get(place, self._count)
            self._recent[number] = [*self._recent.get(number, [])[-1:], (frame, plate)]
            tracked.append(replace(plate, frame=frame, track=number))
        return tracked

    def _matched(self, plates: Sequence[Plate], frame: int) -> dict[int, int]:
        """Place among the plates → the track that it continues."""
        if not plates or not self._recent:
            return {}
        tracks = list(self._recent)
        expected = np.array([_expected(self._recent[number], frame) for number in tracks])
        overlap = pairwise_iou(expected, np.array([plate.box for plate in plates]))
        similarity = np.array(
            [[_text_similarity(self._recent[number][-1][1], plate) for plate in plates] for number in tracks]
        )
        allowed = (overlap >= _MIN_IOU) | (similarity >= _MIN_TEXT_SIMILARITY)
        pairs = best_assignment(np.where(allowed, overlap + similarity, 0))
        return {one: tracks[row] for row, one in pairs if allowed[row, one]}


def _expected(recent: Sequence[tuple[int, Plate]], frame: int) -> np.ndarray:
    """The box of a track in a frame, extrapolated at constant velocity."""
    (first, before), (last, now) = recent[0], recent[-1]
    box = np.array(now.box)
    return box + (box - before.box) / (last - first) * (frame - last) if last > first else box


def _text_similarity(one: Plate, other: Plate) -> float:
    return Levenshtein.normalized_similarity(one.text, other.text) if one.text and other.text else 0.0


class Tracks:
    """The tracks of a video, of its plates frame by frame; memory grows with the tracks and their texts alone."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Frames] = {}

    def add(self, plates: Iterable[Plate]) -> None:
        """Those of the plates of a frame that have a track's number; frames come in their order."""
        for plate in plates:
            if plate.track is not None and plate.frame is not None:
                self._tracks.setdefault(plate.track, _Frames(plate.frame)).add(plate, plate.frame)

    def summaries(self) -> list[Track]:
        """The tracks so far, in the order of their numbers."""
        return [frames.summary(number) for number, frames in sorted(self._tracks.items())]


class _Frames:
    """Of one track."""

    def __init__(self, first: int) -> None:
        self._first = self._last = first
        self._plates, self._texts = 0, Texts()

    def add(self, plate: Plate, frame: int) -> None:
        self._last = frame
        self._plates += 1
        if plate.text_confidence is not None:
            self._texts.add(plate.text, plate.text_confidence)

    def summary(self, number: int) -> Track:
        text, confidence = self._texts.consensus()
        return Track(number, self._first, self._last, self._plates, text, confidence if self._texts else None)


class Texts:
    """The texts of a plate in several frames."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)  # of the confidences of each text
        self._largest: dict[str, float] = defaultdict(float)

    def __bool__(self) -> bool:
        """Whether there is any, even an empty one."""
        return bool(self._sums)

    def add(self, text: str, confidence: float) -> None:
        """The text of another frame; confidence in 0–1."""
        self._sums[text] += confidence
        self._largest[text] = max(self._largest[text], confidence)

    def consensus(self) -> tuple[str, float]:
        """One text, and its confidence; ("", 0) where all are empty.

        The length with the largest sum of confidences is chosen, and for each character, the one with the largest sum
        among the texts of that length. The confidence is the largest of the texts that are equal to the result (of all
        of that length, where none is), times the smallest share of the sum that one of its characters has.
        """
        lengths: dict[int, float] = defaultdict(float)
        for text, total in self._sums.items():
            if text:
                lengths[len(text)] += total
        if not lengths:
            return "", 0.0
        length = max(lengths, key=lambda one: lengths[one])
        same = {text: total for text, total in self._sums.items() if len(text) == length}
        chosen, smallest_share = "", 1.0
        for place in range(length):
            sums: dict[str, float] = defaultdict(float)
            for text, total in same.items():
                sums[text[place]] += total
            best = max(sums, key=lambda one: sums[one])
            chosen += best
            smallest_share = min(smallest_share, sums[best] / max(sum(sums.values()), 1e-9))
        largest = self._largest[chosen] if chosen in same else max(self._largest[text] for text in same)
        return chosen, largest * smallest_share
