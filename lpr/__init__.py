"""License plate recognition: experiments from an annotation file to a scored plate text, and `ALPR` to read plates."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpr.inference.alpr import ALPR, Frame
    from lpr.inference.plates import Plate

__all__ = ["ALPR", "Frame", "Plate"]

_MODULES = {"ALPR": "alpr", "Frame": "alpr", "Plate": "plates"}


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when it is asked for first: `import lpr` takes no time."""
    if name not in _MODULES:
        raise AttributeError(f"module 'lpr' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.inference.{_MODULES[name]}"), name)
