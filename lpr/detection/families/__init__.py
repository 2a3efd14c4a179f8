"""The detector families, a module each; `detector.name` of the configuration names one. See `base`."""

from __future__ import annotations

from typing import cast

from lpr.config import plugins
from lpr.detection.families.base import Family

__all__ = ["Family", "load"]


def load(name: str) -> Family:
    """The family of that name: a module of this folder, or, where the name has a dot, a module of one's own.

    Raises:
        UserError: there is no such module, or it is no family.
    """
    return cast(Family, plugins.load("lpr.detection.families", name, "detector.name", Family))
