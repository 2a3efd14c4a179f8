"""Where images and annotations come from, and how they are fetched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lpr.config.schema.base import Count, Fraction, Name, PlugIn, Positive, Section

OVERRIDE_BOXES, ORIGINAL_BOXES = "_override_boxes", "_original_boxes"
"""What a source's scores by one kind of label alone are named by, after its name; the plain ones have every plate."""


Role = Literal["train", "test", "both"]


class Source(PlugIn):
    """A set of annotated images; keys besides these are its format's.

    `format` names the module, as `name` does in other sections; here, that is what the user calls the set.
    """

    name: Name
    format: str = Field(description="of the annotations, a module of `lpr.data.formats` or one's own")
    role: Role = Field("both", description="train: never tested on; test: never trained on; both: split")
    annotations: str | None = Field(None, description="the annotation file: a path; for some formats also a URL")
    image_root: str | None = Field(None, description="folder or base URL that the images are in")
    texts: str | None = Field(None, description="CSV of plate texts for plates that have none")
    boxes: str | None = Field(None, description="CSV of boxes (pixels) that replace the annotation's own")


class Data(Section):
    """Where the images and their annotations come from, and how they are fetched."""

    name: str
    annotations: str | None
    image_root: str | None
    texts: str | None
    boxes: str | None
    root: str | None
    sources: Annotated[list[Source], Field(min_length=1)]
    workers: Annotated[int, Field(ge=1, le=256)]
    timeout_s: Positive
    attempts: Annotated[int, Field(ge=1, le=20)]
    max_bytes: Count
    max_pixels: Count
    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    max_failed_fraction: Fraction

    @model_validator(mode="after")
    def _sources_make_sense(self) -> Data:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"data.sources: two sources are named {name!r}; names must differ")
            if name.endswith((OVERRIDE_BOXES, ORIGINAL_BOXES)):
                raise ValueError(f"data.sources: {name!r} is what scores are named; end it otherwise")
        if all(source.role == "test" for source in self.sources):
            raise ValueError("data.sources: every source has role 'test', so there is nothing to train on")
        places = [source.annotations for source in self.sources if "annotations" in source.model_fields_set]
        if None in places:
            raise ValueError(
                f"data={self.name} needs to know where its annotations are: add data.annotations=PATH_OR_URL"
            )
        if self.root is None and any(str(place).startswith("None/") for place in places):
            raise ValueError(f"data={self.name} needs to know where its data sets are: add data.root=FOLDER")
        if self.annotations is not None and self.annotations not in places:
            raise ValueError(
                f"data.annotations is set, but data={self.name} does not read it; did you mean data=dataturks?"
            )
        return self
