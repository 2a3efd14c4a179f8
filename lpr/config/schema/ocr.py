"""The OCR engine that reads the plates."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lpr.config.messages import nearest
from lpr.config.schema.base import Fraction, Section, SplitName
from lpr.plates.countries import GRAMMAR_NAMES


def _is_grammar(name: str) -> str:
    if name not in GRAMMAR_NAMES:
        near = " or ".join(map(repr, nearest(name, GRAMMAR_NAMES) or GRAMMAR_NAMES))
        raise PydanticCustomError("grammar", "there is no such grammar; did you mean {near}?", {"near": near})
    return name


Grammar = Annotated[str, AfterValidator(_is_grammar), Field(json_schema_extra={"enum": list(GRAMMAR_NAMES)})]


class Ocr(Section):
    """The OCR engine, which recognizes the text of the plates. Each engine adds keys of its own."""

    name: str = Field(description="engine: a module of `lpr.ocr.engines`, or the dotted path of a module of your own")
    splits: Annotated[list[SplitName], Field(min_length=1)] = Field(
        description="splits of the data whose plates are read and scored"
    )
    margin: Annotated[float, Field(ge=0, le=1)] = Field(
        description="added to the plate's box on every side before it is cut out, as a fraction of the box's height"
    )
    grammars: dict[str, Grammar] | None = Field(
        description="source name → grammar of its plates, which chooses among the engine's candidates, such as "
        "`{dataturks: india}`, or `auto`: of the region that the recognizer tells; null: texts are taken as they "
        "were recognized"
    )
    low_confidence_threshold: Fraction = Field(
        description="texts with a confidence below it are marked `low_confidence` in the tables and pages"
    )


class AnyOcr(Ocr, extra="allow"):
    """An OCR engine of any kind, whose own keys are checked later, by the engine's `Settings`."""
