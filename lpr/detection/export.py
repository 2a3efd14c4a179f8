"""The trained detector for use elsewhere, as ONNX and as TFLite: the same boxes as Keras, or no file at all.

Both files take uint8 RGB images (n, h, w, 3) and give what the Keras model gives for them: n, h and w are free (h and
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
from lpr.detection import families
from lpr.detection.decoding import MIN_CONFIDENCE
from lpr.detection.families import Family
from lpr.detection.multiscale import Forward, detect
from lpr.detection.onnx_detector import ModelMetadata, load_onnx_detector
from lpr.detection.prediction import keras_network
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.nn.onnx_file import quiet_conversion, takes_bytes, write_onnx
from lpr.nn.runtime import choose_hardware, prepare_tensorflow

if TYPE_CHECKING:
    import keras

TOLERANCE_PX, TOLERANCE_CONFIDENCE = 0.01, 1e-4  # some hundred times what was measured on images
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


def export(detector: Path, config: Config, images: Sequence[np.ndarray], output: Path) -> dict[str, Deviation]:
    """Write `detector.onnx` and `detector.tflite` into `output`, and hold what they say against Keras.

    Args:
        detector: the `.keras` file.
        config: how the detector looks, and which family it is of.
        images: uint8 (h, w, 3) RGB, to compare on.

    Returns:
        File name → the largest deviation.

    Raises:
        UserError: the model is missing or of another family, tf2onnx is, or a file deviates by more than `TOLERANCE_PX`
            or `TOLERANCE_CONFIDENCE`; then neither file is there, not even an earlier one.
    """
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    model, family = _load(detector, config), families.load(config.detector.name)
    metadata = ModelMetadata(
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
        write_onnx(model, metadata.model_dump_json(), unfinished[ONNX])
        with quiet_conversion():
            _write_tflite(model, unfinished[TFLITE])
            tflite = _tflite_network(unfinished[TFLITE])
        networks = {ONNX: load_onnx_detector(unfinished[ONNX]).network, TFLITE: tflite}
        expected = keras_network(model)
        answers = _answers(expected, images, family, config.inference)
        deviations = {}
        for name, network in networks.items():
            deviations[name] = compare(answers, network, family)
            if not deviations[name].tolerable:
                raise UserError(
                    f"{name} gives the boxes of {detector} on {len(images)} images, {deviations[name]}; allowed "
                    f"are {TOLERANCE_PX} px and {TOLERANCE_CONFIDENCE}. No file was written"
                )
        for name, path in unfinished.items():
            os.replace(path, output / name)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return deviations


def compare(answers: Sequence[tuple[np.ndarray, np.ndarray]], network: Forward, family: Family) -> Deviation:
    """The largest differences of a network's outputs from those expected for images, uint8 (n, h, w, 3) each."""
    boxes, pixels, confidence = 0, 0.0, 0.0
    for images, expected in answers:
        size = images.shape[1:3]
        one, other = (family.all_boxes(outputs, *size) for outputs in (expected, network(images)))
        kept = np.maximum(one.confidences, other.confidences) >= MIN_CONFIDENCE
        boxes += int(kept.sum())
        pixels = max(pixels, float(np.abs(one.boxes - other.boxes)[kept].max(initial=0)))
        confidence = max(confidence, float(np.abs(one.confidences - other.confidences).max()))
    return Deviation(boxes, pixels, confidence)


def _answers(
    network: Forward, images: Sequence[np.ndarray], family: Family, settings: Inference
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What a network is shown of images, one look after another, and its outputs."""
    answers: list[tuple[np.ndarray, np.ndarray]] = []

    def watched(shown: np.ndarray) -> np.ndarray:
        outputs = network(shown)
        answers.append((shown, outputs))
        return outputs

    for image in images:
        detect(image, watched, family, settings)
    return answers


def _load(detector: Path, config: Config) -> keras.Model:
    from lpr.nn.saving import load_detector

    if not detector.is_file():
        raise UserError(f"{detector} is missing: `dvc repro train` makes it")
    model = load_detector(detector)
    if model.name != config.detector.name:
        raise UserError(
            f"{detector} is a detector of the family {model.name!r}, and params.yaml says detector="
            f"{config.detector.name}: `dvc repro train` makes the two agree"
        )
    if model.input_shape[1] not in (None, config.inference.image_size_px):
        raise UserError(
            f"{detector} takes images of {model.input_shape[1]} px, and params.yaml says inference.image_size_px="
            f"{config.inference.image_size_px}"
        )
    return model


def _write_tflite(model: keras.Model, path: Path) -> None:
    shown, takes = takes_bytes(model)
    shown.export(path, format="litert", input_signature=[takes], verbose=False)


def _tflite_network(path: Path) -> Forward:
    import tensorflow as tf

    interpreter: Any = tf.lite.Interpreter(str(path), num_threads=usable_cores())
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def network(images: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(taken, images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken, images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given))

    return network
