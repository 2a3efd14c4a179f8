"""What pasted plates cost: python benchmarks/paste.py [PICTURES]

Prints plates and signs drawn a second, and milliseconds of one core for a view of 256² of a drawn scene: without
pasting, with each kind of it, and with all.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import yaml

from lpr.config import Views
from lpr.data.pasting import Bank
from lpr.data.plate_bank import draw_bank
from lpr.data.scenes import draw_scene
from lpr.data.sign_bank import draw_signs
from lpr.data.views import draw_view, letterbox

VIEWS = Path(__file__).parents[1] / "conf" / "augment" / "views.yaml"
OFF = {"paste_replace": 0.0, "paste_add": 0.0, "distractors": 0.0}
SIZE = 256


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    start = time.thread_time()
    plates = draw_bank(count, seed=0)
    middle = time.thread_time()
    signs = draw_signs(count, seed=0)
    end = time.thread_time()
    print(f"n={count} plates_per_s={count / (middle - start):.0f} signs_per_s={count / (end - middle):.0f}")

    bank, examples = Bank(plates, signs), []
    for index in range(min(count, 60)):
        scene = draw_scene(np.random.default_rng([0, index]))
        picture, scale = letterbox(np.asarray(scene.picture), 2 * SIZE)
        examples.append((picture, np.array([plate.box for plate in scene.plates]) * scale))
    for name in ("nothing", *OFF, "all"):
        odds = {key: float(name in (key, "all")) for key in OFF}
        views = Views.model_validate(yaml.safe_load(VIEWS.read_text()) | odds)
        rng = np.random.default_rng(0)
        start = time.thread_time()
        for index in range(count):
            draw_view(*examples[index % len(examples)], SIZE, views, rng, bank)
        print(f"{name}: ms_per_view={(time.thread_time() - start) / count * 1000:.2f}")


if __name__ == "__main__":
    main()
