"""What an annotation format is: a module of this folder, or one's own, that has what `Format` names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from lpr.config import Data, Source


class Format(Protocol):
    """An annotation format: how its files become the JSON lines that `lpr.data.annotations` describes.

    Attributes:
        Settings: schema of an entry of `data.sources`, all keys of it.
        NAMES_ARE_URLS: whether images are named by URLs, of which only the last part is looked for in `image_root`;
            else by paths relative to it.
    """

    Settings: type[Source]
    NAMES_ARE_URLS: bool

    def write_annotations(self, source: Any, folder: Path, data: Data) -> None:
        """Write `folder/annotations.json`, and whatever else the source brings, such as images of its own.

        A line of the user's file should become the line of that number, good or bad: what is unusable is told by
        `lpr annotate`, with the number of its line.

        Args:
            source: an instance of `Settings`.
            folder: empty, of this source alone.
            data: how to fetch what is not local.

        Raises:
            UserError: the annotations cannot be had, or are of another format.
        """
        ...

    def image_root(self, source: Any, folder: Path) -> Path | None:
        """The folder of the images where the source's own `image_root` is null; None: each is at its own URL.

        Args:
            folder: what `write_annotations` wrote to.
        """
        ...
