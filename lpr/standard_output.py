"""Standard output that its reader has closed, as `head` does after its first lines."""

from __future__ import annotations

import os
import sys


def discard_standard_output() -> None:
    """Let what is still printed go nowhere, in place of raising BrokenPipeError."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
