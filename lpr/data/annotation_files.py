"""Annotation files as the user has them: at a path or a URL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lpr.config import Data
from lpr.data.fetching import fetch, redact, session
from lpr.data.unavailable import Unavailable
from lpr.errors import UserError


def local_file(path: str, source: str, key: str = "annotations") -> Path:
    """A file that the user named.

    Args:
        path: as the user wrote it; ~ is the home folder.
        source: name of the data source; for the message.
        key: of the configuration of the source, which has the path; for the message.

    Raises:
        UserError: there is no such file.
    """
    file = Path(path).expanduser()
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
    return place if place.is_dir() else local_file(path, source)


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


def fetch_file(url: str, source: str, data: Data) -> bytes:
    """The content of an http(s) URL.

    Args:
        source: name of the data source; for the message.
        data: limits and repetitions.

    Raises:
        UserError: it cannot be fetched.
    """
    try:
        with session(data) as http:
            content, _ = fetch(http, url, data)
            return content
    except Unavailable as error:
        raise UserError(f"source {source}: {redact(url)} cannot be fetched: {error}; see data.annotations") from None
