"""The annotations of each source as JSON lines: `data/sources/NAME/annotations.json`.

Beside them, where the images are the user's files, `images.sha256` has a digest of these: DVC runs this stage when the
folder of the images has changed, and by the digest the stage that caches the images.
"""

import shutil
from pathlib import Path

from lpr.config import Config
from lpr.data.originals import digest_local_images
from lpr.data.sources import obtain
from lpr.errors import UserError
from lpr.paths import SOURCES

_DIGEST = "images.sha256"


def run(config: Config, names: list[str]) -> None:
    """Obtain the named sources, all where none is named; folders of sources that are no longer there are removed."""
    known = {source.name: source for source in config.data.sources}
    for name in names or known:
        if name not in known:
            raise UserError(f"data.sources has no source {name!r}; it has {', '.join(known)}")
        obtain(known[name], SOURCES / name, config.data)
        if digest := digest_local_images(known[name], config.data, SOURCES):
            (SOURCES / name / _DIGEST).write_text(f"{digest}\n")
            watched = next(entry for entry in config.inputs if entry["name"] == name)
            if not any(Path(watched[key]).is_dir() for key in ("images", "annotations")):
                print(f"{name}: data.image_root=FOLDER, of its images, lets `dvc repro` notice when these change")
    for folder in SOURCES.iterdir():
        if folder.is_dir() and folder.name not in known:
            shutil.rmtree(folder)
