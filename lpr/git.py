"""What git says of the project."""

import subprocess
from pathlib import Path


def ask_git(root: Path, *arguments: str) -> str | None:
    """What git answers; None where there is no git, no repository, or it knows nothing of that."""
    try:
        return subprocess.run(
            ["git", *arguments], cwd=root, check=True, capture_output=True, text=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
