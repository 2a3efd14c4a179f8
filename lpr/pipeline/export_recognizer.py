"""The recognizer for use: `models/recognizer.onnx`, calibrated on held-out synthetic plates, and in 8-bit integers."""

from lpr.config import Config
from lpr.files import megabytes
from lpr.ocr.recognizer.export import export
from lpr.paths import RECOGNIZER, RECOGNIZER_INT8, RECOGNIZER_ONNX
from lpr.synthesis.lettered_plates import draw_lettered_plates


def run(config: Config) -> None:
    """Calibrate, write the files, and check that the outputs of the first are those of Keras."""
    settings = config.recognizer
    plates = draw_lettered_plates(settings.held_out_plates, settings.train.seed + 1)
    facts = export(RECOGNIZER, settings, plates, RECOGNIZER_ONNX, RECOGNIZER_INT8)
    print(f"{RECOGNIZER_ONNX}: {megabytes(RECOGNIZER_ONNX)}; its outputs are those of {RECOGNIZER}")
    print(f"{RECOGNIZER_INT8}: {megabytes(RECOGNIZER_INT8)}; its outputs differ a little")
    for name, calibration in (("characters", facts.character), ("plates", facts.plate)):
        print(f"confidence of {name}: log odds × {calibration.slope:.2f} + {calibration.offset:.2f}")
