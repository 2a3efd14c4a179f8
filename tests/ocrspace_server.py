"""A stand-in of ocr.space on loopback: it refuses what the real service refuses, and replays its known errors.

It follows the API's documentation and responses recorded by its users, for url-encoded forms with `base64Image`.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from PIL import Image, UnidentifiedImageError

KEY = "K00000000000957"
MAX_FILE_BYTES = 1024 * 1024
# fmt: off
LANGUAGES = {
    "ara", "bul", "chs", "cht", "hrv", "cze", "dan", "dut", "eng", "fin", "fre", "ger", "gre", "hun", "kor", "ita",
    "jpn", "pol", "por", "rus", "slv", "spa", "swe", "tha", "tur", "ukr", "vnm",
}
# fmt: on
BOOLEANS = {"scale", "detectorientation", "isoverlayrequired", "istable", "iscreatesearchablepdf"}
SOURCES = {"file", "url", "base64image"}
OTHERS = {"language", "ocrengine", "filetype", "issearchablepdfhidetextlayer"}
FILE_TYPES = {"PDF", "GIF", "PNG", "JPG", "TIF", "BMP"}


@dataclass(frozen=True)
class Reply:
    """A response: `body` is sent as JSON unless it is bytes; `hang_up` breaks the connection instead."""

    body: Any = None
    status: int = 200
    delay_s: float = 0.0
    hang_up: bool = False


def failure(exit_code: int, message: list[str] | str) -> Reply:
    """An error as it comes with HTTP 200, without `ParsedResults`."""
    return Reply(
        {
            "OCRExitCode": exit_code,
            "IsErroredOnProcessing": True,
            "ErrorMessage": message,
            "ProcessingTimeInMilliseconds": "1",
        }
    )


def success(*texts: str, exit_code: int = 1) -> Reply:
    """A response of one or more pages."""
    results = [
        {
            "TextOverlay": {"Lines": [], "HasOverlay": False, "Message": "Text overlay is not provided"},
            "TextOrientation": "0",
            "FileParseExitCode": 1,
            "ParsedText": text,
            "ErrorMessage": "",
            "ErrorDetails": "",
        }
        for text in texts
    ]
    return Reply(
        {
            "ParsedResults": results,
            "OCRExitCode": exit_code,
            "IsErroredOnProcessing": False,
            "ProcessingTimeInMilliseconds": "437",
            "SearchablePDFURL": "Searchable PDF not generated as it was not requested.",
        }
    )


def rate_limited(times: int, seconds: int) -> Reply:
    """HTTP 403 whose body is a bare JSON string."""
    message = f"You may only perform this action upto maximum {times} number of times within {seconds} seconds"
    return Reply(message, status=403)


BAD_KEY = Reply("The API key is invalid", status=403)
FAILED = failure(3, ["All images/pages errored in parsing"])
FAILED_STRING = failure(3, "All images/pages errored in parsing")
FATAL = failure(4, ["Error occurred when attempting to parse"])
BAD_KEY_200 = failure(99, ["The API key is invalid"])
NOT_PARSED = Reply(
    {
        "ParsedResults": [
            {"FileParseExitCode": -10, "ParsedText": None, "ErrorMessage": "OCR Engine Parse Error", "ErrorDetails": ""}
        ],
        "OCRExitCode": 3,
        "IsErroredOnProcessing": True,
        "ErrorMessage": None,
        "ProcessingTimeInMilliseconds": "12",
    }
)
NO_RESULTS = Reply({"OCRExitCode": 1, "IsErroredOnProcessing": False, "ErrorMessage": None, "ParsedResults": None})
HTML = Reply(b"<html><body>Bad gateway</body></html>")
UNAVAILABLE = Reply(b"<html>503</html>", status=503)
HANG_UP = Reply(hang_up=True)


@dataclass(frozen=True)
class Request:
    """A request and the status of its response; `image` where it could be decoded."""

    method: str
    fields: dict[str, str]
    file_bytes: int
    image: Image.Image | None
    status: int


class OcrSpaceServer:
    """A context manager that serves at `url`, keeps `requests`, and sends those in `replies` first.

    Args:
        text: what it recognizes: a text, or a function of the image.
        key: the only valid key.
        limit: requests allowed within so many seconds, None for any number.
    """

    def __init__(
        self,
        text: str | Callable[[Image.Image], str] = "MH 12\r\nDE 1433\r\n",
        key: str = KEY,
        limit: tuple[int, int] | None = None,
    ) -> None:
        self.text = text
        self.key = key
        self.limit = limit
        self.requests: list[Request] = []
        self.replies: deque[Reply] = deque()
        self._accepted: deque[float] = deque()
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service._serve(self)

            def do_GET(self) -> None:
                service._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/parse/image"

    def __enter__(self) -> OcrSpaceServer:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _serve(self, http: BaseHTTPRequestHandler) -> None:
        body = http.rfile.read(int(http.headers.get("Content-Length", 0)))
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        content, image = _decode(fields.get("base64Image", ""))
        with self._lock:
            reply = self._reply(http, fields, content, image)
            self.requests.append(Request(http.command, fields, len(content or b""), image, reply.status))
        time.sleep(reply.delay_s)
        if reply.hang_up:
            http.close_connection = True
            http.connection.close()
            return
        answer = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        http.send_response(reply.status)
        http.send_header("Content-Type", "text/html" if isinstance(reply.body, bytes) else "application/json")
        http.send_header("Content-Length", str(len(answer)))
        http.end_headers()
        http.wfile.write(answer)

    def _reply(
        self, http: BaseHTTPRequestHandler, fields: dict[str, str], content: bytes | None, image: Image.Image | None
    ) -> Reply:
        if http.path != "/parse/image":
            return Reply(b"<html>404</html>", status=404)
        if http.command != "POST":
            return Reply({"Message": "The requested resource does not support http method 'GET'."}, status=405)
        if http.headers.get("apikey") != self.key:
            return BAD_KEY
        if self.replies:
            return self.replies.popleft()
        if self.limit and not self._within_limit(*self.limit):
            return rate_limited(*self.limit)
        return _refusal(fields, content, image) or success(
            self.text if isinstance(self.text, str) else self.text(image)  # type: ignore[arg-type]
        )

    def _within_limit(self, times: int, seconds: int) -> bool:
        now = time.monotonic()
        while self._accepted and self._accepted[0] <= now - seconds:
            self._accepted.popleft()
        if len(self._accepted) >= times:
            return False
        self._accepted.append(now)
        return True


def _decode(uri: str) -> tuple[bytes | None, Image.Image | None]:
    """The bytes of a data URI and the image in them, None where they are not."""
    prefix, _, encoded = uri.partition(",")
    if prefix != "data:image/jpeg;base64":
        return None, None
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None, None
    try:
        image = Image.open(io.BytesIO(content), formats=["JPEG"])
        image.load()
    except (UnidentifiedImageError, OSError):
        return content, None
    return content, image


def _refusal(fields: dict[str, str], content: bytes | None, image: Image.Image | None) -> Reply | None:
    """The error for an invalid form, None for a valid one."""
    named = {name.lower(): value for name, value in fields.items()}
    for name in named.keys() - SOURCES - BOOLEANS - OTHERS:
        return failure(99, [f"Parameter name '{name}' is invalid. Valid parameters: apikey,url,language,…"])
    if len(named.keys() & SOURCES) != 1:
        return failure(99, ["Please send exactly one of file, url and base64Image"])
    engine = named.get("ocrengine", "1")
    languages = LANGUAGES if engine == "1" else LANGUAGES | {"auto"}
    allowed = {"ocrengine": {"1", "2", "3"}, "language": languages, "filetype": FILE_TYPES}
    allowed |= {name: {"true", "false"} for name in BOOLEANS}
    for name, values in allowed.items():
        if name in named and named[name] not in values:
            return failure(99, [f"Value for parameter '{name}' is invalid"])
    if content is None:
        message = (
            "Not a valid base64 image. The accepted base64 image format is 'data:image/<content_type>;base64,<…>'."
        )
        return failure(3, [message])
    if len(content) > MAX_FILE_BYTES:
        return failure(3, ["File failed validation. File size exceeds the maximum size limit. Maximum size 1024 KB"])
    if image is None:
        return failure(3, ["Unable to recognize the file type", "E216:Unable to detect the file extension"])
    return None
