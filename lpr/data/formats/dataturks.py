"""The JSON that Dataturks exports, lines or an array: `lpr.data.annotations` describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import fetch_file, local_file
from lpr.data.annotations import ANNOTATIONS
from lpr.data.content import Content

NAMES_ARE_URLS = True


class Settings(Source):
    """Images annotated with Dataturks."""

    format: Literal["dataturks"]
    annotations: str = Field(description="file of JSON lines, a path or an http(s) URL")


def recognizes(content: Content) -> bool:
    """Whether its first object has the keys of such a JSON."""
    return content.keys >= {"content", "annotation"}


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Copy the file as it is."""
    if "://" in source.annotations:
        content = fetch_file(source.annotations, source.name, data)
    else:
        content = local_file(source.annotations, source.name).read_bytes()
    (folder / ANNOTATIONS).write_bytes(content)


def image_root(source: Settings, folder: Path) -> None:
    """None: each image is fetched from its own URL."""
