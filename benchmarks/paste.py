"""The cost of pasted plates, on one core: python benchmarks/paste.py [COUNT]

Prints synthetic plates and hard negatives a second; pastes a second into images of 512 px, of each kind; and
milliseconds a random crop of 256 px of such an image, without pasting and with all kinds.
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
from lpr.synthesis.hard_negatives import draw_hard_negatives
from lpr.synthesis.paste_pool import draw_paste_plates
from lpr.synthesis.scenes import draw_scene

SETTINGS = Path(__file__).parents[1] / "conf" / "augment" / "random_crops.yaml"
SIZE = 256
KINDS = ("p_over", "p_extra", "p_hard_negative")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    start = time.thread_time()
    plates = draw_paste_plates(count, seed=0)
    middle = time.thread_time()
    hard_negatives = draw_hard_negatives(count, seed=0)
    end = time.thread_time()
    print(f"n={count} plates_per_s={count / (middle - start):.0f} hard_negatives_per_s={count / (end - middle):.0f}")

    pool, examples = PastePool(plates, hard_negatives), []
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
            over, extra, hard_negative = (float(kind == other) for other in KINDS)
            paste(image, boxes, pool, rng, p_over=over, p_extra=extra, p_hard_negative=hard_negative)
            pastes += len(boxes) if kind == "p_over" else 1
        seconds = time.thread_time() - start
        print(f"{kind}: pastes_per_s={pastes / seconds:.0f} ms_per_paste={seconds / pastes * 1000:.2f}")
    for name, probability in (("nothing", 0.0), ("everything", 1.0)):
        keys = dict.fromkeys(("p_paste_over", "p_paste_extra", "p_hard_negative"), probability)
        settings = RandomCrops.model_validate(yaml.safe_load(SETTINGS.read_text()) | keys)
        rng = np.random.default_rng(0)
        start = time.thread_time()
        for index in range(count):
            random_crop(*examples[index % len(examples)], SIZE, settings, rng, pool)
        print(f"crops with {name} pasted: ms_per_crop={(time.thread_time() - start) / count * 1000:.2f}")


if __name__ == "__main__":
    main()
