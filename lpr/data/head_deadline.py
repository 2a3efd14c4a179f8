"""HTTP answers whose head, status and headers, has a deadline.

The timeouts of requests and urllib3 are for each part of what comes; of a head that trickles, there may be many.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import time
from typing import Any

import urllib3
import urllib3.connection
from requests.adapters import HTTPAdapter


class _Head(io.RawIOBase):
    """What comes from a socket, until a moment.

    The socket's own timeout is for each part of what comes; of a head that trickles, there may be many.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self._raw = raw
        self.deadline = math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self.deadline:
            raise TimeoutError
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose head, status and headers, must be there within the socket's timeout."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._head = _Head(self.fp.detach())
        self._timeout_s = sock.gettimeout() or math.inf
        self.fp = io.BufferedReader(self._head)

    def begin(self) -> None:
        self._head.deadline = time.monotonic() + self._timeout_s
        super().begin()
        self._head.deadline = math.inf


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Answer


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _Answer


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class HeadDeadlineAdapter(HTTPAdapter):
    """Connections whose answers are `_Answer`, through proxies, too."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


_POOLS = {"http": _Pool, "https": _SecurePool}
