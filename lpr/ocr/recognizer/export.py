"""The trained network for inference: an ONNX file with the calibration of its confidences, compared with Keras."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.config import Recognizer
from lpr.errors import UserError
from lpr.files import replaced
from lpr.hashes import file_md5
from lpr.metrics.calibration import Calibration, calibrate, fit_calibration
from lpr.nn.onnx_file import open_onnx, write_onnx
from lpr.nn.quantization import quantize
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.ocr.recognizer.decoding import Characters, decode
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.ocr.recognizer.metadata import RecognizerMetadata
from lpr.plates.countries import REGIONS
from lpr.plates.text import CHARACTERS
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import LetteredPlate

if TYPE_CHECKING:
    import keras

TOLERANCE_PX, TOLERANCE_CONFIDENCE = 0.01, 1e-4  # as of an exported detector
_CHECKED_CROPS = 64
_QUANTIZATION_CROPS = 400  # that the ranges of the network's values are found by
_CORRECT_IOU = 0.3  # least overlap of a character with the true one that it stands for


def export(
    model: Path, config: Recognizer, plates: Sequence[LetteredPlate], output: Path, int8: Path
) -> RecognizerMetadata:
    """Write `output`, calibrated on a crop of each of the plates, and `int8`, the same network in 8-bit integers.

    Args:
        model: the `.keras` file of the trained network.
        config: by which it was trained.
        plates: synthetic ones that it was not trained on.
        output: the `.onnx` file.
        int8: likewise; its results deviate a little (`lpr.nn.quantization`).

    Returns:
        The metadata of the files.

    Raises:
        UserError: the model or tf2onnx is missing, or the file's results deviate from Keras's by more than
            `TOLERANCE_PX` or `TOLERANCE_CONFIDENCE`; then there is neither file, not even an earlier one.
    """
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    network = _load(model)
    crops_and_boxes = [
        draw_crop(
            plate,
            *nearest_shape(config.input_shapes_px, *plate.size),
            np.random.default_rng([config.train.seed, number]),
            config.crops,
        )
        for number, plate in enumerate(plates)
    ]
    crops, boxes = zip(*crops_and_boxes, strict=True)
    found = [
        decode(network(crop[None].astype(np.float32) / 255), config.output_stride, len(config.alphabet))[0]
        for crop in crops
    ]
    character, plate = _calibrations(found, plates, boxes)
    metadata = RecognizerMetadata(
        lpr=importlib.metadata.version("lpr"),
        shapes=config.input_shapes_px,
        stride=config.output_stride,
        character=character,
        plate=plate,
        keras_md5=file_md5(model) or "",
        regions=REGIONS,
        alphabet=config.alphabet,
    )
    for path in (output, int8):
        path.unlink(missing_ok=True)
    with replaced(output) as unfinished:
        write_onnx(network, metadata.model_dump_json(), unfinished)
        _check(unfinished, crops[:_CHECKED_CROPS], found[:_CHECKED_CROPS], metadata)
    with replaced(int8) as unfinished:
        quantize(output, (crop[None] for crop in crops[:_QUANTIZATION_CROPS]), unfinished)
    return metadata


def _load(model: Path) -> keras.Model:
    from lpr.nn.saving import load_model

    if not model.is_file():
        raise UserError(f"{model} is missing: `make recognizer` makes it")
    return load_model(model)


def _calibrations(
    found: Sequence[Characters], plates: Sequence[LetteredPlate], boxes: Sequence[np.ndarray]
) -> tuple[Calibration, Calibration]:
    """Of characters, and of plates, whose confidence is the product of their characters' calibrated ones.

    Args:
        found: the characters in the crop of each plate.
        plates: which are in the crops.
        boxes: of their characters, (k, 4), pixels of the crops.
    """
    confidences = [characters.confidences * characters.probabilities.max(axis=1, initial=0) for characters in found]
    correct = [_are_correct(*one) for one in zip(found, plates, boxes, strict=True)]
    character = fit_calibration(np.concatenate(confidences), np.concatenate(correct))
    products = np.array([np.prod(calibrate(each, character)) if len(each) else 0.0 for each in confidences])
    exact = [len(each) == len(plate.text) and each.all() for each, plate in zip(correct, plates, strict=True)]
    return character, fit_calibration(products, np.array(exact))


def _are_correct(found: Characters, plate: LetteredPlate, boxes: np.ndarray) -> np.ndarray:
    """For each character found, whether it overlaps one of the plate's and has its label: bool (k,)."""
    overlap = pairwise_iou(found.boxes, boxes)
    best = overlap.argmax(axis=1)
    labels = found.probabilities.argmax(axis=1)
    true_labels = np.array([CHARACTERS.index(character) for character in plate.text])
    return (overlap.max(axis=1) > _CORRECT_IOU) & (labels == true_labels[best])


def _check(
    path: Path, crops: Sequence[np.ndarray], expected: Sequence[Characters], metadata: RecognizerMetadata
) -> None:
    """Raise an error where the file's characters in any crop differ from Keras's."""
    session, _ = open_onnx(path, "make recognizer")
    name = session.get_inputs()[0].name
    for crop, keras_result in zip(crops, expected, strict=True):
        (result,) = decode(session.run(None, {name: crop[None]})[0], metadata.stride, len(metadata.alphabet))
        if (
            keras_result.boxes.shape != result.boxes.shape
            or np.abs(keras_result.boxes - result.boxes).max(initial=0) > TOLERANCE_PX
            or np.abs(keras_result.confidences - result.confidences).max(initial=0) > TOLERANCE_CONFIDENCE
        ):
            raise UserError(f"{path}: the ONNX network's results differ from those of Keras; no file was written")
