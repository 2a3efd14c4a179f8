"""Addresses of images and annotations: URLs, and paths of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

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


def redact(url: str) -> str:
    """The URL without the user name and password that it may hold."""
    return re.sub(r"(?<=//)[^/?#]*@", "***@", url)


def is_http(url: str) -> bool:
    """Whether it is an http(s) URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def is_url(url: str) -> bool:
    """Whether it is a URL that `fetch` can ask for."""
    return is_http(url) or is_object(url)


def url_below(base: str, path: str) -> str:
    """The URL of a path below a base URL; of "", the base URL."""
    if not path:
        return base
    if is_object(base):
        return f"{base.rstrip('/')}/{path}"
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{quote(path)}").geturl()


def url_above(url: str, path: str) -> str:
    """The URL that `path` is below of, as `url_below` puts them together."""
    count = path.count("/") + 1
    if is_object(url):
        return "/".join(url.rstrip("/").split("/")[:-count])
    parts = urlsplit(url)
    return parts._replace(path="/".join(parts.path.rstrip("/").split("/")[:-count])).geturl()


def last_part(url: str) -> str:
    """The last part of a URL's or file's path: what annotations, image roots and tables of texts have in common."""
    return path_of(url).rpartition("/")[2]


def path_tails(url: str) -> list[str]:
    """The ends of a URL's or file's path, longest first, the last part last: `a/b.jpg` → [`a/b.jpg`, `b.jpg`].

    None goes up by `..`; there is none where the path ends with that, or with a slash.
    """
    tails: list[str] = []
    for part in reversed(path_of(url).split("/")):
        if part in ("", ".", "..") or "\0" in part:
            break
        tails.append(f"{part}/{tails[-1]}" if tails else part)
    return tails[::-1]


class SharedTails:
    """Which ends of paths several URLs have, so that they do not tell which is meant.

    Args:
        urls: all that there are; http and https of one address are one.
    """

    def __init__(self, urls: Iterable[str] = ()) -> None:
        tails = [path_tails(url) for url in {re.sub("^https?://", "//", url): url for url in urls}.values()]
        self._counts = Counter(tail for each in tails for tail in each)
        self._whole = Counter(each[0] for each in tails if each)

    def unclear(self, url: str, tail: str) -> bool:
        """Whether the end of this URL's path is that of others, too; a whole path is so only if others equal it."""
        if self._counts[tail] < 2:
            return False
        return tail != path_tails(url)[0] or self._whole[tail] > 1
