"""Networks in 8-bit integers: faster on CPUs, the most on those with VNNI, and a quarter of the size.

Post-training quantization (Jacob et al. 2018, arXiv:1712.05877) by ONNX Runtime: convolutions, their activations and
sums compute with integers. The range of each value is the one it has for sample inputs. Weights have a scale for each
output channel, and 7 bits: of 8, sums of products saturate on CPUs without VNNI.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.nn.onnx_file import quiet_conversion

if TYPE_CHECKING:
    import onnx

_OPERATORS = ["Conv", "Relu", "Add"]


def quantize(network: Path, inputs: Iterable[np.ndarray], output: Path) -> None:
    """Write an ONNX network that computes with integers, but for its last convolutions, which give the results.

    Args:
        network: as `lpr.nn.onnx_file.write_onnx` wrote it; its metadata are kept.
        inputs: such as it will be run on, uint8 (n, h, w, 3).
        output: the file to write; equal networks and inputs give equal bytes.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            self._inputs = iter(inputs)

        def get_next(self) -> dict[str, np.ndarray] | None:
            sample = next(self._inputs, None)
            return None if sample is None else {name: sample}

    model = onnx.load(network)
    name = model.graph.input[0].name
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}{number}"
    with quiet_conversion():  # it recommends steps that a network of `write_onnx` does not need
        quantize_static(
            model,
            output,
            Samples(),
            op_types_to_quantize=_OPERATORS,
            nodes_to_exclude=_last_nodes(model.graph),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


def _last_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes from the last convolutions, on each way to an output, to the outputs."""
    producers = {value: node for node in graph.node for value in node.output}
    names: list[str] = []
    values = [output.name for output in graph.output]
    while values:
        node = producers.pop(values.pop(), None)
        if node is None:
            continue
        names.append(node.name)
        if node.op_type != "Conv":
            values += node.input
    return sorted(set(names))
