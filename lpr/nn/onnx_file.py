"""Networks as ONNX files: written from Keras, the same bytes from the same network, and opened without TensorFlow."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lpr.cores import usable_cores
from lpr.errors import UserError

if TYPE_CHECKING:
    import keras
    import onnx
    import onnxruntime

METADATA_KEY = "lpr"
"""The key of the metadata, JSON, among the file's metadata_props."""


def open_onnx(path: Path, writer: str, threads: int | None = None) -> tuple[onnxruntime.InferenceSession, str | None]:
    """Open an exported network.

    Args:
        writer: the command that writes such a file, for the message.
        threads: of the session; by default one a core.

    Returns:
        The session, and the metadata, JSON, that `write_onnx` wrote; None where the file has none.

    Raises:
        UserError: the file is missing or no ONNX.
    """
    import onnxruntime

    if not path.is_file():
        raise UserError(f"{path} is missing: `{writer}` writes it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cores()
    # Between calls the threads of a session leave the cores to the next network: a detector's, then an OCR engine's.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3  # errors; they come as exceptions, too
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own have no common base
        raise UserError(f"{path} cannot be loaded: {error}") from None
    return session, session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)


def with_uint8_input(model: keras.Model) -> tuple[keras.Model, keras.InputSpec]:
    """The model behind a division by 255, and its input: images, uint8 (n, h, w, 3)."""
    import keras

    images = keras.Input(model.input_shape[1:], dtype="uint8", name="images")
    scaled = keras.Model(images, model(keras.layers.Rescaling(1 / 255)(images)))
    return scaled, keras.InputSpec(shape=scaled.input_shape, dtype="uint8", name="images")


def write_onnx(model: keras.Model, metadata: str, path: Path) -> None:
    """Write the network as ONNX, behind a division by 255; equal networks and metadata give equal bytes.

    Args:
        metadata: JSON, which `open_onnx` returns.
    """
    import onnx
    import tf2onnx  # noqa: F401  (which Keras imports by itself, with a message of its own)

    scaled, signature = with_uint8_input(model)
    with quiet_conversion():
        scaled.export(path, format="onnx", input_signature=[signature], verbose=False)
    graph = onnx.load(path)
    _normalise(graph)
    onnx.helper.set_model_props(graph, {METADATA_KEY: metadata})
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))


def _normalise(graph: onnx.ModelProto) -> None:
    """Name all values by their place: tf2onnx's names, and with them the file's bytes, change from run to run."""
    nodes, outputs = graph.graph.node, graph.graph.output
    constants = {constant.name: constant for constant in graph.graph.initializer}
    kept: dict[bytes, onnx.TensorProto] = {}  # content → constant: of equal ones, one is kept
    names = {graph.graph.input[0].name: "images", outputs[0].name: "outputs"}
    for node in nodes:
        node.name = ""
        for place, name in enumerate(node.input):
            if name in constants and name not in names:
                constants[name].name = ""
                content = constants[name].SerializeToString(deterministic=True)
                constant = kept.setdefault(content, constants[name])
                constant.name = names[name] = constant.name or f"constant{len(kept)}"
            node.input[place] = names.get(name, name)
        for place, name in enumerate(node.output):
            node.output[place] = names.setdefault(name, f"value{len(names)}")
    graph.graph.ClearField("initializer")
    graph.graph.initializer.extend(kept.values())
    graph.graph.ClearField("value_info")
    graph.graph.ClearField("doc_string")
    for value, sides in ((graph.graph.input[0], "nhwc"), (outputs[0], ("n", "rows", "columns", "channels"))):
        value.name = names[value.name]
        for side, name in zip(value.type.tensor_type.shape.dim, sides, strict=False):
            if side.dim_param:
                side.dim_param = name


@contextmanager
def quiet_conversion() -> Iterator[None]:
    """Discard the converters' warnings and logs, which are about their internals; errors are raised as exceptions."""
    from lpr.nn.runtime import silent_stderr

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with silent_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
