"""What pasted plates cost, on one core: python benchmarks/paste.py [IMAGES_CSV]

Prints plates and signs drawn a second; pastes a second onto images of 512 px, of each kind; and milliseconds for a
view of 256 px of such a image, without pasting and with all kinds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import yaml

from lpr.augment.pasting import PastePool, paste
from lpr.augment.random_crops import letterbox, random_crop
from lpr.config import RandomCrops
from lpr.synthesis.plate_bank import draw_pool
from lpr.synthesis.scenes import draw_scene
from lpr.synthesis.sign_bank import draw_signs

VIEWS = Path(__file__).parents[1] / "conf" / "augment" / "views.yaml"
SIZE = 256
KINDS = ("replace", "add", "distract")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    start = time.thread_time()
    plates = draw_pool(count, seed=0)
    middle = time.thread_time()
    signs = draw_signs(count, seed=0)
    end = time.thread_time()
    print(f"n={count} plates_per_s={count / (middle - start):.0f} signs_per_s={count / (end - middle):.0f}")

    bank, examples = PastePool(plates, signs), []
    for index in range(min(count, 60)):
        scene = draw_scene(np.random.default_rng([0, index]))
        pixels = np.asarray(scene.image)
        image, scale = letterbox(pixels, 2 * SIZE), 2 * SIZE / max(pixels.shape[:2])
        examples.append((image, np.array([plate.box for plate in scene.plates]) * scale))
    for kind in KINDS:
        rng, pastes = np.random.default_rng(0), 0
        start = time.thread_time()
        for index in range(count):
            image, boxes = examples[index % len(examples)]
            odds = [float(kind == other) for other in KINDS]
            paste(image, boxes, bank, rng, replace=odds[0], add=odds[1], distract=odds[2])
            pastes += len(boxes) if kind == "replace" else 1
        seconds = time.thread_time() - start
        print(f"{kind}: pastes_per_s={pastes / seconds:.0f} ms_per_paste={seconds / pastes * 1000:.2f}")
    for name, chance in (("nothing", 0.0), ("everything", 1.0)):
        keys = dict.fromkeys(("paste_replace", "paste_add", "distractors"), chance)
        views = RandomCrops.model_validate(yaml.safe_load(VIEWS.read_text()) | keys)
        rng = np.random.default_rng(0)
        start = time.thread_time()
        for index in range(count):
            random_crop(*examples[index % len(examples)], SIZE, views, rng, bank)
        print(f"views with {name} pasted: ms_per_view={(time.thread_time() - start) / count * 1000:.2f}")


if __name__ == "__main__":
    main()
