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


class LocalPath:
    """Marks a field whose value may be the path of a file or folder; relative to the project's folder."""


class Section(BaseModel):
    """A part of the configuration: unknown keys and wrong types are errors, values never change after loading.

    Every field has a description; a subclass that narrows a field's type inherits it (`lpr.composition.keys`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def path_keys(section: type[Section]) -> list[str]:
    """The fields of a section that are marked as `LocalPath`, by it or by a class that it narrows."""
    fields = [item for base in section.__mro__ if issubclass(base, Section) for item in base.model_fields.items()]
    marked = {name for name, field in fields if any(isinstance(mark, LocalPath) for mark in field.metadata)}
    return [name for name in section.model_fields if name in marked]
