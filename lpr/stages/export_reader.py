"""The reader's network for use: `models/reader.onnx`, calibrated on drawn plates that it has not seen."""

from lpr.config import Config
from lpr.recognizer.export import export
from lpr.recognizer.plates import draw_plates
from lpr.stages.files import READER, READER_ONNX


def run(config: Config) -> None:
    """Calibrate, write, and hold the file against Keras."""
    settings = config.recognizer
    facts = export(READER, settings, draw_plates(settings.held_out, settings.train.seed + 1), READER_ONNX)
    print(f"{READER_ONNX}: {READER_ONNX.stat().st_size / 1e6:.1f} MB; it finds what {READER} finds")
    for name, calibration in (("characters", facts.character), ("plates", facts.plate)):
        print(f"confidence of {name}: log odds × {calibration.slope:.2f} + {calibration.offset:.2f}")
