"""Keras models as files that equal models share byte for byte."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from lpr.files import replaced

if TYPE_CHECKING:
    import keras


def load_model(path: Path) -> keras.Model:
    """A model that `save_model` wrote, not compiled."""
    import keras

    import lpr.nn.layers  # noqa: F401  (registers its layers)

    model: keras.Model = keras.saving.load_model(path, compile=False)
    return model


def save_model(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file without dates, so that equal models give equal bytes; it is replaced at once."""
    with replaced(path) as unfinished:
        model.save(unfinished, include_optimizer=False)
        with zipfile.ZipFile(unfinished) as archive:
            parts = {name: archive.read(name) for name in sorted(archive.namelist())}
        metadata = json.loads(parts["metadata.json"])
        parts["metadata.json"] = json.dumps(metadata | {"date_saved": "1980-01-01@00:00:00"}).encode()
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for name, content in parts.items():
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
