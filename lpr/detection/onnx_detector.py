"""An exported detector, `detector.onnx`, run by ONNX Runtime without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from lpr.boxes import Detections
from lpr.config import Inference, Section
from lpr.detection import families
from lpr.detection.confidence import calibrated
from lpr.detection.families import Family
from lpr.detection.multiscale import Forward, detect
from lpr.errors import UserError
from lpr.metrics.calibration import Calibration
from lpr.nn.onnx_file import METADATA_KEY, open_onnx


class DetectorMetadata(Section):
    """The metadata of an exported detector, JSON in the file.

    Attributes:
        lpr: the version of this package that exported it.
        detector: its family, `detector.name` of the configuration.
        inference: how it is run; the threshold is for calibrated confidences.
        calibration: of the confidences, fitted on validation images; None: there were none.
        keras_md5: of the `.keras` file that it was exported from.
    """

    lpr: str
    detector: str
    inference: Inference
    calibration: Calibration | None = None
    keras_md5: str


@dataclass(frozen=True)
class OnnxDetector:
    """An exported network, its family and its metadata."""

    network: Forward
    family: Family
    metadata: DetectorMetadata

    def detect(self, image: np.ndarray) -> Detections:
        """The plates of an image, uint8 (h, w, 3) RGB, at the scales of its metadata; see `multiscale.detect`.

        Confidences are calibrated where the metadata have a calibration.
        """
        found = detect(image, self.network, self.family, self.metadata.inference)
        return calibrated(found, self.metadata.calibration)


def load_onnx_detector(path: Path, threads: int | None = None) -> OnnxDetector:
    """Load an exported detector.

    Args:
        threads: of ONNX Runtime; by default one a core.

    Raises:
        UserError: the file is missing, no ONNX, or not from this version's `lpr export`;
            or its family is no module here.
    """
    session, json = open_onnx(path, "lpr export", threads)
    if json is None:
        raise UserError(f"{path} is not a detector that `lpr export` wrote: its metadata lack the key {METADATA_KEY!r}")
    try:
        metadata = DetectorMetadata.model_validate_json(json)
    except ValidationError:
        raise UserError(f"{path} was written by another version of lpr: export it again with `lpr export`") from None
    name = session.get_inputs()[0].name

    def network(images: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: images})[0])

    return OnnxDetector(network, families.load(metadata.detector), metadata)
