"""The drawn data source: street scenes with Indian plates, as image files and a Dataturks JSON."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator
from PIL import Image
from pydantic import Field
from tqdm import tqdm

from lpr.config import Data, Source
from lpr.config.schema.base import Seed
from lpr.cores import usable_cores
from lpr.data.annotation_files import ANNOTATIONS
from lpr.synthesis.scenes import Scene, draw_scene

NAMES_ARE_URLS = False


class Settings(Source):
    """Street scenes with Indian plates, drawn here."""

    format: Literal["synthetic"]
    scenes: Annotated[int, Field(ge=1, description="how many")]
    seed: Seed


def write_annotations(source: Settings, folder: Path, data: Data) -> None:  # noqa: ARG001
    """Draw the scenes, and write where their plates are."""
    draw_scenes(folder, source.scenes, source.seed)


def image_root(source: Settings, folder: Path) -> Path:  # noqa: ARG001
    """Where they were drawn: the annotations name them as `images/…`."""
    return folder


def draw_scenes(folder: Path, scenes: int, seed: int) -> None:
    """Draw scenes in parallel: `folder`/annotations.json (Dataturks JSON lines) and the files in `folder`/images/.

    Scene i depends on nothing but (seed, i): the same bytes each time, and more scenes leave the first ones as they
    are. Images of an earlier, larger drawing are removed.

    Args:
        folder: made if missing.
        scenes: how many, at least 1.
        seed: not negative.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for old in images.glob("scene-*"):
        old.unlink()
    workers = min(usable_cores(), scenes)
    # "spawn" also where threads (TensorFlow's, say) run already, which a fork would copy in an unknown state.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        drawn = pool.map(partial(_draw_one, folder, seed), range(scenes), chunksize=4)
        lines = list(tqdm(drawn, total=scenes, desc="drawing", unit="scene"))
    (folder / ANNOTATIONS).write_text("".join(lines), encoding="utf-8")


def _draw_one(folder: Path, seed: int, index: int) -> str:
    """Draw and store scene `index`; returns its line of the JSON."""
    rng = np.random.default_rng([seed, index])
    scene = draw_scene(rng)
    return _annotation(scene, _save(scene.image, folder, f"images/scene-{index:05d}", rng))


def _save(image: Image.Image, folder: Path, stem: str, rng: Generator) -> str:
    """Store a image as a JPEG, a PNG (RGB or RGBA) or a palette GIF; returns its name relative to `folder`."""
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
        name = f"{stem}.gif"
        image.quantize(256, Image.Quantize.FASTOCTREE).save(folder / name)
    return name


def _annotation(scene: Scene, name: str) -> str:
    width, height = scene.image.size
    plates = []
    for plate in scene.plates:
        left, top, right, bottom = plate.box
        points = [{"x": left / width, "y": top / height}, {"x": right / width, "y": bottom / height}]
        plates.append(
            {
                "label": ["number_plate"],
                "notes": plate.text,
                "points": points,
                "imageWidth": width,
                "imageHeight": height,
            }
        )
    return json.dumps({"content": name, "annotation": plates, "extras": None}) + "\n"
