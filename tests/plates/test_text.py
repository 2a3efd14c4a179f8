"""The text of a plate, normalized."""

import pytest

from lpr.plates.text import CHARACTERS, fold, normalize, normalize_latin, other_characters


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" mh-12 de.1433\r\n", "MH12DE1433"),
        ("ＫＡ０５", "KA05"),
        ("", ""),
        ("ü-né 1", "UNE1"),
        ("京A·12", "京A12"),
        ("12 أ 345", "12أ345"),
        ("١٢٣ ب ــ س", "123بس"),
        ("서울 12가 3456", "서울12가3456"),
        ("ঢাকা মেট্রো ১১-২৩", "ঢাকামেট্রো1123"),
        ("BØ 12", "BØ12"),
    ],
)
def test_texts_keep_their_letters_and_digits(raw: str, text: str) -> None:
    assert normalize(raw) == text
    assert normalize(text) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("а 111 аа 77", "A111AA77"),
        ("АВЕКМНОРСТУХ", "ABEKMHOPCTYX"),
        ("ΑΒΕ-1234", "ABE1234"),
        ("А111AA77", "A111AA77"),
        ("Ж111АА", "Ж111АА"),
        ("ЙА1", "ЙА1"),
    ],
)
def test_letters_that_look_like_latin_ones_become_these_where_all_can(raw: str, text: str) -> None:
    assert normalize(raw) == text


def test_three_russian_plates_are_three_texts() -> None:
    assert len({normalize(text) for text in ("А111АА77", "В111КК77", "М111НН77")}) == 3


@pytest.mark.parametrize(("raw", "text"), [("京A·12", "A12"), ("а111аа", "A111AA"), ("ка-05", "KA05"), ("粤", "")])
def test_engines_of_a_to_z_return_these_alone(raw: str, text: str) -> None:
    assert normalize_latin(raw) == text


def test_what_an_alphabet_of_a_to_z_lacks() -> None:
    assert other_characters("京A12أ") == "京أ"
    assert other_characters(CHARACTERS) == ""


def test_folding_replaces_o_and_i_alone() -> None:
    assert fold(CHARACTERS) == "0123456789ABCDEFGH1JKLMN0PQRSTUVWXYZ"
