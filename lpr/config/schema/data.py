"""Where images and annotations come from, and how they are fetched."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lpr.config.schema.base import Count, Fraction, LocalPath, Name, Positive, Section

OVERRIDE_BOXES, ORIGINAL_BOXES = "_override_boxes", "_original_boxes"
"""Suffixes of a source's name under which scores on one kind of boxes alone are reported; without, all boxes."""


Role = Literal["train", "validation", "test", "both"]


class Source(Section):
    """A set of annotated images. Its annotation format adds keys of its own."""

    name: Name = Field(description="name of the set, unique; scores and tables are reported under it")
    format: str = Field(
        description="annotation format: a module of `lpr.data.formats`, or the dotted path of a module of your own"
    )
    role: Role = Field(
        "both",
        description="train: its images are never tested on; validation: they choose the epoch and the "
        "threshold, and train nothing; test: neither; both: they are split",
    )
    annotations: Annotated[str | None, LocalPath()] = Field(
        None, description="annotations, a path or a URL (http, https, s3, gs); null: the format has no file"
    )
    image_root: Annotated[str | None, LocalPath()] = Field(
        None,
        description="folder or base URL of the images; null: where the format expects them, such as `images/` beside "
        "the annotation file, or the URL of each image",
    )
    texts: Annotated[str | None, LocalPath()] = Field(
        None, description="CSV (image, text) of plate texts for plates whose annotation has none; null: no such file"
    )
    boxes: Annotated[str | None, LocalPath()] = Field(
        None,
        description="CSV (image, xmin, ymin, xmax, ymax; pixels) of override boxes, which replace the original boxes "
        "of the annotation; null: no such file",
    )


class AnySource(Source, extra="allow"):
    """A set of annotated images of any format, whose own keys are checked later, by the format's `Settings`."""

    @model_serializer(mode="wrap")
    def _given_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without defaults: an `annotations` of null is a mistake; where the format has no file, the key is absent."""
        return {key: value for key, value in serialize(self).items() if key in self.model_fields_set}


class Data(Section):
    """Where the images and their annotations come from, and how they are fetched."""

    name: str = Field(description="option of the group `data`")
    annotations: str | None = Field(
        description="annotations of the source, a path or a URL (http, https, s3, gs); null for options that name "
        "their files"
    )
    image_root: str | None = Field(description="folder or base URL of the source's images; null: the format's default")
    format: str = Field(description="annotation format of data=annotated; auto: it is recognised by its content")
    columns: dict[str, str] | None = Field(
        description="what a table calls its columns, such as {image: file, xmin: left}; null: as lpr does"
    )
    plate_labels: Annotated[list[str], Field(min_length=1)] | None = Field(
        description="labels of annotations that are of plates, such as [number_plate]; null: those whose name says so, "
        "or the only one that there is"
    )
    texts: str | None = Field(description="CSV of plate texts for the source; null: none")
    boxes: str | None = Field(description="CSV of override boxes for the source; null: none")
    root: str | None = Field(
        description="folder that holds the data sets, for options of several sources; null where they need none"
    )
    sources: Annotated[list[AnySource], Field(min_length=1)] = Field(description="the sets of annotated images")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(description="images fetched at a time")
    timeout_s: Positive = Field(
        description="seconds to wait for a connection, for the head of an answer, and between two parts of its body; a "
        "whole body may take 30 times as long"
    )
    attempts: Annotated[int, Field(ge=1, le=20)] = Field(
        description="tries for each file, repeated on HTTP 429 and 5xx, timeouts and broken connections"
    )
    max_bytes: Count = Field(description="largest image or annotation file accepted, bytes")
    max_pixels: Count = Field(description="largest image accepted, width × height in pixels")
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = Field(
        description="JPEG quality of cached images that are not upright RGB JPEGs already; those keep their pixels"
    )
    max_failed_fraction: Fraction = Field(
        description="share of the images that may be missing; `lpr download` fails above it"
    )

    @model_validator(mode="after")
    def _sources_make_sense(self) -> Data:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"data.sources: two sources are named {name!r}; names must differ")
            if name.endswith((OVERRIDE_BOXES, ORIGINAL_BOXES)):
                raise ValueError(f"data.sources: {name!r} ends as names of scores do; choose another ending")
        if all(source.role in ("validation", "test") for source in self.sources):
            raise ValueError("data.sources: no source has role 'train' or 'both', so there is nothing to train on")
        places = [source.annotations for source in self.sources if "annotations" in source.model_fields_set]
        if None in places:
            raise ValueError(f"data={self.name} needs an annotation file: add data.annotations=PATH_OR_URL")
        if self.root is None and any(str(place).startswith("None/") for place in places):
            raise ValueError(f"data={self.name} needs the folder of the data sets: add data.root=FOLDER")
        if self.annotations is not None and self.annotations not in places:
            raise ValueError(
                f"data.annotations is set, but data={self.name} does not read it; did you mean data=annotated?"
            )
        if self.format != "auto" and self.format not in {source.format for source in self.sources}:
            raise ValueError(f"data.format is set, but data={self.name} does not read it; did you mean data=annotated?")
        if self.columns and self.columns not in [(source.model_extra or {}).get("columns") for source in self.sources]:
            raise ValueError(f"data.columns is set, but data={self.name} does not read it; did you mean data=table?")
        return self
