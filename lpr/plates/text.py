"""The text of a plate: upper-case A–Z and 0–9, nothing else."""

import re
import unicodedata

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_OTHER = re.compile(r"[^A-Z0-9]")


def normalize(raw: str) -> str:
    """The upper-case A–Z and 0–9 of `raw`, after the removal of accents and full-width forms; the rest is left out."""
    return _OTHER.sub("", unicodedata.normalize("NFKD", raw).upper())


def fold(text: str) -> str:
    """The text with 0 for O and 1 for I, which plates and annotators often do not distinguish."""
    return text.replace("O", "0").replace("I", "1")
