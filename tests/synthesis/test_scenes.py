"""Synthetic scenes: an OCR engine that never saw them recognizes most of their plates."""

import re

import numpy as np
import pytest

from lpr.synthesis.scenes import draw_scene


def test_most_plates_can_be_recognized_inside_their_boxes() -> None:
    rapidocr = pytest.importorskip("rapidocr")
    engine = rapidocr.RapidOCR()
    correct = []
    for index in range(40):
        scene = draw_scene(np.random.default_rng([11, index]))
        left, top, right, bottom = (round(edge) for edge in scene.plates[0].box)
        if right - left < 2.5 * (bottom - top):
            continue
        crop = np.asarray(scene.image.crop((left, top, right, bottom)))[:, :, ::-1]
        answer = engine(crop, use_det=False, use_cls=False, use_rec=True)
        text = re.sub("[^A-Z0-9]", "", "".join(answer.txts or ()).upper())
        correct.append(text.replace("O", "0") == scene.plates[0].text.replace("O", "0"))
    assert len(correct) >= 20
    assert np.mean(correct) >= 0.6
