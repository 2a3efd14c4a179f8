"""O or 0, I or 1: resolved by the group of letters or of digits in which the character stands.

Many plates print them alike, so that an engine cannot tell them apart by their shape. Letters and digits stand in
groups, with gaps, hyphens, dots and seals between them: O among digits alone is a zero, and 0 among letters alone is an
O, in whatever country. A group that has other letters and other digits, such as BD51 on British plates, is left as it
was recognized.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from lpr.plates.text import normalize_latin

_SEPARATOR = re.compile(r"[\W_]")


def resolve_line(raw: str) -> str:
    """The A–Z and 0–9 of a line as an engine returns it, its groups resolved: `0X·34O` → `OX340`.

    A group that is a single zero becomes the letter, since no registration has the number 0.
    """
    return "".join(_resolve(normalize_latin(group)) for group in _SEPARATOR.split(raw))


def resolve_groups(text: str, sizes: Sequence[int]) -> str:
    """The same of a text of A–Z and 0–9 whose groups have these numbers of characters, from left to right."""
    return "".join(_resolve(text[first:last]) for first, last in pairwise(accumulate(sizes, initial=0)))


def _resolve(group: str) -> str:
    unambiguous = set(group) - set("O0I")
    if group == "0" or (unambiguous and "".join(unambiguous).isalpha()):
        return group.replace("0", "O")
    if unambiguous and "".join(unambiguous).isdigit():
        return group.replace("O", "0").replace("I", "1")
    return group
