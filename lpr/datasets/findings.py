"""What is known of a set of annotated images before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd


class Pair(NamedTuple):
    """Two images that seem to show the same.

    Attributes:
        kind: why they seem to.
        images: their names in tables.
        urls: their URLs or paths.
    """

    kind: str
    images: tuple[str, str]
    urls: tuple[str, str]


@dataclass(frozen=True)
class Findings:
    """What a set holds.

    Attributes:
        facts: what it is about → in words.
        rejects: a row a line or plate that cannot be used, `lpr.data.annotations.REJECT_COLUMNS`.
        failures: a row an image that is not available, as of `lpr.data.originals.visit_originals`.
        plates: a row a plate, those that are ignored among them, and a row without a box for an image without plates:
            `lpr.data.placement.PLACED_COLUMNS`, boxes in pixels of the upright image.
        images: a row an image that was read, `lpr.data.originals.IMAGE_COLUMNS`.
        pairs: images that seem to show the same.
    """

    facts: dict[str, str]
    rejects: pd.DataFrame
    failures: pd.DataFrame
    plates: pd.DataFrame
    images: pd.DataFrame
    pairs: list[Pair]
