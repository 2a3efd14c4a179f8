"""Synthetic street scenes with Indian plates: nothing to download, and every box and text is exact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.config.schema.base import Seed
from lpr.cores import usable_cores
from lpr.data.annotations import ANNOTATIONS, PlateLabel, annotation_line

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

# What draws is imported by the functions that draw: the configuration is checked by this module without.

NAMES_ARE_URLS = False
IMAGES = "pictures"
"""Folder of the images. It is part of the names that the split is drawn by: another one would be another split."""


class Settings(Source):
    """Synthetic street scenes with Indian plates."""

    format: Literal["synthetic"]
    scenes: Annotated[int, Field(ge=1)] = Field(description="number of images")
    seed: Seed = Field(description="random seed of the scenes")


def write_annotations(source: Settings, folder: Path, data: Data) -> None:  # noqa: ARG001
    """Draw the scenes, and write where their plates are."""
    draw_scenes(folder, source.scenes, source.seed)


def image_root(source: Settings, folder: Path) -> Path:  # noqa: ARG001
    """The source's own folder, which the annotations' paths begin in."""
    return folder


def draw_scenes(folder: Path, scenes: int, seed: int) -> None:
    """Draw scenes in parallel processes: the images, and `folder`/annotations.json.

    Scene i depends on nothing but (seed, i): the same bytes each time, and the first scenes of more are the same ones.
    Images of an earlier call with more scenes are removed.

    Args:
        folder: made if missing.
        scenes: how many, at least 1.
        seed: not negative.
    """
    from joblib import Parallel, delayed
    from tqdm import tqdm

    images = folder / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for old in images.glob("scene-*"):
        old.unlink()
    workers = min(usable_cores(), scenes)
    # joblib's processes are no forks, which would copy threads (TensorFlow's, say) in an unknown state; and in a job of
    # Hydra's joblib launcher, which may start no processes of its own, it draws one scene after another.
    # The path is absolute: joblib keeps its processes, and they stay in the working directory that they began in.
    jobs = (delayed(_draw_one)(folder.absolute(), seed, index) for index in range(scenes))
    lines = Parallel(workers, return_as="generator", batch_size=4)(jobs)
    text = "".join(f"{line}\n" for line in tqdm(lines, total=scenes, desc="drawing", unit="scene"))
    (folder / ANNOTATIONS).write_text(text, encoding="utf-8")


def _draw_one(folder: Path, seed: int, index: int) -> str:
    """Draw and store scene `index`; returns its line of annotation JSON."""
    import numpy as np

    from lpr.synthesis.scenes import draw_scene

    rng = np.random.default_rng([seed, index])
    scene = draw_scene(rng)
    name = _save(scene.image, folder, f"{IMAGES}/scene-{index:05d}", rng)
    return annotation_line(name, *scene.image.size, [PlateLabel(plate.box, plate.text) for plate in scene.plates])


def _save(image: Image.Image, folder: Path, stem: str, rng: Generator) -> str:
    """Store an image as a JPEG, a PNG (RGB or RGBA) or a palette GIF; returns its name relative to `folder`."""
    kind = rng.random()
    if kind < 0.65:
        name = f"{stem}.jpg"
        image.save(folder / name, quality=int(rng.integers(45, 96)))
    elif kind < 0.83:
        name = f"{stem}.png"
        if rng.random() < 0.4:
            image.putalpha(255)
        image.save(folder / name, compress_level=1)
    else:
        from PIL import Image

        name = f"{stem}.gif"
        image.quantize(256, Image.Quantize.FASTOCTREE).save(folder / name)
    return name
