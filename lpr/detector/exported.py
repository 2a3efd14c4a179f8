"""An exported detector at work: `detector.onnx` on ONNX Runtime, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from lpr.config import Inference, Section
from lpr.detector.looks import Network
from lpr.errors import UserError
from lpr.onnx_file import METADATA_KEY, open_onnx


class Facts(Section):
    """What an exported detector says of itself, as JSON in the file's metadata."""

    lpr: str
    detector: str
    inference: Inference
    keras_md5: str


@dataclass(frozen=True)
class ExportedDetector:
    """A network as `lpr.detector.looks` wants it, and the facts that it came with."""

    network: Network
    facts: Facts


def load_exported(path: Path, threads: int | None = None) -> ExportedDetector:
    """Load an exported detector.

    Args:
        threads: that it works with; by default one a core.

    Raises:
        UserError: ONNX Runtime is not installed; the file is missing, no ONNX, or was not written by this `lpr export`.
    """
    session, said = open_onnx(path, "lpr export", threads)
    if said is None:
        raise UserError(f"{path} is not a detector that `lpr export` wrote: its metadata lack the key {METADATA_KEY!r}")
    try:
        facts = Facts.model_validate_json(said)
    except ValidationError:
        raise UserError(f"{path} was written by another version of lpr: export it again with `lpr export`") from None
    name = session.get_inputs()[0].name

    def network(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: pictures})[0])

    return ExportedDetector(network, facts)
