"""Objects of S3 (`s3://BUCKET/KEY`) and Google Cloud Storage (`gs://BUCKET/KEY`), by fsspec.

Credentials, the endpoint and the region come from the environment, or the files that the providers' own tools read
(AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL, …; GOOGLE_APPLICATION_CREDENTIALS, …), and from nowhere else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any, Protocol
from urllib.parse import urlsplit

from lpr.data.unavailable import Unavailable

RETRIED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)})
"""HTTP's status codes after which the same request may succeed."""

_BACK_OFF_S = 0.5  # doubled with every attempt
_LONGEST_ANSWER = 30  # times timeout_s, for the whole of an object
_RETRIED_CODES = ("RequestTimeout", "SlowDown")  # of S3, with other status codes
# Of botocore, before anything is sent.
_NOT_RETRIED = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound")


class Limits(Protocol):
    """Of what is fetched; the section `data` of the configuration has them.

    Attributes:
        attempts: tries for each URL.
        timeout_s: seconds to wait for a connection, for the head of an answer, and between two parts of its body.
        max_bytes: the largest body that is accepted.
        workers: connections that are kept open.
    """

    @property
    def attempts(self) -> int: ...
    @property
    def timeout_s(self) -> float: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def workers(self) -> int: ...


class ObjectStorage:
    """Reads objects; for use by several threads at once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def fetch(self, url: str) -> tuple[bytes, int]:
        """The content of an object, and the number of attempts it took.

        What may be temporary, as with HTTP, is tried `limits.attempts` times, after an exponential back-off.

        Raises:
            Unavailable: none of the attempts succeeded, or the object is larger than `limits.max_bytes`.
            ModuleNotFoundError: the package for this scheme is not installed.
        """
        largest = self._limits.max_bytes
        # In one request, without asking for the size first.
        content, attempts = self._ask(url, "cat_file", path=url, start=0, end=largest + 1)
        if len(content) > largest:
            raise Unavailable(f"larger than data.max_bytes={largest}", attempts)
        return content, attempts

    def list_below(self, url: str) -> list[str]:
        """The URLs of all objects whose key begins with that of a URL and a slash, sorted.

        Raises:
            Unavailable: they cannot be listed.
            ModuleNotFoundError: the package for this scheme is not installed.
        """
        folder = url.rstrip("/") + "/"
        found, _ = self._ask(url, "find", path=folder)
        urls = (f"{urlsplit(url).scheme}://{path}" for path in found or ())
        return sorted(each for each in urls if each.startswith(folder))  # of an object, it is found itself

    def _ask(self, url: str, method: str, **arguments: Any) -> tuple[Any, int]:
        """What a method of the file system of a URL gives, and the number of attempts it took."""
        bucket = urlsplit(url).netloc
        if "@" in bucket or (":" in bucket and not bucket.startswith("arn:")):
            raise Unavailable("credentials belong in the environment, not in the URL")
        call = getattr(_file_system(urlsplit(url).scheme, self._limits), method)
        limits = self._limits
        for attempt in range(1, limits.attempts + 1):
            try:
                return call(**arguments, timeout=_LONGEST_ANSWER * limits.timeout_s), attempt
            except Exception as error:  # fsspec, its file systems, and their HTTP clients raise many kinds
                status, code = _answer(error)
                if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # from 0 on: an empty object
                    return b"", attempt
                reason, temporary = _reason(error, status, code, limits.timeout_s)
            if not temporary or attempt == limits.attempts:
                raise Unavailable(reason, attempt, temporary)
            time.sleep(_BACK_OFF_S * 2 ** (attempt - 1))
        raise AssertionError("unreachable")


_opening = Lock()


def _file_system(scheme: str, limits: Limits) -> Any:
    """The file system of a scheme, one for all threads: opening it takes longer than fetching an image."""
    with _opening:
        return SCHEMES[scheme](limits.timeout_s, limits.workers)


@cache
def _s3(timeout_s: float, workers: int) -> Any:
    import s3fs

    config = {
        "connect_timeout": timeout_s,
        "read_timeout": timeout_s,
        "max_pool_connections": workers,
        "retries": {"total_max_attempts": 1},  # `ObjectStorage` tries again
    }
    system = s3fs.S3FileSystem(config_kwargs=config, use_listings_cache=False, skip_instance_cache=True)
    system.retries = 1
    return system


@cache
def _gs(timeout_s: float, workers: int) -> Any:  # noqa: ARG001
    import gcsfs

    # It tries again itself, too, six times, and logs a traceback each time.
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)
    return gcsfs.GCSFileSystem(requests_timeout=timeout_s, use_listings_cache=False, skip_instance_cache=True)


SCHEMES: Mapping[str, Callable[[float, int], Any]] = {"s3": _s3, "gs": _gs}
"""URL schemes of object storage → what opens its file system, given `timeout_s` and `workers`."""


def is_object(url: str) -> bool:
    """Whether it is the URL of an object, or of a folder of them, in object storage."""
    scheme, _, rest = url.partition("://")
    return scheme in SCHEMES and rest[:1] not in ("", "/")


def _answer(error: BaseException) -> tuple[int | None, str]:
    """The HTTP status and the provider's code that an error comes from; None where nothing was answered."""
    for each in _chain(error):
        response = getattr(each, "response", None)  # botocore's
        if isinstance(response, dict) and "Error" in response:
            return response.get("ResponseMetadata", {}).get("HTTPStatusCode"), str(response["Error"].get("Code", ""))
    for each in _chain(error):
        if type(each).__name__ == "HttpError" and isinstance(code := getattr(each, "code", None), int):  # gcsfs's
            return code, ""
    if isinstance(error, FileNotFoundError):
        return HTTPStatus.NOT_FOUND, ""
    if isinstance(error, PermissionError) or str(error).startswith("Forbidden: "):  # gcsfs's, too
        return HTTPStatus.FORBIDDEN, ""
    return None, ""


def _reason(error: BaseException, status: int | None, code: str, timeout_s: float) -> tuple[str, bool]:
    """Why a request failed, and whether it may succeed another time. Providers' own messages may hold key ids."""
    if status is not None:
        phrase = HTTPStatus(status).phrase if status in {*HTTPStatus} else ""
        # A HEAD request has no body, and so the status for a code.
        reason = f"HTTP {status} {phrase if not code or code.isdecimal() else code}".rstrip()
        return reason, status in RETRIED or code in _RETRIED_CODES
    names = [type(each).__name__ for each in _chain(error)]
    if any("timeout" in name.lower() for name in names):
        return f"no answer within {timeout_s:g} s", True
    if "ParamValidationError" in names:
        return "not a bucket and a key that can be asked for", False
    temporary = not any(name in _NOT_RETRIED for name in names)
    return f"connection failed: {root_cause(error)}" if temporary else root_cause(error), temporary


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def root_cause(error: BaseException) -> str:
    """The message of the innermost cause: the outer ones hold URLs and memory addresses."""
    innermost = [*_chain(error)][-1]
    return innermost.strerror or str(innermost) if isinstance(innermost, OSError) else str(innermost)
