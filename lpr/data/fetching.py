"""Bytes from URLs: with repetitions, limits of size and time, and no secret in messages.

What the scheme of a URL means is decided here: http(s) is asked for by requests, and s3 and gs by
`lpr.data.object_storage`.
"""

from __future__ import annotations

import itertools
import time
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from lpr.data.head_deadline import HeadDeadlineAdapter
from lpr.data.object_storage import RETRIED, Limits, ObjectStorage, is_object, root_cause
from lpr.data.unavailable import Unavailable
from lpr.data.urls import is_http, redact

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
