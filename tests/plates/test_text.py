"""The text of a plate, normalized."""

import pytest

from lpr.plates.text import CHARACTERS, fold, normalize


@pytest.mark.parametrize(
    ("raw", "text"), [(" mh-12 de.1433\r\n", "MH12DE1433"), ("ＫＡ０５", "KA05"), ("京A·12", "A12"), ("", "")]
)
def test_texts_are_normalized(raw: str, text: str) -> None:
    assert normalize(raw) == text


def test_folding_replaces_o_and_i_alone() -> None:
    assert fold(CHARACTERS) == "0123456789ABCDEFGH1JKLMN0PQRSTUVWXYZ"
