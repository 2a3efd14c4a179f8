"""Read drawn plates that the network has not seen: `metrics/drawn_reading.json`, `reports/drawn_readings.csv`."""

import shutil

import numpy as np
import pandas as pd
from PIL import Image
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from lpr.config import Config
from lpr.data.tables import write_table
from lpr.reader.network import Network
from lpr.reader.scoring import score_readings
from lpr.recognizer.crops import draw_crop
from lpr.recognizer.plates import draw_plates
from lpr.recognizer.shapes import nearest_shape
from lpr.report.reading_figures import draw_confusions, draw_reliability, draw_worst, worst
from lpr.stages.files import DRAWN_FIGURES, DRAWN_READINGS, DRAWN_SCORES, READER_ONNX, print_scores, write_json

_WORST = 24


def run(config: Config) -> None:
    """A crop a plate, read by the exported network as `reader=network` reads."""
    settings = config.recognizer
    reader = Network(READER_ONNX, settings.train.threads)
    seed = settings.train.seed + 2
    crops, rows = [], []
    for number, plate in enumerate(tqdm(draw_plates(settings.held_out, seed), "read", unit="plate")):
        rng = np.random.default_rng([seed, number])
        crop, _ = draw_crop(plate, *nearest_shape(settings.shapes, *plate.size), rng, settings.crops)
        reading = reader.read(Image.fromarray(crop))
        crops.append(crop)
        rows.append(
            {
                "plate": number,
                "source": "drawn",
                "split": "test",
                "boxes": "true",
                "text": plate.text,
                "as_read": reading.text,
                "reading": reading.text,
                "confidence": round(reading.confidence, 4),
                "edits": Levenshtein.distance(plate.text, reading.text),
            }
        )
    readings = pd.DataFrame(rows)
    write_table(readings, DRAWN_READINGS)
    scores = score_readings(readings)
    write_json(scores, DRAWN_SCORES)

    shutil.rmtree(DRAWN_FIGURES, ignore_errors=True)
    draw_confusions(readings, DRAWN_FIGURES / "confusions.png")
    draw_reliability(readings, DRAWN_FIGURES / "reliability.png")
    chosen = worst(readings, _WORST)
    draw_worst([crops[number] for number in chosen["plate"]], chosen, DRAWN_FIGURES / "worst.png", "worst readings")
    print_scores(scores)
