"""Dataturks's JSON, lines or an array, which `lpr.data.annotations` describes; images are fetched from their URLs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import ANNOTATIONS, fetch_file, local_file

NAMES_ARE_URLS = True


class Settings(Source):
    """Images annotated with Dataturks."""

    format: Literal["dataturks"]
    annotations: str = Field(description="the JSON: a path or an http(s) URL")


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Keep the file as it is."""
    if "://" in source.annotations:
        content = fetch_file(source.annotations, source.name, data)
    else:
        content = local_file(source.annotations, source.name).read_bytes()
    (folder / ANNOTATIONS).write_bytes(content)


def image_root(source: Settings, folder: Path) -> None:
    """Nowhere: each image is at its own URL."""
