"""Where annotations come from: every format becomes the same annotation JSON.

What the user gave is kept line for line, good or bad: `lpr annotate` rejects what is unusable, by the user's own line
numbers.
"""

from __future__ import annotations

import shutil
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path

from lpr.config import Data, Source
from lpr.config.messages import validate
from lpr.data import formats
from lpr.data.annotation_files import COPIED_FROM, COPIES
from lpr.data.annotations import ANNOTATIONS
from lpr.data.fetching import Session, fetch, session
from lpr.data.object_storage import is_object
from lpr.data.overrides import apply_overrides
from lpr.data.unavailable import Unavailable
from lpr.data.urls import is_url, path_tails, redact, url_above
from lpr.errors import UserError

_COPIED = (".json", ".jsonl", ".xml", ".csv", ".tsv", ".txt", ".yaml", ".yml", ".names")  # of a folder at a URL


def obtain(source: Source, folder: Path, data: Data) -> None:
    """Write `folder/annotations.json`, with override texts and boxes, and whatever else the source's format brings.

    Annotations at a URL are copied to the folder first.

    Args:
        folder: of this source alone; emptied first.

    Raises:
        UserError: the annotations are not there, or are of another format.
    """
    module = formats.load(source.format)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = validate(module.Settings, source.model_dump(), f"source {source.name}", "data.sources")
    if settings.annotations is not None and "://" in settings.annotations:
        copy = _copy_annotations(settings.annotations, source.name, folder, data)
        settings = settings.model_copy(update={"annotations": str(copy)})
    module.write_annotations(settings, folder, data)
    apply_overrides(source, folder / ANNOTATIONS, data.plate_labels)


def _copy_annotations(url: str, source: str, folder: Path, data: Data) -> Path:
    """A copy of the file at a URL, or of the annotation files of a folder in object storage; returns its path.

    Raises:
        UserError: there is nothing, or it cannot be fetched.
    """
    if not is_url(url):
        raise UserError(f"source {source}: {redact(url)} is no URL of http, https, s3 or gs; see data.annotations")
    path = next(iter(path_tails(url.rstrip("/"))), "")
    (folder / COPIED_FROM).write_text(url_above(url, path) if path else url, encoding="utf-8")
    place = folder / COPIES / (path or ("" if is_object(url) else "annotations"))
    with session(data) as http, ThreadPool(data.workers) as pool:
        files = {url: place}
        if is_object(url) and (below := _files_below(http, url, source)):
            files = {each: place / each.removeprefix(url.rstrip("/") + "/") for each in below}
        for _ in pool.imap_unordered(partial(_copy, http, source, data), files.items()):
            pass
    return place


def _files_below(http: Session, url: str, source: str) -> list[str]:
    """The URLs of the annotation files in a folder in object storage; none of an object."""
    try:
        below = [each for each in http.storage.list_below(url) if not each.endswith("/")]
    except Unavailable:  # who may not list a bucket may still read objects
        return []
    if not below:
        return []
    files = [each for each in below if each.lower().endswith(_COPIED)]
    if not files:
        raise UserError(
            f"source {source}: none of the {len(below)} objects in {url} is an annotation file. Formats that have "
            "annotations in the names of images need a folder on this machine: docs/data.md"
        )
    if odd := [each for each in files if {"", ".", ".."} & {*each.partition("://")[2].split("/")}]:
        raise UserError(f"source {source}: {odd[0]} cannot be copied to a file, since a part of its key is no name")
    print(f"source {source}: {url} is a folder with {len(files)} annotation files and {len(below) - len(files)} others")
    return files


def _copy(http: Session, source: str, data: Data, file: tuple[str, Path]) -> None:
    url, path = file
    try:
        content = fetch(http, url, data)[0]
    except Unavailable as error:
        raise UserError(f"source {source}: {redact(url)} cannot be fetched: {error}; see data.annotations") from None
    if content.startswith(b"PK\x03\x04"):
        raise UserError(f"source {source}: {redact(url)} is a ZIP archive: unpack it, and name what is in it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
