"""The annotation formats, a module each; `format` of an entry of `data.sources` names one."""

from __future__ import annotations

from typing import cast

from lpr.config import plugins
from lpr.data.formats.base import Format

__all__ = ["Format", "load"]


def load(name: str) -> Format:
    """The format of that name: a module of this folder, or, with a dot in the name, one's own.

    Raises:
        UserError: there is none.
    """
    return cast(Format, plugins.load("lpr.data.formats", name, "format"))
