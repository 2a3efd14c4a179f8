"""A server on loopback for what is read of Google Cloud Storage's JSON API: objects, their metadata, and lists of them.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "plates"


class GcsServer:
    """One bucket.

    Attributes:
        objects: key → content.
        statuses: key → the statuses of the next answers; none left: the content.
        requests: how often the content of each object was asked for.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.statuses: dict[str, list[int]] = {}
        self.requests: Counter[str] = Counter()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                status, content = server.answer(self.path, self.headers.get("Range"))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, url: str, wanted: str | None) -> tuple[int, bytes]:
        """The status and the body."""
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        _, found, rest = path.partition(f"/b/{BUCKET}/o")
        key = unquote(rest.removeprefix("/"))
        if not found or (key and key not in self.objects):
            return _error(HTTPStatus.NOT_FOUND)
        if not key:
            (prefix,) = query.get("prefix", [""])
            names = [name for name in sorted(self.objects) if name.startswith(prefix)]
            return HTTPStatus.OK, json.dumps({"items": [self._metadata(name) for name in names]}).encode()
        if query.get("alt") != ["media"]:
            return HTTPStatus.OK, json.dumps(self._metadata(key)).encode()
        self.requests[key] += 1
        if statuses := self.statuses.get(key):
            return _error(statuses.pop(0))
        content = self.objects[key]
        if wanted is None:
            return HTTPStatus.OK, content
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        if int(first) >= len(content):
            return _error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        return HTTPStatus.PARTIAL_CONTENT, content[int(first) : int(last or len(content)) + 1]

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _metadata(self, key: str) -> dict[str, str]:
        size = str(len(self.objects[key]))
        return {
            "kind": "storage#object",
            "bucket": BUCKET,
            "name": key,
            "size": size,
            "updated": "2026-01-01T00:00:00Z",
        }


def _error(status: int) -> tuple[int, bytes]:
    error = {"code": status, "message": HTTPStatus(status).phrase}
    return status, json.dumps({"error": error}).encode()
