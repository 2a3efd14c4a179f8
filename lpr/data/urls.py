"""Addresses of images: URLs, and paths of files."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def path_of(address: str) -> str:
    """The path of a URL or file, unquoted; of a malformed URL, what follows its scheme."""
    if "://" not in address:
        return unquote(address)
    try:
        return unquote(urlsplit(address).path)
    except ValueError:  # such as http://[car.jpg
        return unquote(address.partition("://")[2])
