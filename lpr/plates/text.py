"""The text of a plate in its normal form: upper-case letters and digits, whatever the script.

Russian, Ukrainian, Serbian, Bulgarian and Greek plates use only those letters of their alphabets that look like Latin
ones, so that a plate can be typed in either. Such letters become the Latin ones where all letters of the text can.
"""

import re
import unicodedata

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What the OCR engines that come with the package recognize, and what the recognizer's alphabet begins with."""

_OTHER = re.compile(f"[^{CHARACTERS}]")
# Cyrillic, then Greek.
_LOOK_ALIKES = str.maketrans(
    "АВЕІЈКМНОРСЅТУХ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABEIJKMHOPCSTYX" + "ABEZHIKMNOPTYX",
)
_TATWEEL = "\N{ARABIC TATWEEL}"  # stretches a line; Unicode counts it among the letters


def normalize(raw: str) -> str:
    """The upper-case letters and digits of `raw`; spaces and punctuation are left out.

    Latin letters lose their accents, digits of all scripts become 0–9, full-width forms the usual ones, and letters
    that look like Latin ones become these, as the module's docstring says: `京A·12` → `京A12`; `а 111 аа 77`, typed
    in Cyrillic, → `A111AA77`.
    """
    kept: list[str] = []
    for character in unicodedata.normalize("NFKD", raw).upper():
        if unicodedata.category(character).startswith("M"):
            # An accent of a Latin letter is left out; other scripts write their vowels so.
            if kept and not kept[-1].isascii():
                kept.append(character)
        elif character.isalnum() and character != _TATWEEL:
            kept.append(str(unicodedata.decimal(character, character)))
    text = unicodedata.normalize("NFC", "".join(kept))
    latin = text.translate(_LOOK_ALIKES)
    return latin if latin.isascii() else text


def normalize_latin(raw: str) -> str:
    """The A–Z and 0–9 of the normal form of `raw`: a text for engines and networks that know no other characters."""
    return _OTHER.sub("", normalize(raw))


def other_characters(text: str) -> str:
    """The characters of a text in its normal form that are not among `CHARACTERS`, in their order."""
    return "".join(_OTHER.findall(text))


def fold(text: str) -> str:
    """The text with 0 for O and 1 for I, which plates and annotators often do not distinguish."""
    return text.replace("O", "0").replace("I", "1")
