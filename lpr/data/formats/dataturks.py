"""The JSON that Dataturks exports, lines or an array: `lpr.data.annotations` describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file
from lpr.data.annotations import ANNOTATIONS
from lpr.data.content import Content
from lpr.errors import UserError

NAMES_ARE_URLS = True


class Settings(Source):
    """Images annotated with Dataturks."""

    format: Literal["dataturks"]
    annotations: str = Field(description="path of the file of JSON lines")


def recognizes(content: Content) -> bool:
    """Whether its first object has the keys of such a JSON."""
    return content.keys >= {"content", "annotation"}


def write_annotations(source: Settings, folder: Path, data: Data) -> None:  # noqa: ARG001
    """Copy the file, from UTF-16 or UTF-32 to UTF-8.

    Raises:
        UserError: it is in none of these.
    """
    content = local_file(source.annotations, source.name).read_bytes()
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise UserError(
            f"{source.annotations}: not text in UTF-8, UTF-16 or UTF-32 ({error.reason} at byte {error.start}), so no "
            "annotation JSON"
        ) from None
    (folder / ANNOTATIONS).write_bytes(text.encode())


def image_root(source: Settings, folder: Path) -> None:
    """None: each image is fetched from its own URL."""
