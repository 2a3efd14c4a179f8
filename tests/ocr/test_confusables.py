"""O or 0, I or 1, resolved by the group of characters."""

import pytest

from lpr.ocr.confusables import resolve_groups, resolve_line


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0X 349 GD", "OX349GD"),
        ("M187 00S", "M187OOS"),
        ("924·0TK", "924OTK"),
        ("MH.2O.EU", "MH20EU"),
        ("WA-566O8", "WA56608"),
        ("TN 38 BW i139", "TN38BW1139"),
        ("37-84 0", "3784O"),
        ("(8-O123)_X", "80123X"),
    ],
)
def test_letters_stand_among_letters_and_digits_among_digits(raw: str, text: str) -> None:
    assert resolve_line(raw) == text


@pytest.mark.parametrize(
    "raw",
    ["GJ01MW7581", "KA01", "B082BMG", "9U00087", "QJ1-6421", "O0", "I0", "00 11", "1 234", "IO", "GJO7BR1336"],
)
def test_groups_of_both_kinds_or_of_ambiguous_characters_alone_stay(raw: str) -> None:
    assert resolve_line(raw) == raw.replace("-", "").replace(" ", "")


def test_groups_may_be_given_by_their_sizes() -> None:
    assert resolve_groups("R0BO84IO", [3, 3, 2]) == "ROB084IO"
    assert resolve_groups("R0BO84IO", [8]) == "R0BO84IO"
    assert resolve_groups("", []) == ""


def test_an_empty_text_stays_empty() -> None:
    assert resolve_line("") == resolve_line(" ·京") == ""
