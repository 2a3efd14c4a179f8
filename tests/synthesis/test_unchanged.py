"""What is drawn for a seed stays what it was when the weights that ship were trained: the same random draws in order.

Bytes differ between CPUs in the last bit; so what is kept is the mean brightness of 2 × 4 blocks, a byte each, in
hexadecimal, and it may differ by 1. A random draw more or less, or in another place, changes them all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.synthesis.crops import draw_background_crop, draw_crop
from lpr.synthesis.hard_negatives import draw_hard_negatives
from lpr.synthesis.indian_plates import LONG, SMALL, SQUARE, choose_indian_plate, draw_indian_plate
from lpr.synthesis.lettered_plates import draw_lettered_plates
from lpr.synthesis.paste_pool import draw_paste_plates
from lpr.synthesis.scenes import draw_scene


def scenes() -> list[np.ndarray]:
    return [np.asarray(draw_scene(np.random.default_rng([5, index])).image) for index in range(6)]


def indian_plates() -> list[np.ndarray]:
    generators = [np.random.default_rng([8, index]) for index in range(6)]
    plates = [choose_indian_plate(rng, size) for rng, size in zip(generators, 2 * (LONG, SQUARE, SMALL), strict=True)]
    return [np.asarray(draw_indian_plate(plate, 200, rng)) for plate, rng in zip(plates, generators, strict=True)]


def paste_plates() -> list[np.ndarray]:
    return [patch.pixels for patch in draw_paste_plates(8, 5)]


def hard_negatives() -> list[np.ndarray]:
    return [patch.pixels for patch in draw_hard_negatives(8, 5)]


def lettered_plates() -> list[np.ndarray]:
    return [plate.pixels for plate in draw_lettered_plates(8, 5)]


def crops() -> list[np.ndarray]:
    settings = compose([], ROOT / "conf").recognizer.crops
    plates = draw_lettered_plates(8, 5)
    return [draw_crop(plate, 64, 224, np.random.default_rng([6, i]), settings)[0] for i, plate in enumerate(plates)]


def background_crops() -> list[np.ndarray]:
    settings = compose([], ROOT / "conf").recognizer.crops
    return [draw_background_crop(96, 160, np.random.default_rng([7, index]), settings) for index in range(4)]


EXPECTED: dict[Callable[[], list[np.ndarray]], str] = {
    scenes: ("8b93ae9f8c948275 525d524c6e5d6c70 7063625b5c5f4e42 1d223b641a262838 56795741546a6b3f 1a685617161d1c14"),
    indian_plates: (
        "bebbb6bebbb2b6bc bdc6bbf2c5e2cff1 c8ccc6d8d4b9bae3 cfbdc8c1d0cacfce e0bbacced0b4b4bb c8aba7c6d1b3b2cd"
    ),
    paste_plates: (
        "959c979e89848e84 939f9b859fbbbfad bdc2c6c3b6bdc1ba 262727271d1c221c "
        "3b3a41383c393e3a d3c9d6c4cbbfcbc0 68777d6c53827455 9d8987a6a093adb7"
    ),
    hard_negatives: (
        "9d989a9a898f9191 454745473e3f4140 858d959b60777c61 a69ca3a18b86918f "
        "939699928e90948f 1e1a1e1d282a2a29 1b1c1e1919191818 cfcdd1d1b4b2b7b9"
    ),
    lettered_plates: (
        "b0bdbeb6dde3ddd6 8f9a91809c948f99 4c59584c4e65644c d7d6daddd3d1d7e4 "
        "828185827d7f938b f1e8e5f0e4eae4e4 a2a6a2ae999ea39c b5d2c1bfbac0bcbd"
    ),
    crops: (
        "485164615660748e 658b8f8665938498 6d594140483d5c68 889bab9fb1b6a792 "
        "171d1d162a334023 8da2a08392c1c19d a5a7a79f9a9b9994 8ca4999581919787"
    ),
    background_crops: ("0707080d09090a09 605b4f494b474851 4a6a52354942464c cececece715f4c3f"),
}


def block_means(image: np.ndarray) -> list[int]:
    brightness = image.mean(axis=2)
    return [round(block.mean()) for half in np.array_split(brightness, 2) for block in np.array_split(half, 4, axis=1)]


@pytest.mark.parametrize("draw", EXPECTED, ids=lambda draw: draw.__name__)
def test_the_same_seed_draws_what_it_always_drew(draw: Callable[[], list[np.ndarray]]) -> None:
    images = draw()
    expected = [list(bytes.fromhex(line)) for line in EXPECTED[draw].split()]
    np.testing.assert_allclose([block_means(image) for image in images], expected, atol=1)
