"""The OCR engine that reads the plates."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lpr.config.messages import nearest
from lpr.config.schema.base import Fraction, PlugIn, SplitName
from lpr.plates.countries import GRAMMARS


def _is_grammar(name: str) -> str:
    if name not in GRAMMARS:
        near = " or ".join(map(repr, nearest(name, GRAMMARS) or GRAMMARS))
        raise PydanticCustomError("grammar", "there is no such grammar; did you mean {near}?", {"near": near})
    return name


Grammar = Annotated[str, AfterValidator(_is_grammar)]


class Ocr(PlugIn):
    """The OCR engine; keys besides these are the engine's, a module of `lpr.ocr.engines` or one's own."""

    splits: Annotated[list[SplitName], Field(min_length=1, description="which images are read")]
    margin: Annotated[float, Field(ge=0, le=1, description="added around the box, as a fraction of its height")]
    grammars: dict[str, Grammar] | None = Field(description="source → what its plates may say; else anything")
    low_confidence_threshold: Fraction = Field(description="confidence below which a reading is called doubtful")
