"""`lpr serve`: the plates of uploads, by a web service and its page."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from types import ModuleType
from typing import Any

from lpr.cli.predict import add_recognition_arguments
from lpr.cli.verbs import add_verb


def add_verbs(verbs: Any) -> None:
    """Add it."""
    serve = add_verb(
        verbs,
        "serve",
        "lpr.inference.serving.serve",
        _serve,
        help="find and read plates in a browser, or by HTTP",
        description="Serve a page on which images and short videos are dropped, and POST /v1/predict, which answers "
        "with JSON. Uploads are kept in memory while they are worked on, and never longer. Where the environment "
        "variable LPR_TOKEN is set, predictions need it: `Authorization: Bearer TOKEN`.",
        example="lpr serve\nlpr serve --port 9000 --country india --detector models/detector.onnx",
        notes="It needs pip install 'lpr[serve]'. Other machines reach it with --host 0.0.0.0: set LPR_TOKEN then.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at; default: %(default)s")
    serve.add_argument("--port", type=int, default=8000, help="0 for any that is free; default: %(default)s")
    add_recognition_arguments(serve)
    for name, number, default, what in (
        ("--max-upload-mb", _positive, 32, "largest upload, 1e6 bytes"),
        ("--max-megapixels", _positive, 50, "largest image or frame, 1e6 pixels; of images, 178 at most"),
        ("--queue", _count, 16, "uploads that may wait while all cores are busy; more are answered with 503"),
        ("--timeout", _positive, 60, "seconds for an upload to arrive, and for its plates to be found"),
    ):
        serve.add_argument(name, type=number, default=default, metavar="N", help=f"{what}; default: %(default)s")


def _serve(module: ModuleType, options: Namespace) -> None:
    module.run(
        options.host,
        options.port,
        options.detector,
        options.ocr,
        options.country,
        options.confidence,
        options.max_upload_mb,
        options.max_megapixels,
        options.queue,
        options.timeout,
    )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ArgumentTypeError(f"{text} is not between 0 and 1000000")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ArgumentTypeError(f"{text} is below 0")
    return value
