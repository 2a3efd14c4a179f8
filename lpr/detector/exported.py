"""An exported detector at work: `detector.onnx` on ONNX Runtime, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from lpr.config import Inference, Section
from lpr.cores import usable_cores
from lpr.detector.looks import Network
from lpr.errors import UserError

if TYPE_CHECKING:
    import onnxruntime

METADATA_KEY = "lpr"  # in the model's metadata_props: the JSON of `Facts`


class Facts(Section):
    """What an exported detector says of itself."""

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
    session = _session(path, threads or usable_cores())
    said = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
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


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"an exported detector needs ONNX Runtime ({error}): pip install onnxruntime") from None
    if not path.is_file():
        raise UserError(f"{path} is missing: `lpr export` writes it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors; they come as exceptions, too
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own have no common base
        raise UserError(f"{path} cannot be loaded: {error}") from None
