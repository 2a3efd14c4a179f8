"""Files that are written whole or not at all, names that are free, and sizes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to, whose file takes the place of `path` at the end; after an error, `path` is as it was.

    A link at `path`, such as DVC makes into its cache, is replaced, and what it links to is not written to. The folder
    is made if missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"unfinished-{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # writing to an open file does not say which
        raise
    finally:
        unfinished.unlink(missing_ok=True)


PART = ".part"
"""The suffix of what a killed process leaves of `write_shared`."""


def write_shared(path: Path, content: bytes) -> None:
    """Write a file that other threads and processes may write at the same time: whole, or not at all.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{os.getpid()}-{threading.get_ident()}{PART}")
    part.write_bytes(content)
    part.replace(path)


def megabytes(path: Path) -> str:
    """The size of a file, such as "1.4 MB"."""
    return f"{path.stat().st_size / 1e6:.1f} MB"


def free_stem(stem: str, suffixes: Sequence[str], taken: set[str]) -> str:
    """The stem, numbered where its names with these suffixes are among `taken`; they are added to them."""
    free, number = stem, 1
    while any(free + suffix in taken for suffix in suffixes):
        number += 1
        free = f"{stem}-{number}"
    taken.update(free + suffix for suffix in suffixes)
    return free
