"""Read drawn plates that the network has not seen: `metrics/synthetic_recognition.json`, `reports/synthetic_recognitions.csv`."""

import shutil

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from lpr.config import Config
from lpr.data.tables import write_json, write_table
from lpr.metrics.recognition import score_recognitions
from lpr.metrics.statistics import print_scores
from lpr.ocr.engines.recognizer import RecognizerEngine
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.paths import RECOGNIZER_ONNX, SYNTHETIC_FIGURES, SYNTHETIC_RECOGNITIONS, SYNTHETIC_SCORES
from lpr.report.recognition_figures import draw_confusions, draw_reliability, draw_worst, worst
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import draw_plates

_WORST = 24


def run(config: Config) -> None:
    """A crop a plate, read by the exported network as `ocr=recognizer` reads."""
    settings = config.recognizer
    reader = RecognizerEngine(RECOGNIZER_ONNX, settings.train.threads)
    seed = settings.train.seed + 2
    crops, rows = [], []
    for number, plate in enumerate(tqdm(draw_plates(settings.held_out_plates, seed), "read", unit="plate")):
        rng = np.random.default_rng([seed, number])
        crop, _ = draw_crop(plate, *nearest_shape(settings.input_shapes_px, *plate.size), rng, settings.crops)
        reading = reader.read(Image.fromarray(crop))
        crops.append(crop)
        rows.append(
            {
                "plate": number,
                "source": "drawn",
                "split": "test",
                "boxes": "true",
                "text": plate.text,
                "text_before_grammar": reading.text,
                "reading": reading.text,
                "confidence": round(reading.confidence, 4),
                "edits": Levenshtein.distance(plate.text, reading.text),
            }
        )
    readings = pd.DataFrame(rows)
    write_table(readings, SYNTHETIC_RECOGNITIONS)
    scores = score_recognitions(readings)
    write_json(scores, SYNTHETIC_SCORES)

    shutil.rmtree(SYNTHETIC_FIGURES, ignore_errors=True)
    draw_confusions(readings, SYNTHETIC_FIGURES / "confusions.png")
    draw_reliability(readings, SYNTHETIC_FIGURES / "reliability.png")
    chosen = worst(readings, _WORST)
    draw_worst([crops[number] for number in chosen["plate"]], chosen, SYNTHETIC_FIGURES / "worst.png", "worst readings")
    print_scores(scores)
