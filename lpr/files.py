"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
