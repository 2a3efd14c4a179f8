"""Lines of text on a plate: their order, and which are the registration."""

from functools import cmp_to_key

import pytest

from lpr.ocr.layout import PlacedLine, has_size_of_date, reading_order, registration_lines


def line(text: str, x: float, y: float, width: float, height: float) -> PlacedLine:
    return PlacedLine(x, y, width, height, text, 0.9)


def test_lines_beside_each_other_come_from_left_to_right_and_others_from_top_to_bottom() -> None:
    lines = [line("C", 50, 60, 90, 20), line("B", 80, 12, 40, 20), line("A", 20, 8, 40, 20)]
    assert [one.text for one in sorted(lines, key=cmp_to_key(reading_order))] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("lines", "registration"),
    [
        ([], []),
        ([line("KERALA", 50, 10, 90, 18), line("KL07", 50, 35, 90, 20)], ["KL07"]),
        ([line("TVPAZ", 50, 10, 90, 20)], ["TVPAZ"]),
        ([line("MH12DE1433", 50, 10, 90, 20), line("MOTORS7", 50, 30, 60, 8)], ["MH12DE1433"]),
        ([line("IND", 4, 10, 8, 10), line("MH12DE1433", 60, 10, 90, 20)], ["MH12DE1433"]),
        ([line("B1464TTD", 50, 10, 90, 20), line("0424", 50, 30, 30, 12)], ["B1464TTD"]),
        ([line("MH12", 50, 10, 40, 12), line("1433", 50, 30, 60, 20)], ["MH12", "1433"]),
        (
            [line("KA09", 20, 10, 30, 12), line("MA", 20, 26, 16, 12), line("2662", 80, 18, 60, 30)],
            ["KA09", "MA", "2662"],
        ),
    ],
    ids=["none", "state", "letters alone", "small", "mark", "date", "small over large", "two beside a tall one"],
)
def test_other_lettering_is_left_out(lines: list[PlacedLine], registration: list[str]) -> None:
    assert [one.text for one in registration_lines(lines, 0.5)] == registration


def test_a_date_is_both_narrower_and_lower() -> None:
    assert has_size_of_date(40, 14, widest=100, tallest=20)
    assert not has_size_of_date(60, 14, widest=100, tallest=20)
    assert not has_size_of_date(40, 16, widest=100, tallest=20)
