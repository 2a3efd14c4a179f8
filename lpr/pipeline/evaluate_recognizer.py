"""Score the recognizer on held-out synthetic plates.

Writes `reports/synthetic_recognitions.csv`, `metrics/synthetic_recognition.json` and figures.
"""

import shutil

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from lpr.config import Config
from lpr.data.tables import write_json, write_table
from lpr.metrics import table as metric_table
from lpr.metrics.recognition import score_recognitions
from lpr.metrics.statistics import print_scores
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.paths import RECOGNIZER_ONNX, SYNTHETIC_FIGURES, SYNTHETIC_RECOGNITIONS, SYNTHETIC_SCORES
from lpr.report.recognition_figures import choose_worst, draw_confusions, draw_reliability, draw_worst
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import draw_lettered_plates

_WORST = 24
_SOURCE = "synthetic_plates"  # what the scores are named by, as by a data source elsewhere


def run(config: Config) -> None:
    """Draw a crop of each plate, and recognize it by the exported network as `ocr=recognizer` does."""
    settings = config.recognizer
    engine = RecognizerEngine(RECOGNIZER_ONNX, settings.train.threads)
    seed = settings.train.seed + 2
    crops, rows = [], []
    for number, plate in enumerate(
        tqdm(draw_lettered_plates(settings.held_out_plates, seed), "recognize", unit="plate")
    ):
        rng = np.random.default_rng([seed, number])
        crop, _ = draw_crop(plate, *nearest_shape(settings.input_shapes_px, *plate.size), rng, settings.crops)
        found = engine.read(Image.fromarray(crop))
        crops.append(crop)
        rows.append(
            {
                "plate": number,
                "source": _SOURCE,
                "split": "test",
                "boxes": "true",
                "text": plate.text,
                "text_before_grammar": found.text,
                "predicted_text": found.text,
                "confidence": round(found.confidence, 4),
                "edits": Levenshtein.distance(plate.text, found.text),
            }
        )
    recognitions = pd.DataFrame(rows)
    write_table(recognitions, SYNTHETIC_RECOGNITIONS)
    scores = score_recognitions(recognitions, metric_table.load(config.metrics).recognition)
    write_json(scores, SYNTHETIC_SCORES)

    shutil.rmtree(SYNTHETIC_FIGURES, ignore_errors=True)
    draw_confusions(recognitions, SYNTHETIC_FIGURES / "confusions.png")
    draw_reliability(recognitions, SYNTHETIC_FIGURES / "reliability.png")
    chosen = choose_worst(recognitions, _WORST)
    draw_worst(
        [crops[number] for number in chosen["plate"]], chosen, SYNTHETIC_FIGURES / "worst.png", "worst recognitions"
    )
    print_scores(scores)
