"""The reader's network for use: `models/recognizer.onnx`, calibrated on drawn plates that it has not seen."""

from lpr.config import Config
from lpr.ocr.recognizer.export import export
from lpr.paths import RECOGNIZER, RECOGNIZER_ONNX
from lpr.synthesis.lettered_plates import draw_plates


def run(config: Config) -> None:
    """Calibrate, write, and hold the file against Keras."""
    settings = config.recognizer
    facts = export(
        RECOGNIZER, settings, draw_plates(settings.held_out_plates, settings.train.seed + 1), RECOGNIZER_ONNX
    )
    print(f"{RECOGNIZER_ONNX}: {RECOGNIZER_ONNX.stat().st_size / 1e6:.1f} MB; it finds what {RECOGNIZER} finds")
    for name, calibration in (("characters", facts.character), ("plates", facts.plate)):
        print(f"confidence of {name}: log odds × {calibration.slope:.2f} + {calibration.offset:.2f}")
