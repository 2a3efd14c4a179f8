"""O or 0, I or 1, by the group that it stands in."""

import pytest

from lpr.ocr.groups import like_with_like, settled


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
def test_like_goes_with_like(raw: str, text: str) -> None:
    assert like_with_like(raw) == text


@pytest.mark.parametrize(
    "raw",
    ["GJ01MW7581", "KA01", "B082BMG", "9U00087", "QJ1-6421", "O0", "I0", "00 11", "1 234", "IO", "GJO7BR1336"],
)
def test_what_says_nothing_for_sure_stays(raw: str) -> None:
    assert like_with_like(raw) == raw.replace("-", "").replace(" ", "")


def test_groups_may_be_known_by_their_sizes() -> None:
    assert settled("R0BO84IO", [3, 3, 2]) == "ROB084IO"
    assert settled("R0BO84IO", [8]) == "R0BO84IO"
    assert settled("", []) == ""


def test_nothing_in_nothing_out() -> None:
    assert like_with_like("") == like_with_like(" ·京") == ""
