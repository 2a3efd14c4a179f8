"""The families of detectors, each a module of this folder, and how their networks are built and saved.

A family is a module that builds its network (`build`), loads what it is trained on (`load_examples`), batches it
(`training_batches`, `validation_batches`), and says what is minimised (`training_loss`) and watched (`metric`).
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def load_detector(path: Path) -> keras.Model:
    """A network that `save_detector` wrote."""
    import keras

    import lpr.nn.layers  # noqa: F401  (registers its layers)

    model: keras.Model = keras.saving.load_model(path, compile=False)
    return model


def save_detector(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file that two equal models have byte for byte: no dates in it. Atomic."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"unfinished-{path.name}")
    model.save(temporary, include_optimizer=False)
    with zipfile.ZipFile(temporary) as archive:
        parts = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(parts["metadata.json"])
    parts["metadata.json"] = json.dumps(metadata | {"date_saved": "1980-01-01@00:00:00"}).encode()
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    os.replace(temporary, path)
