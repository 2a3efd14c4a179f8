"""Output of git commands."""

import subprocess
from pathlib import Path


def git_output(root: Path, *arguments: str) -> str | None:
    """What `git *arguments` prints in the folder `root`; None where it fails, or where git is not installed."""
    try:
        return subprocess.run(
            ["git", *arguments], cwd=root, check=True, capture_output=True, text=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
