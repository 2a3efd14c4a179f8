"""O or 0, I or 1: by the group of letters or of digits that it stands in.

Many plates print them alike, and then a reader can but guess. Letters and digits stand in groups, though, with gaps,
hyphens, dots and seals between them: O among nothing but digits is a zero, and 0 among nothing but letters is an O,
whatever the country. Of a group that has both kinds besides, such as UK plates' BD51, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from lpr.plates.text import normalize

_BORDER = re.compile(r"[\W_]")


def like_with_like(raw: str) -> str:
    """The upper-case A–Z and 0–9 of a line as it was read, `0X·34O` as OX340.

    A group that is a zero alone is the letter: no number is.
    """
    return "".join(_settled(normalize(group)) for group in _BORDER.split(raw))


def settled(text: str, sizes: Sequence[int]) -> str:
    """The same of a text of A–Z and 0–9 whose groups have so many characters, one after the other."""
    return "".join(_settled(text[first:last]) for first, last in pairwise(accumulate(sizes, initial=0)))


def _settled(group: str) -> str:
    surely = set(group) - set("O0I")
    if group == "0" or (surely and "".join(surely).isalpha()):
        return group.replace("0", "O")
    if surely and "".join(surely).isdigit():
        return group.replace("O", "0").replace("I", "1")
    return group
