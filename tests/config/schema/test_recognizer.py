"""The section of the recognizer."""

import re

import pytest

from lpr.composition.compose import compose
from lpr.errors import UserError
from lpr.plates.text import CHARACTERS


@pytest.mark.parametrize("others", ["", "京沪", "БГД"])
def test_an_alphabet_has_others_after_those_of_synthetic_plates(in_root: object, others: str) -> None:
    assert compose([f'recognizer.alphabet="{CHARACTERS}{others}"']).recognizer.alphabet == CHARACTERS + others


@pytest.mark.parametrize(
    ("alphabet", "words"),
    [
        ("ABC", f"should begin with {CHARACTERS}, in which synthetic plates are lettered"),
        (f"京{CHARACTERS}", "should begin with"),
        (f"{CHARACTERS}京沪京A", "should have each character once, but has A, 京 more often"),
        (f"{CHARACTERS}京·", "should have letters and digits alone"),
        (f"{CHARACTERS}é京", f"should be in the normal form of true texts, as '{CHARACTERS}E京' is"),
        (f"{CHARACTERS}ж", f"should be in the normal form of true texts, as '{CHARACTERS}Ж' is"),
    ],
)
def test_an_alphabet_that_true_texts_do_not_have_is_refused(in_root: object, alphabet: str, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"recognizer.alphabet={alphabet!r}: {words}")):
        compose([f'recognizer.alphabet="{alphabet}"'])
