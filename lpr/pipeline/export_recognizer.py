"""The recognizer for use: `models/recognizer.onnx`, calibrated on held-out synthetic plates."""

from lpr.config import Config
from lpr.ocr.recognizer.export import export
from lpr.paths import RECOGNIZER, RECOGNIZER_ONNX
from lpr.synthesis.lettered_plates import draw_lettered_plates


def run(config: Config) -> None:
    """Calibrate, write the file, and check that its outputs are those of Keras."""
    settings = config.recognizer
    facts = export(
        RECOGNIZER, settings, draw_lettered_plates(settings.held_out_plates, settings.train.seed + 1), RECOGNIZER_ONNX
    )
    print(f"{RECOGNIZER_ONNX}: {RECOGNIZER_ONNX.stat().st_size / 1e6:.1f} MB; its outputs are those of {RECOGNIZER}")
    for name, calibration in (("characters", facts.character), ("plates", facts.plate)):
        print(f"confidence of {name}: log odds × {calibration.slope:.2f} + {calibration.offset:.2f}")
