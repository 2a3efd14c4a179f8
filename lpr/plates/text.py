"""What a plate's text is: upper-case A–Z and 0–9, nothing else."""

import re
import unicodedata

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_OTHER = re.compile(r"[^A-Z0-9]")


def normalize(raw: str) -> str:
    """Upper-case A–Z and 0–9 of `raw`, accents and full-width forms taken off, the rest left out."""
    return _OTHER.sub("", unicodedata.normalize("NFKD", raw).upper())


def fold(text: str) -> str:
    """The text with O read as 0 and I as 1: plates and annotators often do not tell them apart."""
    return text.replace("O", "0").replace("I", "1")
