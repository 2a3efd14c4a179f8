"""The web application of `lpr serve`: a page, `POST /v1/predict`, `GET /healthz` and `GET /metrics`.

Uploads stay in memory, a video's also in a file without a name; nothing of a request is logged.
"""

from __future__ import annotations

import asyncio
import hmac
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from PIL import Image
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from lpr.cores import usable_cores
from lpr.errors import UserError
from lpr.inference.alpr import ALPR
from lpr.inference.serving.prediction import Limits, Prediction, Refused, predict
from lpr.plates.countries import COUNTRY_NAMES

_RETRY_AFTER_S = 1
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "an image or a short video"},
        "country": {
            "type": "string",
            "enum": list(COUNTRY_NAMES),
            "description": "whose registrations the texts are; default: as the service was started",
        },
    },
}
_ERRORS = {
    400: "an empty file, or a malformed form",
    401: "the token is missing or wrong",
    408: "the upload took too long",
    413: "too many bytes or pixels",
    415: "neither an image nor a video",
    422: "a broken image or video, or no such country",
    503: "too many uploads wait; `Retry-After` says when to try again",
    504: "the plates were not found in time",
}


class _Metrics:
    """What `GET /metrics` exposes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("lpr_requests", "Predictions asked for.", ["status"], registry=self.registry)
        self.seconds = Histogram(
            "lpr_request_seconds",
            "Time from the request to its response, of those with status 200.",
            buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2),
            registry=self.registry,
        )
        self.plates = Counter("lpr_plates", "Plates found.", registry=self.registry)
        self.uploads = Gauge("lpr_uploads", "Uploads that arrive, wait or are worked on.", registry=self.registry)


def create_app(alpr: ALPR, limits: Limits, token: str | None = None) -> FastAPI:
    """The application.

    Args:
        alpr: finds and reads the plates, in as many threads as there are usable cores.
        token: without which no prediction is made; None: none is needed.
    """
    metrics = _Metrics()
    workers = usable_cores()
    pool = ThreadPoolExecutor(workers, "predict")
    # One place an upload, from before it arrives until its thread is done: this bounds the memory, too.
    places = threading.Semaphore(workers + limits.queue_length)
    page = _page(limits, token is not None)
    Image.init()  # here, as it is not safe to be called by several threads at once

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.shutdown(wait=False, cancel_futures=True)

    # FastAPI's own pages of /docs load their scripts from elsewhere.
    app = FastAPI(
        title="lpr",
        version=version("lpr"),
        description="License plate recognition: boxes, texts and confidences of the plates of images and short videos.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )

    @app.exception_handler(Exception)
    async def internal_error(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"detail": "an internal error, which the service's log describes"}, 500)

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    @app.get("/healthz", summary="Whether the service is up")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", summary="Counts and times for Prometheus", response_class=Response)
    async def expose_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.post(
        "/v1/predict",
        summary="The plates of an image or a short video",
        responses={200: {"model": Prediction}, **{status: {"description": why} for status, why in _ERRORS.items()}},
        openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    )
    async def post_predict(request: Request) -> Response:
        started = time.perf_counter()
        status = 500
        try:
            _authorize(request, token)
            found = await in_a_place(request)
            status = 200
            metrics.seconds.observe(time.perf_counter() - started)
            metrics.plates.inc(len(found["plates"]))
            return JSONResponse(found)
        except HTTPException as error:
            status = error.status_code
            raise
        finally:
            metrics.requests.labels(status).inc()

    async def in_a_place(request: Request) -> dict[str, Any]:
        if not places.acquire(blocking=False):
            raise HTTPException(
                503, "too many uploads wait; try again later", headers={"Retry-After": str(_RETRY_AFTER_S)}
            )
        metrics.uploads.inc()
        try:
            content, country = await _receive(request, limits)
            chosen = _for_country(alpr, country)
            deadline = time.monotonic() + limits.timeout_s
            future = pool.submit(predict, chosen, content, limits.max_pixels, deadline)
        except BaseException:
            leave()
            raise
        future.add_done_callback(leave)  # a thread goes on after a timeout, and keeps its place
        try:
            async with asyncio.timeout(limits.timeout_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise HTTPException(504, f"not done after {limits.timeout_s:g} seconds") from None
        except Refused as error:
            raise HTTPException(error.status, str(error)) from None

    def leave(_: Future[dict[str, Any]] | None = None) -> None:
        metrics.uploads.dec()
        places.release()

    return app


def _authorize(request: Request, token: str | None) -> None:
    """Raises HTTPException 401 unless the request has the token."""
    if token is None:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # Starlette decodes headers as Latin-1; the bytes are compared in a time that tells nothing of the token.
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode("latin-1"), token.encode()):
        raise HTTPException(401, "the token is missing or wrong", headers={"WWW-Authenticate": "Bearer"})


async def _receive(request: Request, limits: Limits) -> tuple[bytes, str | None]:
    """The form's file, and its country.

    Raises:
        HTTPException: 400, 408 or 413.
    """
    too_large = HTTPException(413, f"more than {limits.max_upload_bytes / 1e6:g} MB")
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise HTTPException(400, "send multipart/form-data with the image in the field `file`")
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > limits.max_upload_bytes:
        raise too_large

    async def stream() -> AsyncGenerator[bytes]:
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
            if received > limits.max_upload_bytes:
                raise too_large
            yield chunk

    parser = MultiPartParser(request.headers, stream(), max_files=1, max_fields=4, max_part_size=1000)
    parser.spool_max_size = limits.max_upload_bytes  # never on the disk
    try:
        async with asyncio.timeout(limits.timeout_s):
            form = await parser.parse()
    except TimeoutError:
        raise HTTPException(408, f"the upload did not arrive within {limits.timeout_s:g} seconds") from None
    except MultiPartException as error:
        raise HTTPException(400, error.message) from None
    except ClientDisconnect:
        raise HTTPException(400, "the upload broke off") from None  # for the metrics: nobody is there to read it
    file, country = form.get("file"), form.get("country")
    if not isinstance(file, UploadFile):
        raise HTTPException(400, "the form lacks the file in the field `file`")
    try:
        return await file.read(), country if isinstance(country, str) and country else None
    finally:
        await file.close()


def _for_country(alpr: ALPR, country: str | None) -> ALPR:
    try:
        return alpr.with_country(country) if country else alpr
    except UserError as error:
        raise HTTPException(422, str(error)) from None


def _page(limits: Limits, needs_token: bool) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((Path(__file__).parent / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(countries=COUNTRY_NAMES, max_upload_bytes=limits.max_upload_bytes, needs_token=needs_token)
