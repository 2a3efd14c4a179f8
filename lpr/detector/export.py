"""The trained detector for use elsewhere, as ONNX and as TFLite: the same boxes as Keras, or no file at all.

Both files take uint8 RGB pictures (n, h, w, 3) and give what the Keras model gives for them: n, h and w are free (h and
w multiples of 32) for the centre detector, n alone for the seed's family. TFLite's input is resized first:
`interpreter.resize_tensor_input`.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Config, Inference
from lpr.cores import usable_cores
from lpr.detector.decoding import FLOOR
from lpr.detector.exported import Facts, load_exported
from lpr.detector.looks import Network, look
from lpr.detector.prediction import keras_network
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.onnx_file import quiet_conversion, takes_bytes, write_onnx
from lpr.training import choose_hardware, prepare_tensorflow

if TYPE_CHECKING:
    import keras

TOLERANCE_PX, TOLERANCE_CONFIDENCE = 0.01, 1e-4  # some hundred times what was measured on photographs
ONNX, TFLITE = "detector.onnx", "detector.tflite"


@dataclass(frozen=True)
class Deviation:
    """How far what one network says is from what another says of the same, at most.

    Attributes:
        boxes: how many were compared: all that either finds likely enough to keep, before the best are chosen. Of two
            boxes that are about equally likely, the last bit of a network's output may choose.
        pixels: of their sides, in the pixels that the networks were shown.
        confidence: of the boxes, in 0–1.
    """

    boxes: int
    pixels: float
    confidence: float

    @property
    def tolerable(self) -> bool:
        """Whether nobody need care."""
        return self.pixels <= TOLERANCE_PX and self.confidence <= TOLERANCE_CONFIDENCE

    def __str__(self) -> str:
        return f"{self.boxes} boxes to {self.pixels:.2g} px and {self.confidence:.1g} of confidence"


def export(detector: Path, config: Config, pictures: Sequence[np.ndarray], output: Path) -> dict[str, Deviation]:
    """Write `detector.onnx` and `detector.tflite` into `output`, and hold what they say against Keras.

    Args:
        detector: the `.keras` file.
        config: how the detector looks, and which family it is of.
        pictures: uint8 (h, w, 3) RGB, to compare on.

    Returns:
        File name → the largest deviation.

    Raises:
        UserError: the model is missing or of another family, tf2onnx is, or a file deviates by more than `TOLERANCE_PX`
            or `TOLERANCE_CONFIDENCE`; then neither file is there, not even an earlier one.
    """
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    model = _load(detector, config)
    facts = Facts(
        lpr=importlib.metadata.version("lpr"),
        detector=config.detector.name,
        inference=config.inference,
        keras_md5=file_md5(detector) or "",
    )
    output.mkdir(parents=True, exist_ok=True)
    unfinished = {name: output / f"unfinished-{name}" for name in (ONNX, TFLITE)}
    try:
        for name in unfinished:
            (output / name).unlink(missing_ok=True)
        write_onnx(model, facts.model_dump_json(), unfinished[ONNX])
        with quiet_conversion():
            _write_tflite(model, unfinished[TFLITE])
            tflite = _tflite_network(unfinished[TFLITE])
        networks = {ONNX: load_exported(unfinished[ONNX]).network, TFLITE: tflite}
        expected = keras_network(model)
        answers = _answers(expected, pictures, config.inference)
        deviations = {}
        for name, network in networks.items():
            deviations[name] = compare(answers, network)
            if not deviations[name].tolerable:
                raise UserError(
                    f"{name} gives the boxes of {detector} on {len(pictures)} pictures, {deviations[name]}; allowed "
                    f"are {TOLERANCE_PX} px and {TOLERANCE_CONFIDENCE}. No file was written"
                )
        for name, path in unfinished.items():
            os.replace(path, output / name)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return deviations


def compare(answers: Sequence[tuple[np.ndarray, np.ndarray]], network: Network) -> Deviation:
    """The largest differences of a network's outputs from those expected for pictures, uint8 (n, h, w, 3) each."""
    boxes, pixels, confidence = 0, 0.0, 0.0
    for pictures, expected in answers:
        (some, sure), (others, equally) = (_boxes(outputs, pictures) for outputs in (expected, network(pictures)))
        kept = np.maximum(sure, equally) >= FLOOR
        boxes += int(kept.sum())
        pixels = max(pixels, float(np.abs(some - others)[kept].max(initial=0)))
        confidence = max(confidence, float(np.abs(sure - equally).max()))
    return Deviation(boxes, pixels, confidence)


def _boxes(outputs: np.ndarray, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All boxes of a network's outputs, sides in px (k, 4), and their confidences (k,); see `lpr.detector.looks`."""
    height = pictures.shape[1]
    if outputs.ndim == 2:  # the seed's corners
        return outputs * height, np.ones(len(outputs))
    stride = height // outputs.shape[1]
    cells = outputs.reshape(-1, outputs.shape[-1]).astype(float)
    return cells[:, 1:] * stride, 1 / (1 + np.exp(-cells[:, 0]))


def _answers(
    network: Network, pictures: Sequence[np.ndarray], settings: Inference
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What a network is shown of pictures, one look after another, and its outputs."""
    answers: list[tuple[np.ndarray, np.ndarray]] = []

    def watched(shown: np.ndarray) -> np.ndarray:
        outputs = network(shown)
        answers.append((shown, outputs))
        return outputs

    for picture in pictures:
        look(picture, watched, settings)
    return answers


def _load(detector: Path, config: Config) -> keras.Model:
    from lpr.detector.networks import load_detector

    if not detector.is_file():
        raise UserError(f"{detector} is missing: `dvc repro train` makes it")
    model = load_detector(detector)
    if model.name != config.detector.name:
        raise UserError(
            f"{detector} is a detector of the family {model.name!r}, and params.yaml says detector="
            f"{config.detector.name}: `dvc repro train` makes the two agree"
        )
    if model.input_shape[1] not in (None, config.inference.image_size):
        raise UserError(
            f"{detector} takes pictures of {model.input_shape[1]} px, and params.yaml says inference.image_size="
            f"{config.inference.image_size}"
        )
    return model


def _write_tflite(model: keras.Model, path: Path) -> None:
    shown, takes = takes_bytes(model)
    shown.export(path, format="litert", input_signature=[takes], verbose=False)


def _tflite_network(path: Path) -> Network:
    import tensorflow as tf

    interpreter: Any = tf.lite.Interpreter(str(path), num_threads=usable_cores())
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def network(pictures: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(taken, pictures.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken, pictures)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given))

    return network
