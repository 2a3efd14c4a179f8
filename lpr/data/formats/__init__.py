"""Annotation formats, a module each; `format` of an entry of `data.sources` names one. `base` describes them."""

from __future__ import annotations

from typing import cast

from lpr.config import plugins
from lpr.data.formats.base import Format

__all__ = ["Format", "load"]


def load(name: str) -> Format:
    """The format of that name: a module of this folder, or, with a dot in the name, any module.

    Raises:
        UserError: there is no such module, or it is no format.
    """
    return cast(Format, plugins.load("lpr.data.formats", name, "format", Format))
