"""What the attributes of a labelled box say: the text of the plate, and whether the box is to be ignored.

Labelling tools let annotators define attributes, so these are known by their names and values: `text: KA05`,
`difficult: 1`, `quality: blurred`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# In lower case, letters and digits alone: "Plate-Number" is platenumber. The first that there is has the text.
_TEXTS = (
    *("text", "platetext", "platenumber", "licenseplatenumber", "licenceplatenumber", "licenseplatetext", "lptext"),
    *("licensenumber", "registrationnumber", "registration", "lpnumber", "lp", "plate", "licenseplate", "licenceplate"),
    *("numberplate", "platestring", "transcription", "utf8string", "ocr", "ocrtext", "characters", "number", "value"),
    *("kennzeichen", "matricula", "placa", "targa", "номер", "车牌号", "车牌"),
)
_IGNORED = frozenset(
    {
        *("difficult", "crowd", "iscrowd", "ignore", "ignored", "blurred", "blurry", "unreadable", "illegible"),
        *("notreadable", "notlegible", "dontcare"),
    }
)
_LEGIBLE = frozenset({"legible", "readable"})
_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "off"})


def read_attributes(attributes: Mapping[str, Any]) -> tuple[str, bool]:
    """The text of the plate, "" where no attribute has one, and whether the box is to be ignored.

    It is ignored where an attribute such as difficult, crowd or unreadable is true, or has such a word as its value.

    Args:
        attributes: name → value; values are text, numbers, booleans, or lists or mappings of such.
    """
    values = list(_flatten(attributes))
    ignored = any(
        (name in _IGNORED and _word(value) in _TRUE)
        or (name in _LEGIBLE and _word(value) in _FALSE)
        or _word(value) in _IGNORED
        for name, value in values
    )
    texts = {
        name: str(value).strip()
        for name, value in reversed(values)
        if isinstance(value, str | int) and _word(value) not in {*_IGNORED, "true", "false"}
    }
    return next((texts[name] for name in _TEXTS if texts.get(name)), ""), ignored


def _flatten(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names and single values of attributes: those of a list have its name, those of a mapping their own."""
    for key, value in attributes.items():
        if isinstance(value, Mapping):
            yield from _flatten(value)
        elif isinstance(value, list):
            for item in value:
                yield from _flatten(item if isinstance(item, Mapping) else {key: item})
        else:
            yield _word(key), value


def _word(value: Any) -> str:
    """The letters and digits of a name or a value, in lower case; those of 1.0 are 1."""
    return re.sub(r"[\W_]+", "", str(value).strip().removesuffix(".0")).lower()
