"""Annotation files as the user has them: at a path, or at a URL, of which there is a copy at a path then."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lpr.data.urls import url_below
from lpr.errors import UserError

COPIES = "copies"
"""Name of the folder, in that of a source, which holds copies of annotations at URLs, in the folders of these."""

COPIED_FROM = "copied_from.txt"
"""Name of the file, beside it, that holds the URL of which it is the copy."""


def local_file(path: str, source: str, key: str = "annotations") -> Path:
    """A file that the user named.

    Args:
        path: as the user wrote it; ~ is the home folder.
        source: name of the data source; for the message.
        key: of the configuration of the source, which has the path; for the message.

    Raises:
        UserError: there is no such file, or it is a folder.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise UserError(f"source {source}: {path} is a folder; name the file in it that is meant")
    if not file.is_file():
        raise UserError(
            f"source {source}: there is no file {path} (from {Path.cwd()}); set data.{key}, or `{key}` of this entry "
            "of data.sources, to where it is"
        )
    return file


def local_place(path: str, source: str) -> Path:
    """A file or folder that the user named as `annotations`.

    Args:
        path: as the user wrote it; ~ is the home folder.
        source: name of the data source; for the message.

    Raises:
        UserError: it does not exist.
    """
    place = Path(path).expanduser()
    return place if os.path.isdir(place) else local_file(path, source)


def read_json(path: Path) -> Any:
    """What a JSON file in UTF-8, UTF-16 or UTF-32 holds.

    Raises:
        UserError: it is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: no JSON: {error}") from None


def objects(value: Any) -> list[dict[str, Any]]:
    """The items of what should be a JSON array of objects; {} in place of an item that is no object."""
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def url_of_copy(place: Path, folder: Path) -> str | None:
    """The URL that a place would have where a source's annotations are; None where they are at no URL, or it has none.

    Args:
        place: in the folder of the copies, though no copy may be there.
        folder: of the source.
    """
    written = folder / COPIED_FROM
    if not written.is_file() or not place.is_relative_to(folder / COPIES):
        return None
    relative = place.relative_to(folder / COPIES).as_posix()
    return url_below(written.read_text(encoding="utf-8"), "" if relative == "." else relative)
