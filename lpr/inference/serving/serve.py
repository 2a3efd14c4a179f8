"""`lpr serve`: load the detector and the OCR engine, bind the port, and serve until it is interrupted."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import python_multipart  # noqa: F401  (which Starlette would miss only when a form comes)
import uvicorn

from lpr.cores import usable_cores
from lpr.errors import UserError
from lpr.inference.alpr import ALPR
from lpr.inference.serving.app import create_app
from lpr.inference.serving.prediction import Limits

TOKEN = "LPR_TOKEN"
"""The environment variable of the token that predictions need."""


def run(
    host: str,
    port: int,
    detector: Path | None,
    ocr: str | None,
    country: str,
    confidence: float | None,
    max_upload_mb: float,
    max_megapixels: float,
    queue: int,
    timeout_s: float,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: name or address to listen at.
        port: 0 for any that is free.
        detector, ocr, country, confidence: as for `ALPR`.
        max_upload_mb: of a request, 1e6 bytes.
        max_megapixels: of an image or a frame, 1e6 pixels.
        queue: uploads that may wait while all cores are busy.
        timeout_s: for an upload to arrive, and for its plates to be found.

    Raises:
        UserError: the detector or the engine cannot be loaded, or the port is not free.
    """
    alpr = ALPR(detector, ocr, country, confidence, workers=usable_cores())
    token = os.environ.get(TOKEN) or None
    limits = Limits(round(max_upload_mb * 1e6), round(max_megapixels * 1e6), queue, timeout_s)
    app = create_app(alpr, limits, token)
    with _listen(host, port) as listener:
        if token is None and not _is_loopback(host):
            print(
                f"lpr serve: warning: whoever reaches {host} may use this service; {TOKEN}=… asks for a token",
                file=sys.stderr,
            )
        name = f"[{host}]" if ":" in host else host
        print(
            f"lpr serve: http://{name}:{listener.getsockname()[1]}/ (ocr: {alpr.ocr_name}); Ctrl-C ends it", flush=True
        )
        # No access log: requests are counted at /metrics, and nothing else of them is kept.
        config = uvicorn.Config(
            app, access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=round(timeout_s)
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise UserError(f"{host}:{port} cannot be listened at: {error}; choose another --host or --port") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
