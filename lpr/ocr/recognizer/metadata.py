"""What an exported reader says of itself, as JSON in its ONNX file's metadata."""

from __future__ import annotations

from lpr.config import Section, Shape
from lpr.ocr.recognizer.calibration import Calibration


class ModelMetadata(Section):
    """What the network is shown, pixels, and how its confidences are to be taken."""

    lpr: str
    shapes: list[Shape]
    stride: int
    character: Calibration
    plate: Calibration
    keras_md5: str
