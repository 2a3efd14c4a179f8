"""`lpr scene`: a street scene, drawn, to try `lpr predict` on."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

from lpr.cli.verbs import add_verb


def add_verbs(verbs: Any) -> None:
    """Add it."""
    scene = add_verb(
        verbs,
        "scene",
        "lpr.synthesis.scenes",
        _scene,
        help="draw a street scene with a plate, to try `lpr predict` on",
        description="Draw a street scene, of those that data=synthetic trains on, and print the texts of its plates.",
        example="lpr scene street.jpg --seed 7",
    )
    scene.add_argument("file", type=Path, metavar="FILE", help="the image to write; its suffix names the format")
    scene.add_argument("--seed", type=int, default=0, metavar="N", help="which scene; default: %(default)s")


def _scene(module: ModuleType, options: Namespace) -> None:
    import numpy as np

    from lpr.errors import UserError

    drawn = module.draw_scene(np.random.default_rng(options.seed))
    try:
        drawn.image.save(options.file)
    except (OSError, ValueError) as error:
        raise UserError(f"{options.file} cannot be written: {error}") from None
    print(f"{options.file}: {', '.join(plate.text for plate in drawn.plates)}")
