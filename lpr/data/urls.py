"""Addresses of images: URLs, and paths of files."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from lpr.data.object_storage import is_object


def path_of(address: str) -> str:
    """The path of a URL or file, unquoted; of a malformed URL, what follows its scheme.

    In that of an object, %, ? and # are like any character.
    """
    if is_object(address):
        return "/" + address.partition("://")[2].partition("/")[2]
    if "://" not in address:
        return unquote(address)
    try:
        return unquote(urlsplit(address).path)
    except ValueError:  # such as http://[car.jpg
        return unquote(address.partition("://")[2])
