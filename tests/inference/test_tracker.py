"""A plate from frame to frame, and what its frames vote for."""

from __future__ import annotations

import pytest

from lpr.inference.plates import Plate
from lpr.inference.tracker import Track, Tracker, tracks, vote


def plate(x: float, y: float = 100, text: str = "", sure: float | None = None) -> Plate:
    return Plate((x, y, x + 60, y + 20), 0.9, text, sure)


def follow(frames: list[list[Plate]], patience: int = 2) -> list[Plate]:
    tracker = Tracker(patience)
    return [one for number, plates in enumerate(frames) for one in tracker.follow(plates, number)]


def numbers(frames: list[list[Plate]], patience: int = 2) -> list[int | None]:
    return [one.track for one in follow(frames, patience)]


def test_plates_that_pass_each_other_keep_their_numbers() -> None:
    frames = [[plate(10 * time), plate(100 - 10 * time, 118)] for time in range(11)]
    assert numbers(frames) == [1, 2] * 11


def test_a_plate_is_found_again_where_it_went_while_it_was_out_of_sight() -> None:
    moving = [[plate(30 * time)] for time in range(6)]
    moving[3] = moving[4] = []
    assert numbers(moving) == [1, 1, 1, 1]
    assert numbers(moving, patience=1) == [1, 1, 1, 2]


def test_a_plate_that_jumps_is_known_by_its_text() -> None:
    assert numbers([[plate(0, text="KA01AB1234", sure=0.9)], [plate(300, text="KA01A81234", sure=0.6)]]) == [1, 1]
    assert numbers([[plate(0, text="KA01AB1234", sure=0.9)], [plate(300, text="MH12DE9876", sure=0.9)]]) == [1, 2]


def test_a_track_says_when_how_often_and_what() -> None:
    frames = [
        [plate(0, text="KA01AB1234", sure=0.9)],
        [plate(10, text="KA01A81234", sure=0.5), plate(300)],
        [plate(20, text="KA01AB1234", sure=0.8)],
    ]
    first, second = tracks(follow(frames))
    assert (first.number, first.first, first.last, first.plates, first.text) == (1, 0, 2, 3, "KA01AB1234")
    assert first.confidence == pytest.approx(0.9 * 1.7 / 2.2)
    assert second == Track(2, 1, 1, 1, "", None)


def test_each_character_is_voted_for_by_those_that_have_as_many() -> None:
    text, sure = vote([("AB1", 0.6), ("AC1", 0.5), ("XB1", 0.4), ("A1", 0.3), ("", 0.0)])
    assert text == "AB1"
    assert sure == pytest.approx(0.6 * 1.0 / 1.5)


def test_a_vote_is_never_surer_than_the_surest_reading() -> None:
    assert vote([("KA01", 0.7)] * 9) == ("KA01", pytest.approx(0.7))
    assert vote([("", 0.0), ("", 0.0)]) == ("", 0.0)
