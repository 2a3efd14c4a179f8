"""Hashes of files, as in `dvc.lock`."""

import hashlib
from pathlib import Path


def file_md5(path: Path) -> str | None:
    """The MD5 of a file; None where there is no file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except FileNotFoundError:
        return None
