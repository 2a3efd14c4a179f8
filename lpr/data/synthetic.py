"""The drawn data source: street scenes with Indian plates, as picture files and a Dataturks JSON."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image
from tqdm import tqdm

from lpr.cores import usable_cores
from lpr.data.scenes import Scene, draw_scene


def draw_scenes(folder: Path, scenes: int, seed: int) -> None:
    """Draw scenes in parallel: `folder`/annotations.json (Dataturks JSON lines) and the files in `folder`/pictures/.

    Scene i depends on nothing but (seed, i): the same bytes each time, and more scenes leave the first ones as they
    are. Pictures of an earlier, larger drawing are removed.

    Args:
        folder: made if missing.
        scenes: how many, at least 1.
        seed: not negative.
    """
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("scene-*"):
        old.unlink()
    workers = min(usable_cores(), scenes)
    # "spawn" also where threads (TensorFlow's, say) run already, which a fork would copy in an unknown state.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        drawn = pool.map(partial(_draw_one, folder, seed), range(scenes), chunksize=4)
        lines = list(tqdm(drawn, total=scenes, desc="drawing", unit="scene"))
    (folder / "annotations.json").write_text("".join(lines), encoding="utf-8")


def _draw_one(folder: Path, seed: int, index: int) -> str:
    """Draw and store scene `index`; returns its line of the JSON."""
    rng = np.random.default_rng([seed, index])
    scene = draw_scene(rng)
    return _annotation(scene, _save(scene.picture, folder, f"pictures/scene-{index:05d}", rng))


def _save(picture: Image.Image, folder: Path, stem: str, rng: Generator) -> str:
    """Store a picture as a JPEG, a PNG (RGB or RGBA) or a palette GIF; returns its name relative to `folder`."""
    kind = rng.random()
    if kind < 0.65:
        name = f"{stem}.jpg"
        picture.save(folder / name, quality=int(rng.integers(45, 96)))
    elif kind < 0.83:
        name = f"{stem}.png"
        if rng.random() < 0.4:
            picture.putalpha(255)
        picture.save(folder / name, compress_level=1)
    else:
        name = f"{stem}.gif"
        picture.quantize(256, Image.Quantize.FASTOCTREE).save(folder / name)
    return name


def _annotation(scene: Scene, name: str) -> str:
    width, height = scene.picture.size
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
