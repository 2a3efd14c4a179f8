"""Bytes from URLs: with repetitions, limits of size and time, and no secret in messages.

What the scheme of a URL means is decided here: http(s) is asked for by requests, and s3 and gs by
`lpr.data.object_storage`.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3

from lpr.data.head_deadline import HeadDeadlineAdapter
from lpr.data.object_storage import RETRIED, Limits, ObjectStorage, is_object, root_cause
from lpr.data.unavailable import Unavailable
from lpr.data.urls import path_of

_BACK_OFF_S = 0.5  # urllib3's factor: waits of 0, 1, 2, 4 … s
_LONGEST_WAIT_S = 120  # where Retry-After is longer, the URL is given up
_LONGEST_ANSWER = 30  # times timeout_s, for the whole of an answer
_PIECE_BYTES = 1 << 16


class Session(requests.Session):
    """What fetches, for several threads at once; `session` makes it.

    Reads the environment's proxies and certificates once a host: once an image would cost a third of a request.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._settings: dict[tuple[Any, ...], Any] = {}
        self.storage = ObjectStorage(limits)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        key = (*urlsplit(url)[:2], stream, verify, cert)
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return self._settings[key]


def session(limits: Limits) -> Session:
    """A session that keeps open one connection a worker (`limits.workers`)."""
    http = Session(limits)
    for scheme in ("http://", "https://"):
        http.mount(scheme, HeadDeadlineAdapter(pool_maxsize=limits.workers))
    return http


def fetch(http: Session, url: str, limits: Limits) -> tuple[bytes, int]:
    """What is at a URL, and the number of attempts it took.

    429, 5xx, timeouts and broken connections (a body cut short among them) are tried `limits.attempts` times, after the
    wait of `Retry-After` or else an exponential back-off.

    Raises:
        Unavailable: none of the attempts succeeded, or the body is larger than `limits.max_bytes`.
        ModuleNotFoundError: the package for the URL's scheme is not installed.
    """
    if is_object(url):
        return http.storage.fetch(url)
    retry = urllib3.Retry(total=None, status_forcelist=RETRIED, backoff_factor=_BACK_OFF_S)
    for attempt in itertools.count(1):
        answer = None
        try:
            request = requests.Request("GET", url, headers=http.headers).prepare()
            settings = http.merge_environment_settings(request.url, {}, True, None, None)
            with http.send(request, timeout=limits.timeout_s, **settings) as answer:
                if answer.status_code == HTTPStatus.OK:
                    return _body(answer, limits), attempt
                reason = f"HTTP {answer.status_code} {_printable(answer.reason or '')}".rstrip()
                if not retry.is_retry("GET", answer.status_code):
                    raise Unavailable(reason)
        except Unavailable as error:
            raise Unavailable(str(error), attempt) from None
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            reason = f"no answer within {limits.timeout_s:g} s"
        except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
            reason = f"connection failed: {redact(_printable(root_cause(error)))}"
        except requests.TooManyRedirects:
            raise Unavailable("redirected too often", attempt) from None
        except requests.exceptions.InvalidSchema:
            reason = "redirected to what is not http(s)" if is_http(url) else "not an http(s) URL"
            raise Unavailable(reason, attempt) from None
        except (requests.RequestException, ValueError):
            raise Unavailable("not a URL that can be asked for", attempt) from None
        if attempt == limits.attempts:
            raise Unavailable(reason, attempt, is_temporary=True)
        retry = retry.increment("GET", url)
        wait = _asked_wait_s(retry, answer)
        if wait > _LONGEST_WAIT_S:
            raise Unavailable(f"{reason}, and asks to wait longer than {_LONGEST_WAIT_S} s", attempt, True)
        time.sleep(wait or retry.get_backoff_time())
    raise AssertionError("unreachable")


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


def _body(answer: requests.Response, limits: Limits) -> bytes:
    """Read in pieces, so that neither an endless answer nor a false Content-Length takes more than the limit."""
    too_large = Unavailable(f"larger than data.max_bytes={limits.max_bytes}")
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limits.max_bytes:
        raise too_large
    deadline = time.monotonic() + _LONGEST_ANSWER * limits.timeout_s
    body = BytesIO()
    while piece := answer.raw.read1(_PIECE_BYTES, decode_content=True):
        if body.tell() + len(piece) > limits.max_bytes:
            raise too_large
        if time.monotonic() > deadline:
            raise Unavailable(f"not whole after {_LONGEST_ANSWER * limits.timeout_s:g} s")
        body.write(piece)
    return body.getvalue()


def _asked_wait_s(retry: urllib3.Retry, answer: requests.Response | None) -> float:
    """The wait of `Retry-After`, which holds seconds or a date; 0 where it is missing or malformed."""
    if answer is None:
        return 0
    try:
        return retry.get_retry_after(answer.raw) or 0
    except urllib3.exceptions.InvalidHeader:
        return 0


def _printable(text: str) -> str:
    """What a server said, fit for a cell of a table."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)[:200]
