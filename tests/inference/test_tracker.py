"""Tracking plates from frame to frame, and the consensus of their texts."""

from __future__ import annotations

import pytest

from lpr.inference.plates import Plate
from lpr.inference.tracker import Texts, Track, Tracker, Tracks


def plate(x: float, y: float = 100, text: str = "", confidence: float | None = None) -> Plate:
    return Plate((x, y, x + 60, y + 20), 0.9, text, confidence)


def follow(frames: list[list[Plate]], max_gap: int = 2) -> list[Plate]:
    tracker = Tracker(max_gap)
    return [one for number, plates in enumerate(frames) for one in tracker.update(plates, number)]


def numbers(frames: list[list[Plate]], max_gap: int = 2) -> list[int | None]:
    return [one.track for one in follow(frames, max_gap)]


def test_plates_that_pass_each_other_keep_their_numbers() -> None:
    frames = [[plate(10 * time), plate(100 - 10 * time, 118)] for time in range(11)]
    assert numbers(frames) == [1, 2] * 11


def test_a_plate_that_was_missed_for_some_frames_keeps_its_track() -> None:
    moving = [[plate(30 * time)] for time in range(6)]
    moving[3] = moving[4] = []
    assert numbers(moving) == [1, 1, 1, 1]
    assert numbers(moving, max_gap=1) == [1, 1, 1, 2]


def test_a_plate_that_moved_far_is_matched_by_its_text() -> None:
    assert numbers(
        [[plate(0, text="KA01AB1234", confidence=0.9)], [plate(300, text="KA01A81234", confidence=0.6)]]
    ) == [1, 1]
    assert numbers(
        [[plate(0, text="KA01AB1234", confidence=0.9)], [plate(300, text="MH12DE9876", confidence=0.9)]]
    ) == [1, 2]


def test_a_track_has_its_frames_and_its_consensus() -> None:
    frames = [
        [plate(0, text="KA01AB1234", confidence=0.9)],
        [plate(10, text="KA01A81234", confidence=0.5), plate(300)],
        [plate(20, text="KA01AB1234", confidence=0.8)],
    ]
    tracks = Tracks()
    tracks.add(follow(frames))
    first, second = tracks.summaries()
    assert (first.number, first.first, first.last, first.plates, first.text) == (1, 0, 2, 3, "KA01AB1234")
    assert first.confidence == pytest.approx(0.9 * 1.7 / 2.2)
    assert second == Track(2, 1, 1, 1, "", None)


def consensus(texts: list[tuple[str, float]]) -> tuple[str, float]:
    found = Texts()
    for text, confidence in texts:
        found.add(text, confidence)
    return found.consensus()


def test_each_character_is_chosen_among_the_texts_of_the_chosen_length() -> None:
    text, confidence = consensus([("AB1", 0.6), ("AC1", 0.5), ("XB1", 0.4), ("A1", 0.3), ("", 0.0)])
    assert text == "AB1"
    assert confidence == pytest.approx(0.6 * 1.0 / 1.5)


def test_a_consensus_is_never_more_confident_than_its_best_text() -> None:
    assert consensus([("KA01", 0.7)] * 9) == ("KA01", pytest.approx(0.7))
    assert consensus([("", 0.0), ("", 0.0)]) == ("", 0.0)
