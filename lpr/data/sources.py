"""Where annotations come from: every format becomes the same annotation JSON.

What the user gave is kept line for line, good or bad: `lpr annotate` rejects what is unusable, by the user's own line
numbers.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lpr.config import Data, Source
from lpr.config.messages import validate
from lpr.data import formats
from lpr.data.annotations import ANNOTATIONS
from lpr.data.overrides import apply_overrides


def obtain(source: Source, folder: Path, data: Data) -> None:
    """Write `folder/annotations.json`, with override texts and boxes, and whatever else the source's format brings.

    Args:
        folder: of this source alone; emptied first.

    Raises:
        UserError: the annotations are not there, or are of another format.
    """
    module = formats.load(source.format)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = validate(module.Settings, source.model_dump(), f"source {source.name}", "data.sources")
    module.write_annotations(settings, folder, data)
    apply_overrides(source, folder / ANNOTATIONS)
