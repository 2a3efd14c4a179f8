"""What all sections of the configuration have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]


Positive = Annotated[float, Field(gt=0)]


Count = Annotated[int, Field(ge=1)]


Seed = Annotated[int, Field(ge=0, lt=2**31)]


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]


SplitName = Literal["train", "validation", "test"]


class Section(BaseModel):
    """A part of the configuration: unknown keys and wrong types are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlugIn(Section):
    """A section of which a plug-in has further keys: those are checked by the plug-in's own `Settings`.

    The name is that of a module: one of the package's own, or, with a dot in it, one that Python can import.
    """

    model_config = ConfigDict(extra="allow")

    name: str
