"""Errors of the disk, in words that say what to do."""

from __future__ import annotations

import errno
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def explain_os_error(error: OSError) -> str | None:
    """What to do about a full disk, or a place that must not be read or written; None for any other error, a bug."""
    place = error.filename or Path.cwd()
    if error.errno in _FULL:
        return f"{place} cannot be written: {error.strerror}. Free some space; the same command goes on from here"
    if error.errno in _REFUSED:
        return f"{place}: {error.strerror}. Give yourself the right to it, or work in another folder"
    return None
