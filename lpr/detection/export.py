"""The trained detector for use elsewhere, as ONNX and as TFLite: the same boxes as Keras's, or no file.

Both files take images, uint8 (n, h, w, 3) RGB, and give the outputs of the Keras model. n is free, as are h and w
(multiples of 32) where the network takes any. TFLite's input has to be resized first, by
`interpreter.resize_tensor_input`.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpr.config import Config, Inference
from lpr.cores import usable_cores
from lpr.detection import families
from lpr.detection.confidence import ValidationDetections, fit
from lpr.detection.decoding import MIN_CONFIDENCE
from lpr.detection.families import Family
from lpr.detection.multiscale import Forward, detect
from lpr.detection.onnx_detector import DetectorMetadata, load_onnx_detector
from lpr.detection.prediction import keras_network
from lpr.errors import UserError
from lpr.files import replaced
from lpr.hashes import file_md5
from lpr.nn.onnx_file import quiet_conversion, with_uint8_input, write_onnx
from lpr.nn.quantization import quantize
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.paths import DETECTOR_ONNX

if TYPE_CHECKING:
    import keras

TOLERANCE_PX, TOLERANCE_CONFIDENCE = 0.01, 1e-4  # about a hundred times what was measured on images
ONNX, TFLITE = DETECTOR_ONNX.name, "detector.tflite"
INT8 = "detector.int8.onnx"


@dataclass(frozen=True)
class Deviation:
    """The largest differences between the outputs of two networks for the same images.

    Attributes:
        boxes: how many were compared: all of at least `MIN_CONFIDENCE` by either network, before any are selected,
            since the last bit of an output may select one of two boxes of about equal confidence.
        pixels: of the boxes' sides, in pixels of the network's input.
        confidence: of the boxes, in 0–1.
    """

    boxes: int
    pixels: float
    confidence: float

    @property
    def within_tolerance(self) -> bool:
        """Whether they are small enough for the networks to be used interchangeably."""
        return self.pixels <= TOLERANCE_PX and self.confidence <= TOLERANCE_CONFIDENCE

    def __str__(self) -> str:
        return f"{self.boxes} boxes to {self.pixels:.2g} px and {self.confidence:.1g} of confidence"


def export(
    detector: Path,
    config: Config,
    images: Sequence[np.ndarray],
    output: Path,
    validation: ValidationDetections | None = None,
) -> dict[str, Deviation]:
    """Write `detector.onnx` and `detector.tflite` into `output`, and compare their outputs with Keras's.

    An earlier `detector.int8.onnx` there is deleted, since it would be of another network.

    Args:
        detector: the `.keras` file.
        config: has the detector's family and how it is run.
        images: uint8 (h, w, 3) RGB, to compare on.
        output: a folder, which is made where there is none.
        validation: by which confidences are calibrated and the threshold is chosen; None: confidences are as the
            network gives them, and the threshold is that of `config`.

    Returns:
        File name → the largest deviation.

    Raises:
        UserError: the model is missing, or of another family or size; tf2onnx is not installed; or a file deviates by
            more than `TOLERANCE_PX` or `TOLERANCE_CONFIDENCE`. Then there is neither file, not even an earlier one.
    """
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    model, family = _load(detector, config), families.load(config.detector.name)
    calibration, inference = None, config.inference
    if validation is not None:
        calibration, threshold = fit(validation)
        inference = inference.model_copy(update={"confidence_threshold": threshold})
    metadata = DetectorMetadata(
        lpr=importlib.metadata.version("lpr"),
        detector=config.detector.name,
        inference=inference,
        calibration=calibration,
        keras_md5=file_md5(detector) or "",
    )
    output.mkdir(parents=True, exist_ok=True)
    unfinished = {name: output / f"unfinished-{name}" for name in (ONNX, TFLITE)}
    try:
        for name in (*unfinished, INT8):
            (output / name).unlink(missing_ok=True)
        write_onnx(model, metadata.model_dump_json(), unfinished[ONNX])
        with quiet_conversion():
            _write_tflite(model, unfinished[TFLITE])
            tflite = _tflite_network(unfinished[TFLITE])
        networks = {ONNX: load_onnx_detector(unfinished[ONNX]).network, TFLITE: tflite}
        cases = _inputs_and_outputs(keras_network(model), images, family, config.inference)
        deviations = {}
        for name, network in networks.items():
            deviations[name] = compare(cases, network, family)
            if not deviations[name].within_tolerance:
                raise UserError(
                    f"{name} has the boxes of {detector} on {len(images)} images, {deviations[name]}; allowed "
                    f"are {TOLERANCE_PX} px and {TOLERANCE_CONFIDENCE}. No file was written"
                )
        for name, path in unfinished.items():
            os.replace(path, output / name)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return deviations


def export_int8(
    folder: Path, training_images: Iterable[np.ndarray], images: Sequence[np.ndarray], threads: int | None
) -> Deviation:
    """Write `detector.int8.onnx` beside `detector.onnx`: the same network in 8-bit integers (`lpr.nn.quantization`).

    Args:
        folder: has `detector.onnx`.
        training_images: uint8 (h, w, 3) RGB, by which the ranges of the network's values are found.
        images: likewise, to compare on.
        threads: as of `load_onnx_detector`.

    Returns:
        The largest deviation from `detector.onnx`.
    """
    detector = load_onnx_detector(folder / ONNX, threads)
    network, family, settings = detector.network, detector.family, detector.metadata.inference
    inputs = (case[0] for image in training_images for case in _inputs_and_outputs(network, [image], family, settings))
    with replaced(folder / INT8) as unfinished:
        quantize(folder / ONNX, inputs, unfinished)
    cases = _inputs_and_outputs(network, images, family, settings)
    return compare(cases, load_onnx_detector(folder / INT8, threads).network, family)


def compare(cases: Sequence[tuple[np.ndarray, np.ndarray]], network: Forward, family: Family) -> Deviation:
    """The largest differences of a network's boxes from those expected.

    Args:
        cases: images, uint8 (n, h, w, 3), and the outputs that are expected for them.
        network: the one to check.
    """
    boxes, pixels, confidence = 0, 0.0, 0.0
    for images, expected in cases:
        size = images.shape[1:3]
        one, other = (family.all_boxes(outputs, *size) for outputs in (expected, network(images)))
        kept = np.maximum(one.confidences, other.confidences) >= MIN_CONFIDENCE
        boxes += int(kept.sum())
        pixels = max(pixels, float(np.abs(one.boxes - other.boxes)[kept].max(initial=0)))
        confidence = max(confidence, float(np.abs(one.confidences - other.confidences).max()))
    return Deviation(boxes, pixels, confidence)


def _inputs_and_outputs(
    network: Forward, images: Sequence[np.ndarray], family: Family, settings: Inference
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The inputs that a network is run on for these images, scale by scale, and its outputs."""
    cases: list[tuple[np.ndarray, np.ndarray]] = []

    def recorded(inputs: np.ndarray) -> np.ndarray:
        outputs = network(inputs)
        cases.append((inputs, outputs))
        return outputs

    for image in images:
        detect(image, recorded, family, settings)
    return cases


def _load(detector: Path, config: Config) -> keras.Model:
    from lpr.nn.saving import load_model

    if not detector.is_file():
        raise UserError(f"{detector} is missing: `dvc repro train` makes it")
    model = load_model(detector)
    if model.name != config.detector.name:
        raise UserError(
            f"{detector} is a detector of the family {model.name!r}, but params.yaml has detector.name="
            f"{config.detector.name}: `dvc repro train` trains that one"
        )
    if model.input_shape[1] not in (None, config.inference.image_size_px):
        raise UserError(
            f"{detector} takes images of {model.input_shape[1]} px, but params.yaml has inference.image_size_px="
            f"{config.inference.image_size_px}"
        )
    return model


def _write_tflite(model: keras.Model, path: Path) -> None:
    scaled, signature = with_uint8_input(model)
    scaled.export(path, format="litert", input_signature=[signature], verbose=False)


def _tflite_network(path: Path) -> Forward:
    import tensorflow as tf

    interpreter: Any = tf.lite.Interpreter(str(path), num_threads=usable_cores())
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def network(images: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(inputs, images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(inputs, images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(outputs))

    return network
