"""What the metadata of an exported recognizer's ONNX file has, as JSON."""

from __future__ import annotations

from lpr.config import Section, Shape
from lpr.metrics.calibration import Calibration
from lpr.plates.text import CHARACTERS


class RecognizerMetadata(Section):
    """How the network is used.

    Attributes:
        lpr: the version of the package that exported it.
        shapes: its input shapes, (height, width) each, pixels.
        stride: pixels of the input a cell of the output.
        character: calibration of characters' confidences.
        plate: calibration of plates' confidences.
        regions: what its last channels stand for; none of a network that does not tell regions.
        alphabet: the characters that it tells apart, in the order of its channels.
        keras_md5: MD5 of the `.keras` file that was exported.
    """

    lpr: str
    shapes: list[Shape]
    stride: int
    character: Calibration
    plate: Calibration
    keras_md5: str
    regions: tuple[str, ...] = ()
    alphabet: str = CHARACTERS
